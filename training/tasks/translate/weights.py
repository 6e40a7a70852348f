"""The weights of a published translator, read back from its two graphs: the inverse of `write_graphs`.

They are as the graphs hold them, rounded to float16 or to the seven bits of int8. From them the graphs can be
written again, and a training can start.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import NodeProto
from torch import Tensor

from training.errors import TrainingError
from training.export.weights import StoredGraph, recurrent_parameters

Floats = NDArray[np.float32]


def read_weights(folder: Path) -> dict[str, Tensor]:
    """By their names in `Network`.

    Raises TrainingError if the graphs in `folder` are not those of a translator.
    """
    try:
        encoder, decoder = _Stored(folder / "encoder.onnx"), _Stored(folder / "decoder.onnx")
        weights = {"embedding.weight": encoder.table()}
        products, biases = encoder.products(), encoder.biases()
        *recurrent, bridge, keys = products
        for index in range(0, len(recurrent), 2):
            name = f"encoder.{('forwards', 'backwards')[index // 2 % 2]}.{index // 4}"
            weights |= _layer(name, recurrent[index : index + 2], biases[index : index + 2])
        weights |= {"bridge.weight": bridge, "bridge.bias": biases[-1]}
        weights["attention.project.weight"] = keys
        *recurrent, readout, _ = decoder.products()  # the last one is the table again
        biases = decoder.biases()
        weights |= _layer("first.stack.forwards.0", recurrent[:2], biases[:2])
        weights |= _layer("second.stack.forwards.0", recurrent[2:], biases[2:4])
        weights |= {"readout.weight": readout, "readout.bias": biases[4], "bias": biases[5]}
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise TrainingError(f"{folder}: these are not the graphs of a translator") from error
    return {name: torch.from_numpy(np.ascontiguousarray(one)) for name, one in weights.items()}


class _Stored:
    """What one graph holds, in the order in which it is used."""

    def __init__(self, path: Path) -> None:
        self._graph = StoredGraph(path)
        self._nodes, self._float = self._graph.nodes, self._graph.floats

    def table(self) -> Floats:
        """Of embeddings [vocabulary, features]."""
        return next(self._float(node.input[0]) for node in self._nodes if node.op_type == "Gather")

    def products(self) -> list[Floats]:
        """The matrices of all products [out, in]; of a recurrent node those for its input and its state."""
        return list(self._products())

    def biases(self) -> list[Floats]:
        """What is added after products; of a recurrent node to those of its input and of its state."""
        found: list[Floats] = []
        for node in self._nodes:
            if node.op_type == "GRU":
                found += [half for both in self._float(node.input[3]) for half in np.split(both, 2)]
            elif node.op_type == "Add" and self._holds(node, 1):
                found.append(self._float(node.input[1]))
        return found

    def _products(self) -> Iterator[Floats]:
        for index, node in enumerate(self._nodes):
            if node.op_type == "GRU":
                pairs = zip(self._float(node.input[1]), self._float(node.input[2]), strict=True)
                yield from (each for pair in pairs for each in pair)
            elif node.op_type == "MatMul" and self._holds(node, 2):
                yield self._float(node.input[1]).T
            elif node.op_type == "MatMulInteger":
                scales = self._nodes[index + 3].input[1]  # after those of the rows
                yield (self._float(node.input[1]) * self._float(scales)).T

    def _holds(self, node: NodeProto, axes: int) -> bool:
        """Whether the second input of a node is such an array that the graph holds, and no lone number."""
        name = node.input[1]
        if not self._graph.holds(name):
            return False
        array = self._graph.array(name)
        return array.ndim == axes and array.size > 1


def _layer(name: str, products: list[Floats], biases: list[Floats]) -> dict[str, Floats]:
    w, r = products
    parameters = recurrent_parameters(w, r, np.concatenate(biases))
    return {f"{name}.{parameter}": array for parameter, array in parameters.items()}
