"""The classifier's graph against PyTorch, and each text alone against the same text in a batch."""

from pathlib import Path

import pytest

from tests.training.networks import ARCHITECTURES, MERGES, classifier
from training.nn.layers import Cell, Merge
from training.tasks.sentiment.graph import check_parity


@pytest.mark.parametrize(("cell", "directions", "layers"), ARCHITECTURES)
def test_a_classifiers_graph_equals_pytorch_and_ignores_neighbours(
    tmp_path: Path, cell: Cell, directions: tuple[bool, Merge], layers: int
) -> None:
    network = classifier(tmp_path, cell, *directions, layers)
    assert check_parity(network, tmp_path, "float32")["model.onnx"] < 1e-4


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("directions", MERGES)
def test_an_int8_graph_is_near_pytorch_and_ignores_neighbours(
    tmp_path: Path, directions: tuple[bool, Merge], layers: int
) -> None:
    network = classifier(tmp_path, "lstm", *directions, layers, "int8")
    assert check_parity(network, tmp_path, "int8")["model.onnx"] > 1e-5
