"""Pairs of neighbouring words in the classifier's network."""

import torch

from training.tasks.sentiment.network import pair_rows


def test_pairs_are_of_neighbours_and_padding_adds_none() -> None:
    ids = torch.tensor([[5, 7, 9], [5, 7, 0]])
    rows = pair_rows(ids, 1_000_003)
    assert rows[0, 0] == rows[1, 0]
    assert rows[0, 1] != rows[1, 1]
    assert pair_rows(ids[1:, :2], 1_000_003).tolist() == rows[1:, :2].tolist()
