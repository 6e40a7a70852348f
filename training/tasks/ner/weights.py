"""The weights of a published tagger, read back from its two graphs: the inverse of `write_graph`.

They are as the graphs hold them, rounded to float16 or to the seven bits of int8.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import NodeProto
from torch import Tensor

from training.errors import TrainingError
from training.export.weights import PINS, StoredGraph, narrowed, recurrent_parameters
from training.nn.layers import FORBIDDEN

Floats = NDArray[np.float32]

RECURRENT = ("DynamicQuantizeLSTM", "LSTM", "GRU", "RNN")


def read_weights(folder: Path) -> dict[str, Tensor]:
    """By their names in `Network`. The scores of tags are divided by the graph's temperature.

    Raises TrainingError if the graphs in `folder` are not those of a tagger.
    """
    try:
        weights = _char_cnn(StoredGraph(folder / "letters.onnx"))
        weights |= _tagger(StoredGraph(folder / "model.onnx"))
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise TrainingError(f"{folder}: these are not the graphs of a tagger") from error
    return {name: torch.from_numpy(np.ascontiguousarray(one)) for name, one in weights.items()}


def _char_cnn(graph: StoredGraph) -> dict[str, Floats]:
    (gather,) = _nodes(graph, "Gather")
    weights = {"char_cnn.embedding.weight": graph.floats(gather.input[0])}
    for name, node in zip(("first", "second"), _nodes(graph, "Conv"), strict=True):
        weights[f"char_cnn.{name}.weight"] = graph.floats(node.input[1])
        weights[f"char_cnn.{name}.bias"] = graph.floats(node.input[2])
    return weights


def _tagger(graph: StoredGraph) -> dict[str, Floats]:
    integers, scales = (graph.floats(node.input[0]) for node in _nodes(graph, "Gather"))
    weights = {"embedding.weight": integers * scales}
    for layer, node in enumerate(_nodes(graph, *RECURRENT)):
        for direction, parameters in zip(
            ("forwards", "backwards"), _layer(graph, node), strict=False
        ):
            name = f"stack.{direction}.{layer}"
            weights |= {f"{name}.{key}": value for key, value in parameters.items()}
    (temperature,) = _nodes(graph, "Div")
    (product,), (total,) = _nodes(graph, "MatMul"), _nodes(graph, "Add")
    divisor = graph.floats(temperature.input[1])
    weights["output.weight"] = graph.floats(product.input[1]).T / divisor
    weights["output.bias"] = graph.floats(total.input[1]) / divisor
    for node in _nodes(graph, "Identity"):
        if node.output[0] in ("transitions", "start", "end"):
            potential = graph.floats(node.input[0])
            learned = np.where(
                potential > FORBIDDEN / 100, potential, 0
            )  # what IOB2 forbids is not
            weights[f"crf.{node.output[0]}"] = learned
    return weights


def _layer(graph: StoredGraph, node: NodeProto) -> list[dict[str, Floats]]:
    """The parameters of each direction."""
    if node.op_type != "DynamicQuantizeLSTM":
        stacked = [graph.floats(name) for name in node.input[1:4]]
    else:
        w, r, gates = (graph.array(name) for name in node.input[1:4])
        w_scale, r_scale = graph.floats(node.input[8]), graph.floats(node.input[10])
        biases = gates.astype(np.float32).reshape(len(gates), 8, -1)[:, :, :-PINS]
        stacked = [
            narrowed(w_scale, w, PINS),
            narrowed(r_scale, r, PINS),
            biases.reshape(len(gates), -1),
        ]
    return [recurrent_parameters(*parts) for parts in zip(*stacked, strict=True)]


def _nodes(graph: StoredGraph, *kinds: str) -> list[NodeProto]:
    return [node for node in graph.nodes if node.op_type in kinds]
