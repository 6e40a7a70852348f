"""The translator's graphs against PyTorch, and each text alone against the same text in a batch."""

from pathlib import Path

import onnx
import pytest

from tests.training.networks import translator
from training.tasks.translate.graph import check_parity


@pytest.mark.parametrize("layers", [1, 2])
def test_a_translators_graphs_equal_pytorch_and_ignore_neighbours(
    tmp_path: Path, layers: int
) -> None:
    network = translator(tmp_path, layers, "float32")
    differences = check_parity(network, tmp_path, "float32")
    assert differences.keys() == {"encoder.onnx", "decoder.onnx"}
    assert max(differences.values()) < 1e-4


def test_a_translators_int8_graph_is_near_pytorch_and_ignores_neighbours(tmp_path: Path) -> None:
    network = translator(tmp_path, 1, "int8")
    differences = check_parity(network, tmp_path, "int8")
    assert differences["encoder.onnx"] < 1e-4
    assert differences["decoder.onnx"] > 1e-5
    kinds = {node.op_type for node in onnx.load(tmp_path / "decoder.onnx").graph.node}
    assert "GRU" not in kinds  # whose products would be in float32
