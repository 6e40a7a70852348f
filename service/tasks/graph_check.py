"""What an ONNX graph may be: data that is bounded by what it reads, in the one file whose hash is known.

Sizes may come from sizes and constants, never from the values of a text: then a run with texts of a size shows
what other texts of that size take. Leaves out how much that is: golden examples run within a limit (memory.py).
"""

from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from service.errors import BundleError

MAX_NODES = 10_000
"""Some seventy times the largest that is shipped."""

_ALLOWED = frozenset(
    {
        "Abs", "Acos", "Acosh", "Add", "And", "ArgMax", "ArgMin", "Asin", "Asinh", "Atan", "Atanh",
        "Attention", "AveragePool", "BatchNormalization", "BitShift", "BitwiseAnd", "BitwiseNot",
        "BitwiseOr", "BitwiseXor", "Cast", "CastLike", "Ceil", "Celu", "Clip", "Concat", "Constant",
        "ConstantOfShape", "Conv", "ConvInteger", "ConvTranspose", "Cos", "Cosh", "CumSum", "DepthToSpace",
        "DequantizeLinear", "Div", "Dropout", "DynamicQuantizeLinear", "Einsum", "Elu", "Equal", "Erf",
        "Exp", "Expand", "EyeLike", "Flatten", "Floor", "GRU", "Gather", "GatherElements", "GatherND",
        "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Greater", "GreaterOrEqual",
        "GroupNormalization", "HardSigmoid", "HardSwish", "Hardmax", "Identity", "InstanceNormalization",
        "IsInf", "IsNaN", "LRN", "LSTM", "LayerNormalization", "LeakyRelu", "Less", "LessOrEqual", "Log",
        "LogSoftmax", "LpNormalization", "MatMul", "MatMulInteger", "Max", "MaxPool", "Mean",
        "MeanVarianceNormalization", "Min", "Mish", "Mod", "Mul", "Neg", "Not", "OneHot", "Or", "PRelu",
        "Pad", "Pow", "QLinearConv", "QLinearMatMul", "QuantizeLinear", "RMSNormalization", "RNN", "Range",
        "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
        "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "Relu", "Reshape", "ReverseSequence",
        "RotaryEmbedding", "Round", "ScatterElements", "ScatterND", "Selu", "Shape", "Shrink", "Sigmoid",
        "Sign", "Sin", "Sinh", "Size", "Slice", "Softmax", "Softplus", "Softsign", "SpaceToDepth", "Split",
        "Sqrt", "Squeeze", "Sub", "Sum", "Swish", "Tan", "Tanh", "ThresholdedRelu", "Tile", "TopK",
        "Transpose", "Trilu", "Unsqueeze", "Where", "Xor",
    }
)  # fmt: skip
"""All of ONNX that needs no graph of its own, no file, no text and no chance, and whose result has a size that
follows from sizes."""

