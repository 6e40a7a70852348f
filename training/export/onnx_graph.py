"""PyTorch weights to an ONNX graph, node by node.

PyTorch's own exporters cannot express a padded batch of recurrent layers; ONNX's LSTM, GRU and RNN nodes can,
through `sequence_lens`. With it, padded outputs are exactly 0 and no text's numbers depend on its neighbours.
Inside a graph recurrent layers are time first: [time, batch, features].
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from training.config import Precision
from training.errors import TrainingError
from training.export.weights import (
    PINS,
    quantize_to_eight_bits,
    quantize_to_seven_bits,
    recurrent_weights,
    widened,
)
from training.nn.layers import RecurrentStack

OPSET = 20
_FLOAT_TYPES = {"float": TensorProto.FLOAT, "int64": TensorProto.INT64, "int32": TensorProto.INT32}
_CONTRIB = "com.microsoft"
"""The domain of ONNX Runtime's own operators."""
_CLOSED, _OPEN = -40.0, 40.0
"""Biases that keep an LSTM's gate at 0 and at 1."""


class Graph:
    """Collects nodes and weights; every method gives the name of the value it adds.

    precision: of the recurrent layers' weights and products.
    """

    def __init__(self, precision: Precision = "float32") -> None:
        self.precision = precision
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._count = 0

    def input(self, name: str, kind: str, shape: Sequence[str | int]) -> str:
        self._inputs.append(helper.make_tensor_value_info(name, _FLOAT_TYPES[kind], shape))
        return name

    def output(self, value: str, name: str, kind: str, shape: Sequence[str | int]) -> None:
        self._nodes.append(helper.make_node("Identity", [value], [name], name=f"out_{name}"))
        self._outputs.append(helper.make_tensor_value_info(name, _FLOAT_TYPES[kind], shape))

    def node(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        return self.nodes(kind, *inputs, outputs=outputs, **attributes)[0]

    def nodes(self, kind: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        names = [self._name(f"{kind}{index or ''}") for index in range(outputs)]
        self._nodes.append(helper.make_node(kind, inputs, names, name=names[0], **attributes))
        return names

    def constant(self, value: object, dtype: str = "int64") -> str:
        return self._add(np.array(value, dtype))

    def weight(self, value: Tensor | NDArray[np.float32]) -> str:
        """A float32 weight, stored as float16: half the size on disk, widened when the graph is loaded.

        The caller has rounded its weights to float16 before (`round_to_half`), so nothing is lost here.
        """
        array = value.detach().cpu().numpy() if isinstance(value, Tensor) else value
        stored = self._add(array.astype(np.float16))
        return self.node("Cast", stored, to=TensorProto.FLOAT)

    def linear(self, x: str, layer: nn.Linear) -> str:
        """[..., in] -> [..., out]."""
        product = self.node("MatMul", x, self.weight(layer.weight.T))
        bias: Tensor | None = layer.bias
        return product if bias is None else self.node("Add", product, self.weight(bias))

    def product(self, x: str, weights: Tensor) -> str:
        """[rows, in] by [out, in] -> [rows, out], in the graph's precision.

        In int8 each row has a scale of its own, so that it depends on no neighbour; its numbers are stored
        around 128, since ONNX Runtime is fast at unsigned by signed.
        """
        if self.precision == "float32":
            return self.node("MatMul", x, self.weight(weights.T))
        largest = self.node("ReduceMax", self.node("Abs", x), self.constant([-1]))
        floor = self.constant(1e-6, "float32")
        scale = self.node("Div", self.node("Max", largest, floor), self.constant(127, "float32"))
        rounded = self.node("Round", self.node("Div", x, scale))
        moved = self.node("Add", rounded, self.constant(128, "float32"))
        rows = self.node("Cast", moved, to=TensorProto.UINT8)
        columns, quantized = quantize_to_seven_bits(weights.detach().cpu().numpy())
        middle = self.constant(128, "uint8")
        total = self.node("MatMulInteger", rows, self._add(quantized), middle)
        exact = self.node("Mul", self.node("Cast", total, to=TensorProto.FLOAT), scale)
        return self.node("Mul", exact, self._add(columns))

    def quantized_embedding(self, ids: str, table: nn.Embedding) -> str:
        """[...] int64 -> [..., features], from a table in eight bits; only the rows read are widened.

        The caller has rounded the table before (`round_to_eight_bits`), so nothing is lost here.
        """
        scale, integers = quantize_to_eight_bits(table.weight.detach().cpu().numpy())
        rows = self.node("Gather", self._add(integers), ids)
        scales = self.node("Gather", self._add(scale), ids)
        floats = (self.node("Cast", value, to=TensorProto.FLOAT) for value in (rows, scales))
        return self.node("Mul", *floats)

    def embedding(self, ids: str, table: nn.Embedding) -> str:
        """[...] int64 -> [..., features]; the table stays float16 and only the rows read are widened."""
        stored = self._add(table.weight.detach().cpu().numpy().astype(np.float16))
        return self.node("Cast", self.node("Gather", stored, ids), to=TensorProto.FLOAT)

    def convolution(self, x: str, layer: nn.Conv1d) -> str:
        """[words, in, letters] -> [words, out, letters]."""
        width, bias = int(layer.padding[0]), layer.bias
        assert bias is not None
        return self.node(
            "Conv", x, self.weight(layer.weight), self.weight(bias), pads=[width, width]
        )

    def recurrent(
        self, x: str, lengths: str, stack: RecurrentStack, largest: float
    ) -> tuple[str, str]:
        """[time, batch, in] -> outputs [time, batch, out], last states [batch, last].

        largest: bound of the inputs' magnitude, to which they are clipped in int8. Raises TrainingError if the
        cell cannot be computed in int8.
        """
        last = ""
        spare = stack.cell == "rnn"
        if spare:  # ONNX Runtime's RNN rounds a lone row differently: the first row is read twice
            x = self.node("Concat", x, self._slice(x, 0, 1, axis=1), axis=1)
            lengths = self.node("Concat", lengths, self._slice(lengths, 0, 1, axis=0), axis=0)
        for index, ahead in enumerate(stack.forwards):
            layers = [ahead] + ([stack.backwards[index]] if stack.bidirectional else [])
            weights = [
                np.stack(parts) for parts in zip(*map(recurrent_weights, layers), strict=True)
            ]
            if self.precision == "int8":
                y, last = self._pinned_lstm(x, lengths, stack, weights, largest)
                largest = 2.0 if stack.merge == "sum" else 1.0  # states lie between -1 and 1
            else:
                y, last = self.nodes(
                    stack.cell.upper(),
                    x,
                    *map(self.weight, weights),
                    lengths,
                    outputs=2,
                    hidden_size=stack.hidden,
                    direction="bidirectional" if stack.bidirectional else "forward",
                    **({"linear_before_reset": 1} if stack.cell == "gru" else {}),
                )
            below, x = x, self._merge(y, stack)
            if stack.residual and index:
                x = self.node("Add", x, below)
        features = self.constant([0, stack.last_outputs])
        last = self.node("Reshape", self.node("Transpose", last, perm=[1, 0, 2]), features)
        if spare:
            x, last = self._slice(x, 0, -1, axis=1), self._slice(last, 0, -1, axis=0)
        return x, last

    def _pinned_lstm(
        self,
        x: str,
        lengths: str,
        stack: RecurrentStack,
        weights: Sequence[NDArray[np.float32]],
        largest: float,
    ) -> tuple[str, str]:
        """An LSTM layer in int8 whose answers do not depend on the rest of the batch, though its node,
        DynamicQuantizeLSTM, uses one scale for the inputs of a batch and one for its states at each step.

        Both ranges are pinned: two more input features are always `largest` and `-largest`, with inputs clipped
        to these; two more units stay at 1 and -1, as their input gates are closed and the others open. Their
        weights to all else are zero. Gives outputs and last states without the two.
        """
        if stack.cell != "lstm":
            raise TrainingError(f"int8 is for the cell lstm, not {stack.cell}: use float32")
        w, r, b = weights
        directions, hidden, units = len(w), stack.hidden, stack.hidden + PINS
        limits = (self.constant(limit, "float32") for limit in (-largest, largest))
        clipped = self.node("Clip", x, *limits)
        pins = self.constant([[[largest, -largest]]], "float32")
        shape = self.node("Concat", self.node("Shape", x, end=2), self.constant([PINS]), axis=0)
        pinned = self.node("Concat", clipped, self.node("Expand", pins, shape), axis=-1)

        gates = np.zeros((directions, 8, units), np.float32)
        gates[:, :, :hidden] = b.reshape(directions, 8, hidden)
        gates[:, 0:3, hidden:] = np.array([_CLOSED, _OPEN, _OPEN])[:, None]  # input, output, forget
        state = np.zeros((directions, 1, units), np.float32)
        state[:, :, hidden:] = 1.0, -1.0
        rows = self.node("Shape", x, start=1, end=2)
        sizes = [self.constant([directions]), rows, self.constant([units])]
        size = self.node("Concat", *sizes, axis=0)
        states = self.node("Expand", self.constant(state, "float32"), size)
        cells = self.node("Expand", self.constant(state * _OPEN, "float32"), size)

        w_scale, w_quantized = quantize_to_seven_bits(widened(w, PINS, PINS))
        r_scale, r_quantized = quantize_to_seven_bits(widened(r, PINS, PINS))
        zeros = self._add(np.zeros(w_scale.shape, np.int8))
        y, last = self.nodes(
            "DynamicQuantizeLSTM",
            pinned,
            self._add(w_quantized),
            self._add(r_quantized),
            self.weight(gates.reshape(directions, -1)),
            lengths,
            states,
            cells,
            "",
            self._add(w_scale),
            zeros,
            self._add(r_scale),
            zeros,
            outputs=2,
            domain=_CONTRIB,
            hidden_size=units,
            direction="bidirectional" if stack.bidirectional else "forward",
        )
        return self._slice(y, 0, hidden, axis=3), self._slice(last, 0, hidden, axis=2)

    def _slice(self, value: str, start: int, stop: int, *, axis: int) -> str:
        limits = (self.constant([number]) for number in (start, stop, axis))
        return self.node("Slice", value, *limits)

    def gru_step(self, x: str, state: str, stack: RecurrentStack) -> str:
        """One step of a forward GRU layer: [rows, in], [rows, hidden] -> [rows, hidden]."""
        w, r, b = recurrent_weights(stack.forwards[0])
        if self.precision == "int8":
            return self._int8_gru_step(x, state, w, r, np.split(b, 2))
        axis = self.constant([0])
        last = self.nodes(
            "GRU",
            self.node("Unsqueeze", x, axis),
            *(self.weight(array[None]) for array in (w, r, b)),
            "",
            self.node("Unsqueeze", state, axis),
            outputs=2,
            hidden_size=stack.hidden,
            linear_before_reset=1,
        )[1]
        return self.node("Squeeze", last, axis)

    def _int8_gru_step(
        self,
        x: str,
        state: str,
        w: NDArray[np.float32],
        r: NDArray[np.float32],
        biases: Sequence[NDArray[np.float32]],
    ) -> str:
        """The GRU's own sums (Cho et al. 2014, with the reset after the product) with products in int8, which its
        node does not have; gates are in ONNX's order z, r, h."""
        sums = [
            self.node("Add", self.product(rows, torch.from_numpy(weights)), self.weight(bias))
            for rows, weights, bias in ((x, w, biases[0]), (state, r, biases[1]))
        ]
        split = {"outputs": 3, "axis": -1, "num_outputs": 3}
        (z, reset, new), (of_z, of_reset, of_new) = (
            self.nodes("Split", each, **split) for each in sums
        )
        z = self.node("Sigmoid", self.node("Add", z, of_z))
        reset = self.node("Sigmoid", self.node("Add", reset, of_reset))
        new = self.node("Tanh", self.node("Add", new, self.node("Mul", reset, of_new)))
        kept = self.node("Mul", z, self.node("Sub", state, new))
        return self.node("Add", new, kept)

    def _merge(self, y: str, stack: RecurrentStack) -> str:
        """[time, directions, batch, hidden] -> [time, batch, out]."""
        if not stack.bidirectional or stack.merge == "concat":
            shape = self.constant([0, 0, stack.outputs])
            return self.node("Reshape", self.node("Transpose", y, perm=[0, 2, 1, 3]), shape)
        kind = {"sum": "ReduceSum", "mean": "ReduceMean", "max": "ReduceMax"}[stack.merge]
        return self.node(kind, y, self.constant([1]), keepdims=0)

    def save(self, path: Path) -> None:
        graph = helper.make_graph(
            self._nodes, "textloom", self._inputs, self._outputs, self._weights
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(_CONTRIB, 1)]
        model = helper.make_model(graph, opset_imports=opsets)
        model.ir_version = 10
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)

    def _add(self, array: NDArray[np.generic]) -> str:
        name = self._name("w")
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _name(self, stem: str) -> str:
        self._count += 1
        return f"{stem}_{self._count}"
