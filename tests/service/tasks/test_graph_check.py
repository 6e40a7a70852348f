"""A graph that could take all memory is refused: for what it is made of, or for what it asks for when tried."""

import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from service import tasks
from service.errors import BundleError
from service.registry import bundle
from service.tasks import graph_check, memory

from .. import tiny

HUGE = np.array([2**36])
"""Elements: 256 GB of numbers."""


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.sentiment(tmp_path_factory.mktemp("models")).path


@pytest.fixture
def changed(classifier: Path, tmp_path: Path) -> Callable[..., Path]:
    """A classifier's bundle with a changed graph, whose hash and size the manifest knows."""

    def make(change: Callable[[onnx.ModelProto], object]) -> Path:
        copied = Path(shutil.copytree(classifier, tmp_path / "sentiment" / "1"))
        model = onnx.load(copied / "model.onnx")
        change(model)
        (copied / "model.onnx").write_bytes(model.SerializeToString())
        bundle.seal(copied, bundle.read_manifest(copied))
        return copied

    return make


def add(*nodes: onnx.NodeProto, **constants: object) -> Callable[[onnx.ModelProto], None]:
    """Puts nodes before the others, and the tensor `bomb` that they make, as nothing, into the answer."""

    def change(model: onnx.ModelProto) -> None:
        graph = model.graph
        others = list(graph.node)
        others[-1].output[0] = "before"
        del graph.node[:]
        graph.node.extend([*nodes, *others])
        graph.node.append(helper.make_node("ReduceMax", ["bomb"], ["most"], keepdims=0))
        graph.node.append(helper.make_node("Sub", ["most", "most"], ["nothing"]))
        graph.node.append(helper.make_node("Add", ["before", "nothing"], ["logits"]))
        graph.initializer.extend(
            numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
        )

    return change


def doubled(first: str) -> list[onnx.NodeProto]:
    """Each node makes twice as much as the one before, from sizes that look harmless."""
    names = [first, *(f"twice{number}" for number in range(35)), "bomb"]
    return [
        helper.make_node("Concat", [each, each], [following], axis=0)
        for each, following in pairwise(names)
    ]


def one() -> np.ndarray:
    return np.ones(1, np.float32)


BOMBS = {
    "ConstantOfShape": add(helper.make_node("ConstantOfShape", ["huge"], ["bomb"]), huge=HUGE),
    "Expand": add(helper.make_node("Expand", ["one", "huge"], ["bomb"]), one=one(), huge=HUGE),
    "Tile": add(helper.make_node("Tile", ["one", "times"], ["bomb"]), one=one(), times=HUGE // 128),
    "Range": add(
        helper.make_node("Range", ["none", "huge", "step"], ["bomb"]),
        none=np.float32(0), huge=np.float32(2**36), step=np.float32(1),
    ),
    "constants doubled": add(*doubled("one"), one=one()),
    "words doubled": add(
        helper.make_node("Cast", ["words"], ["numbers"], to=TensorProto.FLOAT), *doubled("numbers")
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_refused_when_it_goes_off(changed: Callable[..., Path], kind: str) -> None:
    path = changed(BOMBS[kind])
    with pytest.raises(BundleError, match=r"it needs more than \d+ MB of memory") as caught:
        tasks.load(path)
    assert str(path) in caught.value.detail


def empty_graph() -> onnx.GraphProto:
    inputs = [
        helper.make_tensor_value_info(name, kind, [])
        for name, kind in {"number": TensorProto.INT64, "go_on": TensorProto.BOOL}.items()
    ]
    output = helper.make_tensor_value_info("still", TensorProto.BOOL, [])
    nodes = [helper.make_node("Identity", ["go_on"], ["still"])]
    return helper.make_graph(nodes, "body", inputs, [output])


def external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../secret")


def sparse(model: onnx.ModelProto) -> None:
    values = numpy_helper.from_array(one(), "sparse")
    indices = numpy_helper.from_array(np.array([5]), "indices")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [2**36]))


def functions(model: onnx.ModelProto) -> None:
    node = helper.make_node("Identity", ["a"], ["b"])
    opset = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("mine", "F", ["a"], ["b"], [node], opset))


def backwards(model: onnx.ModelProto) -> None:
    nodes = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


FORBIDDEN = {
    "a loop": (
        add(helper.make_node("Loop", ["huge", ""], [], body=empty_graph()), huge=HUGE),
        "the operator 'Loop' is not among those",
    ),
    "a graph in another operator": (
        add(helper.make_node("Identity", ["words"], ["bomb"], body=empty_graph())),
        r"the operator 'Identity' has a graph of its own \(body\)",
    ),
    "a size that a text says": (
        add(
            helper.make_node("ReduceMax", ["words"], ["most_"], keepdims=0),
            helper.make_node("Range", ["zero", "most_", "step"], ["bomb"]),
            zero=np.int64(0), step=np.int64(1),
        ),
        "the size of what 'Range' makes depends on what a text says",
    ),
    "a size that depends on what is no zero": (
        add(helper.make_node("NonZero", ["words"], ["bomb"])),
        "the operator 'NonZero' is not among those",
    ),
    "an operator of somebody": (
        add(helper.make_node("Expand", ["words"], ["bomb"], domain="somebody")),
        "the operator 'Expand' is not among those",
    ),
    "a constant in another file": (external, "it has constants in another file"),
    "a sparse constant": (sparse, "it has sparse constants"),
    "functions": (functions, "it defines functions"),
    "another order": (backwards, "'ReduceSum' reads what no operator before it makes"),
    "many operators": (
        lambda model: model.graph.node.extend([helper.make_node("Identity", ["words"], [])] * 10_000),
        r"it has \d+ operators, more than 10000",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_a_graph_that_is_not_bounded_by_what_it_reads_is_refused(
    changed: Callable[..., Path], kind: str
) -> None:
    change, message = FORBIDDEN[kind]
    with pytest.raises(BundleError, match=f"model.onnx: this graph may not be run: {message}"):
        tasks.load(changed(change))


def test_all_of_onnx_that_is_allowed_is_there() -> None:
    known = {schema.name for schema in onnx.defs.get_all_schemas()}
    assert known >= graph_check._ALLOWED
    assert graph_check._SIZING.keys() <= graph_check._ALLOWED


def test_the_limit_is_what_a_container_has_left(tmp_path: Path) -> None:
    with memory.limited(tmp_path) as most:
        assert most == memory.MOST_BYTES
    (tmp_path / "memory.max").write_text("max\n")
    with memory.limited(tmp_path) as most:
        assert most == memory.MOST_BYTES
    (tmp_path / "memory.max").write_text(f"{512 * 2**20}\n")
    (tmp_path / "memory.stat").write_text(f"anon {384 * 2**20}\nfile 5\n")
    with memory.limited(tmp_path) as most:
        assert most == 128 * 2**20
        with pytest.raises(MemoryError):
            bytearray(200 * 2**20)
    assert len(bytearray(200 * 2**20)) == 200 * 2**20
