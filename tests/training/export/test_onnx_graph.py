"""Nodes of a graph against PyTorch."""

from pathlib import Path

import numpy as np
import pytest
import torch

from service.tasks.session import Session
from tests.training.networks import CELLS, classifier, randomize
from training.errors import TrainingError
from training.export.onnx_graph import Graph
from training.nn.layers import Cell, RecurrentStack


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_int8_is_refused_for_cells_that_it_is_not_made_for(tmp_path: Path, cell: Cell) -> None:
    with pytest.raises(TrainingError, match=f"int8 is for the cell lstm, not {cell}"):
        classifier(tmp_path, cell, True, "concat", 1, "int8")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [True, False])
def test_a_recurrent_node_has_pytorchs_gates_in_the_order_of_onnx(
    tmp_path: Path, cell: Cell, bidirectional: bool
) -> None:
    stack = RecurrentStack(3, 4, cell=cell, layers=1, bidirectional=bidirectional, merge="concat")
    randomize(stack)
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
