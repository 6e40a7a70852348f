"""The weights of a translator, read back from its graphs."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from tests.training.networks import WORDS, tagger, translator
from training.errors import TrainingError
from training.tasks.translate.graph import write_graphs
from training.tasks.translate.weights import read_weights


@pytest.mark.parametrize("layers", [1, 2])
def test_a_translators_weights_are_read_back_from_its_graphs(tmp_path: Path, layers: int) -> None:
    network = translator(tmp_path, layers, "float32")
    read = read_weights(tmp_path)
    wanted = network.state_dict()
    assert read.keys() == wanted.keys()
    for name, weights in wanted.items():
        assert torch.equal(read[name], weights), name


def test_weights_read_back_from_int8_are_those_that_the_graph_computes_with(tmp_path: Path) -> None:
    network = translator(tmp_path, 1, "int8")
    network.load_state_dict(read_weights(tmp_path))
    again = tmp_path / "again"
    again.mkdir()
    write_graphs(network, WORDS, again, "int8")
    for name in ("encoder.onnx", "decoder.onnx"):
        held = [
            [numpy_helper.to_array(each) for each in onnx.load(folder / name).graph.initializer]
            for folder in (tmp_path, again)
        ]
        for one, other in zip(*held, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6)


def test_graphs_that_are_no_translators_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="not the graphs of a translator"):
        read_weights(tmp_path)
    tagger(tmp_path, "lstm", True, "concat", 1)
    for name in ("encoder.onnx", "decoder.onnx"):
        shutil.copy(tmp_path / "model.onnx", tmp_path / name)
    with pytest.raises(TrainingError, match="not the graphs of a translator"):
        read_weights(tmp_path)
