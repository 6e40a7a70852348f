"""The weights of a tagger, read back from its graphs."""

import shutil
from pathlib import Path

import pytest
import torch

from tests.training.networks import tagger, translator
from training.config import Precision
from training.errors import TrainingError
from training.nn.layers import Cell
from training.tasks.ner.weights import read_weights


@pytest.mark.parametrize(
    ("cell", "layers", "both", "precision"),
    [
        ("lstm", 2, True, "float32"),
        ("gru", 1, False, "float32"),
        ("rnn", 1, True, "float32"),
        ("lstm", 1, True, "int8"),
        ("lstm", 2, False, "int8"),
    ],
)
def test_a_taggers_weights_are_read_back_from_its_graphs(
    tmp_path: Path, cell: Cell, layers: int, both: bool, precision: Precision
) -> None:
    network = tagger(tmp_path, cell, both, "concat", layers, precision)
    read = read_weights(tmp_path)
    wanted = network.state_dict()
    temperature = wanted.pop("temperature")
    assert {name for name in wanted if "forbidden" not in name} == read.keys()
    for name, weights in read.items():
        near = 0.015 if precision == "int8" and "stack" in name else 1e-6
        scale = temperature if name.startswith(("output", "crf")) else 1
        torch.testing.assert_close(weights * scale, allowed(name, wanted), atol=near, rtol=1e-5)


def allowed(name: str, weights: dict[str, torch.Tensor]) -> torch.Tensor:
    """What IOB2 forbids is not read back."""
    forbidden = {"crf.transitions": "crf.forbidden", "crf.start": "crf.forbidden_start"}
    if name not in forbidden:
        return weights[name]
    return weights[name].masked_fill(weights[forbidden[name]] < 0, 0)


def test_graphs_that_are_no_taggers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="not the graphs of a tagger"):
        read_weights(tmp_path)
    translator(tmp_path, 1, "float32")
    for name in ("letters.onnx", "model.onnx"):
        shutil.copy(tmp_path / "encoder.onnx", tmp_path / name)
    with pytest.raises(TrainingError, match="not the graphs of a tagger"):
        read_weights(tmp_path)
