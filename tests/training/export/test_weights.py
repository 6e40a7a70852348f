"""Rounded weights are those that a graph computes with."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from service.tasks.session import Session
from training.export.onnx_graph import Graph
from training.export.weights import round_to_eight_bits


def test_a_table_in_eight_bits_gives_the_rows_that_it_was_rounded_to(tmp_path: Path) -> None:
    torch.manual_seed(0)
    table = nn.Embedding(50, 12)
    before = table.weight.detach().clone()
    table.weight.data[3] = 0.0
    before[3] = 0.0
    round_to_eight_bits(table)
    largest = before.abs().amax(1, keepdim=True)
    assert bool(((table.weight - before).abs() <= largest / 127 * 0.51 + 1e-6).all())
    graph = Graph()
    ids = graph.input("ids", "int64", ["batch", "time"])
    graph.output(graph.quantized_embedding(ids, table), "rows", "float", ["batch", "time", 12])
    graph.save(tmp_path / "rows.onnx")
    assert (tmp_path / "rows.onnx").stat().st_size < 50 * 12 * 2
    asked = np.arange(50).reshape(5, 10)
    (rows,) = Session(tmp_path / "rows.onnx").run({"ids": asked})
    np.testing.assert_array_equal(rows, table(torch.from_numpy(asked)).detach().numpy())
