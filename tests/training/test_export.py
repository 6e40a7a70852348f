"""Graphs against PyTorch, and each text alone against the same text among others, for every architecture."""

import shutil
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from service.session import Session
from training import (
    export,
    ner,
    ner_graph,
    sentiment,
    translate,
    translate_graph,
    translate_weights,
    words,
)
from training.config import Precision
from training.data.tokenization import word_tokenizer
from training.errors import TrainingError
from training.graph import Graph, round_to_eight_bits, round_to_half
from training.nn.layers import Cell, Merge, RecurrentStack

TAGS = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
WORDS = word_tokenizer([f"w{number}" for number in range(30)])
MERGES: list[tuple[bool, Merge]] = [
    (True, "concat"),
    (True, "sum"),
    (True, "mean"),
    (True, "max"),
    (False, "concat"),
]
CELLS: list[Cell] = ["rnn", "lstm", "gru"]
ARCHITECTURES = list(product(CELLS, MERGES, [1, 2]))


def at_random(network: nn.Module) -> None:
    """Every weight, bias and transition different, so that no two may be taken for one another."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.25)
    round_to_half(network.eval())


def tagger(
    folder: Path,
    cell: Cell,
    bidirectional: bool,
    merge: Merge,
    layers: int,
    precision: Precision = "float32",
) -> ner.Network:
    options = ner.Architecture(
        cell=cell,
        bidirectional=bidirectional,
        merge=merge,
        layers=layers,
        hidden=8,
        embedding=6,
        character_embedding=4,
        character_filters=5,
        word_characters=7,
    )
    network = ner.Network(options, WORDS.get_vocab_size(), 12, TAGS, seen=3)
    at_random(network)
    network.settle()
    round_to_eight_bits(network.embedding)
    network.temperature.fill_(1.3)
    ner_graph.write_graph(network, WORDS, folder, precision)
    return network


def classifier(
    folder: Path,
    cell: Cell,
    bidirectional: bool,
    merge: Merge,
    layers: int,
    precision: Precision = "float32",
) -> sentiment.Network:
    options = sentiment.Architecture(
        cell=cell,
        bidirectional=bidirectional,
        merge=merge,
        layers=layers,
        hidden=8,
        embedding=6,
        pairs=50 if layers == 1 else 0,
    )
    network = sentiment.Network(options, WORDS.get_vocab_size(), 3)
    at_random(network)
    if network.pairs:
        network.pairs.weight.data[0] = 0.0  # that of padding
    network.temperature.fill_(1.3)
    network.growth.fill_(0.2)
    network.prior.copy_(torch.tensor([0.5, -1.0, 0.5]))
    sentiment.write_graph(network, WORDS, folder, precision)
    return network


def translator(folder: Path, layers: int, precision: Precision) -> translate.Network:
    options = translate.Architecture(embedding=6, hidden=8, decoder=10, layers=layers)
    network = translate.Network(options, WORDS.get_vocab_size())
    at_random(network)
    translate_graph.write_graphs(network, WORDS, folder, precision)
    return network


@pytest.mark.parametrize(("cell", "directions", "layers"), ARCHITECTURES)
def test_a_taggers_graph_equals_pytorch_and_ignores_neighbours(
    tmp_path: Path, cell: Cell, directions: tuple[bool, Merge], layers: int
) -> None:
    network = tagger(tmp_path, cell, *directions, layers)
    assert max(ner_graph.check_parity(network, tmp_path, "float32").values()) < 1e-4


@pytest.mark.parametrize(("cell", "directions", "layers"), ARCHITECTURES)
def test_a_classifiers_graph_equals_pytorch_and_ignores_neighbours(
    tmp_path: Path, cell: Cell, directions: tuple[bool, Merge], layers: int
) -> None:
    network = classifier(tmp_path, cell, *directions, layers)
    assert sentiment.check_parity(network, tmp_path, "float32")["model.onnx"] < 1e-4


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("directions", MERGES)
def test_int8_graphs_are_near_pytorch_and_ignore_neighbours(
    tmp_path: Path, directions: tuple[bool, Merge], layers: int
) -> None:
    named = tagger(tmp_path, "lstm", *directions, layers, "int8")
    assert ner_graph.check_parity(named, tmp_path, "int8")["model.onnx"] > 1e-5
    judged = classifier(tmp_path, "lstm", *directions, layers, "int8")
    assert sentiment.check_parity(judged, tmp_path, "int8")["model.onnx"] > 1e-5


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_int8_is_refused_for_cells_that_it_is_not_made_for(tmp_path: Path, cell: Cell) -> None:
    with pytest.raises(TrainingError, match=f"int8 is for the cell lstm, not {cell}"):
        classifier(tmp_path, cell, True, "concat", 1, "int8")


def test_without_pins_an_int8_graph_is_found_to_depend_on_neighbours(tmp_path: Path) -> None:
    network = classifier(tmp_path, "lstm", True, "concat", 1, "int8")
    edited(tmp_path, let_the_pins_go)
    with pytest.raises(TrainingError, match="logits depends on batch neighbours"):
        sentiment.check_parity(network, tmp_path, "int8")


@pytest.mark.parametrize("layers", [1, 2])
def test_a_translators_graphs_equal_pytorch_and_ignore_neighbours(
    tmp_path: Path, layers: int
) -> None:
    network = translator(tmp_path, layers, "float32")
    differences = translate_graph.check_parity(network, tmp_path, "float32")
    assert differences.keys() == {"encoder.onnx", "decoder.onnx"}
    assert max(differences.values()) < 1e-4


def test_a_translators_int8_graph_is_near_pytorch_and_ignores_neighbours(tmp_path: Path) -> None:
    network = translator(tmp_path, 1, "int8")
    differences = translate_graph.check_parity(network, tmp_path, "int8")
    assert differences["encoder.onnx"] < 1e-4
    assert differences["decoder.onnx"] > 1e-5
    kinds = {node.op_type for node in onnx.load(tmp_path / "decoder.onnx").graph.node}
    assert "GRU" not in kinds  # whose products would be in float32


@pytest.mark.parametrize("layers", [1, 2])
def test_a_translators_weights_are_read_back_from_its_graphs(tmp_path: Path, layers: int) -> None:
    network = translator(tmp_path, layers, "float32")
    read = translate_weights.read_weights(tmp_path)
    wanted = network.state_dict()
    assert read.keys() == wanted.keys()
    for name, weights in wanted.items():
        assert torch.equal(read[name], weights), name


def test_weights_read_back_from_int8_are_those_that_the_graph_computes_with(tmp_path: Path) -> None:
    network = translator(tmp_path, 1, "int8")
    network.load_state_dict(translate_weights.read_weights(tmp_path))
    again = tmp_path / "again"
    again.mkdir()
    translate_graph.write_graphs(network, WORDS, again, "int8")
    for name in ("encoder.onnx", "decoder.onnx"):
        held = [
            [numpy_helper.to_array(each) for each in onnx.load(folder / name).graph.initializer]
            for folder in (tmp_path, again)
        ]
        for one, other in zip(*held, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6)


def test_graphs_that_are_no_translators_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="not the graphs of a translator"):
        translate_weights.read_weights(tmp_path)
    tagger(tmp_path, "lstm", True, "concat", 1)
    for name in ("encoder.onnx", "decoder.onnx"):
        shutil.copy(tmp_path / "model.onnx", tmp_path / name)
    with pytest.raises(TrainingError, match="not the graphs of a translator"):
        translate_weights.read_weights(tmp_path)


def test_the_taggers_graph_carries_the_crf_at_its_temperature(tmp_path: Path) -> None:
    network = tagger(tmp_path, "lstm", True, "concat", 1)
    session = Session(tmp_path / "model.onnx")
    feeds = words.random_feeds(WORDS.get_vocab_size(), 0)
    filters = network.char_cnn.second.out_channels
    feeds["spelled"] = np.zeros((*feeds["words"].shape, filters), np.float32)
    values = session.run(feeds, ["transitions", "start", "end"])
    for value, potential in zip(values, network.crf.potentials(), strict=True):
        np.testing.assert_allclose(value, potential.detach().numpy() / 1.3, rtol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [True, False])
def test_a_recurrent_node_has_pytorchs_gates_in_the_order_of_onnx(
    tmp_path: Path, cell: Cell, bidirectional: bool
) -> None:
    stack = RecurrentStack(3, 4, cell=cell, layers=1, bidirectional=bidirectional, merge="concat")
    at_random(stack)
    graph = Graph()
    x = graph.input("x", "float", ["time", "batch", 3])
    lengths = graph.input("lengths", "int32", ["batch"])
    y, _ = graph.recurrent(x, lengths, stack, np.inf)
    graph.output(y, "y", "float", ["time", "batch", stack.outputs])
    graph.save(tmp_path / "node.onnx")
    inputs = torch.randn(2, 5, 3)
    with torch.no_grad():
        ahead = stack.forwards[0](inputs)[0]
        behind = [layer(inputs.flip(1))[0].flip(1) for layer in stack.backwards]
        wanted = torch.cat([ahead, *behind], -1)
    (given,) = Session(tmp_path / "node.onnx").run(
        {"x": inputs.transpose(0, 1).contiguous().numpy(), "lengths": np.array([5, 5], np.int32)}
    )
    np.testing.assert_allclose(given.swapaxes(0, 1), wanted.numpy(), atol=1e-6)


def edited(folder: Path, edit: Callable[[onnx.ModelProto], None]) -> None:
    model = onnx.load(folder / "model.onnx")
    edit(model)
    onnx.save(model, folder / "model.onnx")


def change_a_weight(model: onnx.ModelProto) -> None:
    tensor = next(weight for weight in model.graph.initializer if len(weight.dims) == 3)
    values = numpy_helper.to_array(tensor).copy()
    values[0, 0, 0] += 0.05
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def let_the_pins_go(model: onnx.ModelProto) -> None:
    """Makes the pins of inputs and states zero: ranges are then those of the batch again."""
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.shape in ((1, 1, 2), (2, 1, 10)):
            weight.CopyFrom(numpy_helper.from_array(values * 0, weight.name))


def forget_the_lengths(model: onnx.ModelProto) -> None:
    node = next(node for node in model.graph.node if node.op_type == "LSTM")
    node.input[4] = ""


@pytest.mark.parametrize("damage", [change_a_weight, forget_the_lengths])
def test_a_damaged_graph_is_found_to_differ_from_pytorch(
    tmp_path: Path, damage: Callable[[onnx.ModelProto], None]
) -> None:
    network = classifier(tmp_path, "lstm", True, "concat", 1)
    edited(tmp_path, damage)
    with pytest.raises(TrainingError, match="the graph's logits differs from PyTorch's by"):
        sentiment.check_parity(network, tmp_path, "float32")


def test_a_graph_without_lengths_is_found_to_depend_on_neighbours(tmp_path: Path) -> None:
    classifier(tmp_path, "lstm", True, "concat", 1)
    edited(tmp_path, forget_the_lengths)
    session = Session(tmp_path / "model.onnx")
    feeds = words.random_feeds(WORDS.get_vocab_size(), 0)
    own = dict(zip(session.outputs, session.run(feeds), strict=True))
    rows = len(feeds["lengths"])
    with pytest.raises(TrainingError, match="logits depends on batch neighbours: by"):
        export.check_graph(session, feeds, own, partial(words.alone, feeds), rows, "float32")


def test_every_random_batch_of_the_check_is_ragged() -> None:
    for seed in range(8):
        assert len(set(words.random_feeds(30, seed)["lengths"].tolist())) > 1