_OPERATORS = {
    "": _ALLOWED,
    "ai.onnx": _ALLOWED,
    "com.microsoft": {"DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "MatMulIntegerToFloat"},
}
"""By domain; of ONNX Runtime's own, those that its quantisation makes."""

_SIZING = {
    "ConstantOfShape": (0,),
    "Expand": (1,),
    "OneHot": (1,),
    "Pad": (1, 3),
    "Range": (0, 1, 2),
    "Reshape": (1,),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Squeeze": (1,),
    "Tile": (1,),
    "TopK": (1,),
    "Unsqueeze": (1,),
} | {name: (1,) for name in _ALLOWED if name.startswith("Reduce")}
"""By operator, the inputs whose values say what size its result has."""

_MESSAGE, _STRING, _INT32 = 11, 9, 5
_ONE, _MANY = 1, 3

# name of the field, its number, its label, its kind or the name of its message
_MESSAGES: dict[str, list[tuple[str, int, int, int | str]]] = {
    "Model": [("graph", 7, _ONE, "Graph"), ("functions", 25, _MANY, "Anything")],
    "Graph": [
        ("node", 1, _MANY, "Node"),
        ("initializer", 5, _MANY, "Tensor"),
        ("input", 11, _MANY, "Value"),
        ("sparse_initializer", 15, _MANY, "Anything"),
    ],
    "Node": [
        ("input", 1, _MANY, _STRING),
        ("output", 2, _MANY, _STRING),
        ("op_type", 4, _ONE, _STRING),
        ("attribute", 5, _MANY, "Attribute"),
        ("domain", 7, _ONE, _STRING),
    ],
    "Attribute": [
        ("name", 1, _ONE, _STRING),
        ("t", 5, _ONE, "Tensor"),
        ("g", 6, _ONE, "Anything"),
        ("tensors", 10, _MANY, "Tensor"),
        ("graphs", 11, _MANY, "Anything"),
        ("sparse_tensor", 22, _ONE, "Anything"),
        ("sparse_tensors", 23, _MANY, "Anything"),
    ],
    "Tensor": [
        ("name", 8, _ONE, _STRING),
        ("external_data", 13, _MANY, "Anything"),
        ("data_location", 14, _ONE, _INT32),
    ],
    "Value": [("name", 1, _ONE, _STRING)],
    "Anything": [],
}
"""Of the messages of ONNX (onnx.proto) what is looked at. All else stays unread."""


def check(graph: bytes, path: Path) -> None:
    """Raises BundleError, which says what is wrong, unless the graph is one that may be run.

    path: of its file, for the error.
    """
    try:
        model = _Model.FromString(graph)
    except DecodeError as error:
        raise BundleError(f"{path}: this is no ONNX graph") from error
    wrong = _wrong(model)
    if wrong:
        raise BundleError(f"{path}: this graph may not be run: {wrong}")


def _wrong(model: Any) -> str | None:
    """The first thing that is wrong with a graph."""
    graph = model.graph
    if model.functions:
        return "it defines functions"
    if len(graph.node) > MAX_NODES:
        return f"it has {len(graph.node)} operators, more than {MAX_NODES}"
    if graph.sparse_initializer:
        return "it has sparse constants, which say of themselves how large they are"
    if any(_external(tensor) for tensor in graph.initializer):
        return "it has constants in another file, of which no hash is known"
    # what holds values of a text, as opposed to sizes and constants
    read = {value.name for value in graph.input}
    made = {"", *read, *(tensor.name for tensor in graph.initializer)}
    for node in graph.node:
        wrong = _wrong_node(node)
        if wrong:
            return f"the operator {node.op_type!r} {wrong}"
        if not made.issuperset(node.input):
            return f"{node.op_type!r} reads what no operator before it makes"
        made.update(node.output)
        sizing = [node.input[at] for at in _SIZING.get(node.op_type, ()) if at < len(node.input)]
        if read.intersection(sizing):
            return f"the size of what {node.op_type!r} makes depends on what a text says"
        if node.op_type not in ("Shape", "Size") and read.intersection(node.input):
            read.update(node.output)
    return None


def _wrong_node(node: Any) -> str | None:
    if node.op_type not in _OPERATORS.get(node.domain, ()):
        return "is not among those whose result has a size that follows from sizes"
    for attribute in node.attribute:
        name = attribute.name
        if attribute.HasField("g") or attribute.graphs:
            return f"has a graph of its own ({name})"
        if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
            return f"has a sparse constant ({name})"
        if _external(attribute.t) or any(_external(tensor) for tensor in attribute.tensors):
            return f"has a constant in another file ({name})"
    return None


def _external(tensor: Any) -> bool:
    return bool(tensor.external_data or tensor.data_location)


def _message(wanted: str) -> Any:
    """The class of one of _MESSAGES, in a package of their own: `onnx` itself may be in this process, too."""
    file = descriptor_pb2.FileDescriptorProto(
        name="textloom/graph_check.proto", package="textloom.graph_check", syntax="proto2"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, label, kind in fields:
            added = message.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type = _MESSAGE
                added.type_name = f".{file.package}.{kind}"
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.{wanted}"))


_Model = _message("Model")
