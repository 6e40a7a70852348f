"""What the check of a graph finds: other weights than PyTorch's, and answers that depend on the batch."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import onnx
import pytest
from onnx import numpy_helper

from service.tasks.session import Session
from tests.training.networks import WORDS, classifier
from training.errors import TrainingError
from training.export.parity import check_graph, random_word_batch, single_row
from training.tasks.sentiment.graph import check_parity


def edited(folder: Path, edit: Callable[[onnx.ModelProto], None]) -> None:
    model = onnx.load(folder / "model.onnx")
    edit(model)
    onnx.save(model, folder / "model.onnx")


def change_a_weight(model: onnx.ModelProto) -> None:
    tensor = next(weight for weight in model.graph.initializer if len(weight.dims) == 3)
    values = numpy_helper.to_array(tensor).copy()
    values[0, 0, 0] += 0.05
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def remove_the_pins(model: onnx.ModelProto) -> None:
    """Makes the pins of inputs and states zero: ranges are then those of the batch again."""
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.shape in ((1, 1, 2), (2, 1, 10)):
            weight.CopyFrom(numpy_helper.from_array(values * 0, weight.name))


def remove_the_lengths(model: onnx.ModelProto) -> None:
    node = next(node for node in model.graph.node if node.op_type == "LSTM")
    node.input[4] = ""


def test_without_pins_an_int8_graph_is_found_to_depend_on_neighbours(tmp_path: Path) -> None:
    network = classifier(tmp_path, "lstm", True, "concat", 1, "int8")
    edited(tmp_path, remove_the_pins)
    with pytest.raises(TrainingError, match="logits depends on batch neighbours"):
        check_parity(network, tmp_path, "int8")


@pytest.mark.parametrize("damage", [change_a_weight, remove_the_lengths])
def test_a_damaged_graph_is_found_to_differ_from_pytorch(
    tmp_path: Path, damage: Callable[[onnx.ModelProto], None]
) -> None:
    network = classifier(tmp_path, "lstm", True, "concat", 1)
    edited(tmp_path, damage)
    with pytest.raises(TrainingError, match="the graph's logits differs from PyTorch's by"):
        check_parity(network, tmp_path, "float32")


def test_a_graph_without_lengths_is_found_to_depend_on_neighbours(tmp_path: Path) -> None:
    classifier(tmp_path, "lstm", True, "concat", 1)
    edited(tmp_path, remove_the_lengths)
    session = Session(tmp_path / "model.onnx")
    feeds = random_word_batch(WORDS.get_vocab_size(), 0)
    own = dict(zip(session.outputs, session.run(feeds), strict=True))
    rows = len(feeds["lengths"])
    with pytest.raises(TrainingError, match="logits depends on batch neighbours: by"):
        check_graph(session, feeds, own, partial(single_row, feeds), rows, "float32")


def test_every_random_batch_of_the_check_is_ragged() -> None:
    for seed in range(8):
        assert len(set(random_word_batch(30, seed)["lengths"].tolist())) > 1
