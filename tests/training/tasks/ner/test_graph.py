"""The tagger's graphs against PyTorch, and each text alone against the same text in a batch."""

from pathlib import Path

import numpy as np
import pytest

from service.tasks.session import Session
from tests.training.networks import ARCHITECTURES, MERGES, WORDS, tagger
from training.export.parity import random_word_batch
from training.nn.layers import Cell, Merge
from training.tasks.ner.graph import check_parity


@pytest.mark.parametrize(("cell", "directions", "layers"), ARCHITECTURES)
def test_a_taggers_graph_equals_pytorch_and_ignores_neighbours(
    tmp_path: Path, cell: Cell, directions: tuple[bool, Merge], layers: int
) -> None:
    network = tagger(tmp_path, cell, *directions, layers)
    assert max(check_parity(network, tmp_path, "float32").values()) < 1e-4


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("directions", MERGES)
def test_an_int8_graph_is_near_pytorch_and_ignores_neighbours(
    tmp_path: Path, directions: tuple[bool, Merge], layers: int
) -> None:
    network = tagger(tmp_path, "lstm", *directions, layers, "int8")
    assert check_parity(network, tmp_path, "int8")["model.onnx"] > 1e-5


def test_the_taggers_graph_carries_the_crf_at_its_temperature(tmp_path: Path) -> None:
    network = tagger(tmp_path, "lstm", True, "concat", 1)
    session = Session(tmp_path / "model.onnx")
    feeds = random_word_batch(WORDS.get_vocab_size(), 0)
    filters = network.char_cnn.second.out_channels
    feeds["spelled"] = np.zeros((*feeds["words"].shape, filters), np.float32)
    values = session.run(feeds, ["transitions", "start", "end"])
    for value, potential in zip(values, network.crf.potentials(), strict=True):
        np.testing.assert_allclose(value, potential.detach().numpy() / 1.3, rtol=1e-6)
