"""Weights as a graph holds them: gates in ONNX's order, rounded to float16, eight or seven bits; and read back."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

_GATES = {"rnn": (0,), "lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}
"""PyTorch's gates in ONNX's order: i,f,g,o -> i,o,f,c; r,z,n -> z,r,h."""
PINS = 2
"""Units, and inputs, that an LSTM in int8 has more (onnx_graph.py)."""


def recurrent_weights(layer: nn.Module) -> tuple[NDArray[np.float32], ...]:
    """W [gates*hidden, in], R [gates*hidden, hidden] and B [2*gates*hidden] with ONNX's order of gates."""
    parameters = {
        name: value.detach().cpu().numpy() for name, value in layer.named_parameters(recurse=False)
    }
    hidden = parameters["weight_hh_l0"].shape[1]
    gates = _GATES[{1: "rnn", 4: "lstm", 3: "gru"}[len(parameters["weight_hh_l0"]) // hidden]]

    def ordered(name: str) -> NDArray[np.float32]:
        blocks = np.split(parameters[name], len(gates))
        return np.concatenate([blocks[gate] for gate in gates])

    bias = np.concatenate([ordered("bias_ih_l0"), ordered("bias_hh_l0")])
    return ordered("weight_ih_l0"), ordered("weight_hh_l0"), bias


def widened(weights: NDArray[np.float32], more_units: int, more_inputs: int) -> NDArray[np.float32]:
    """[directions, 4 * units, inputs] of an LSTM with more units and inputs, whose weights are all zero."""
    directions, _, inputs = weights.shape
    blocks = weights.reshape(directions, 4, -1, inputs)
    more = ((0, 0), (0, 0), (0, more_units), (0, more_inputs))
    return np.pad(blocks, more).reshape(directions, -1, inputs + more_inputs)


def quantize_to_seven_bits(
    weights: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """[..., out, in] as scales [..., out] and integers [..., in, out] between -63 and 63.

    Of eight bits the sums of two products overflow on processors without VNNI; of seven every processor
    computes the same.
    """
    scale = np.maximum(np.abs(weights).max(-1), 1e-8) / 63
    integers = np.rint(weights / scale[..., None]).astype(np.int8)
    return scale.astype(np.float32), np.ascontiguousarray(integers.swapaxes(-1, -2))


def quantize_to_eight_bits(
    rows: NDArray[np.float32],
) -> tuple[NDArray[np.float16], NDArray[np.int8]]:
    """[rows, features] as scales [rows, 1] and integers between -127 and 127."""
    scale = np.maximum(np.abs(rows).max(1, keepdims=True) / 127, 1e-6).astype(np.float16)
    return scale, np.rint(rows / scale.astype(np.float32)).clip(-127, 127).astype(np.int8)


def round_to_eight_bits(table: nn.Embedding) -> None:
    """Rounds each row to what eight bits and a scale of its own can hold."""
    scale, integers = quantize_to_eight_bits(table.weight.detach().cpu().numpy())
    table.weight.data = torch.from_numpy(scale.astype(np.float32) * integers)


def round_to_half(network: nn.Module) -> None:
    """Rounds every weight to what float16 can hold, so that the graph on disk equals the network."""
    for parameter in network.parameters():
        parameter.data = parameter.data.half().float()


def recurrent_parameters(
    w: NDArray[np.float32], r: NDArray[np.float32], b: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    """The inverse of `recurrent_weights`: the parameters of one direction by PyTorch's names."""
    hidden = r.shape[1]
    gates = _GATES[{1: "rnn", 4: "lstm", 3: "gru"}[len(r) // hidden]]

    def ordered(stored: NDArray[np.float32]) -> NDArray[np.float32]:
        blocks = np.split(stored, len(gates))
        return np.concatenate([blocks[gates.index(gate)] for gate in range(len(gates))])

    of_input, of_state = np.split(b, 2)
    return {
        "weight_ih_l0": ordered(w),
        "weight_hh_l0": ordered(r),
        "bias_ih_l0": ordered(of_input),
        "bias_hh_l0": ordered(of_state),
    }


def narrowed(
    scale: NDArray[np.float32], integers: NDArray[np.int8], added: int
) -> NDArray[np.float32]:
    """[directions, 4 * units, inputs] of an LSTM, from what `quantize_to_seven_bits` made of it after `widened` by
    `added` units and inputs."""
    weights = (integers * scale[:, None]).swapaxes(1, 2)
    blocks = weights.reshape(len(weights), 4, -1, weights.shape[2])[:, :, :-added, :-added]
    return blocks.reshape(len(weights), -1, blocks.shape[3])


class StoredGraph:
    """A graph on disk: its nodes in order, and the arrays that it holds."""

    def __init__(self, path: Path) -> None:
        graph = onnx.load(path).graph
        self.nodes = list(graph.node)
        self._arrays = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        for node in self.nodes:
            if node.op_type == "Cast" and node.input[0] in self._arrays:
                self._arrays[node.output[0]] = self._arrays[node.input[0]]

    def holds(self, name: str) -> bool:
        return name in self._arrays

    def array(self, name: str) -> NDArray[Any]:
        """As it is stored. Raises KeyError for what the graph computes."""
        return self._arrays[name]

    def floats(self, name: str) -> NDArray[np.float32]:
        return self._arrays[name].astype(np.float32)
