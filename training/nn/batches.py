"""Examples to length-bucketed batches: which examples share a step, and how lists of ids are padded."""

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor


class BatchLoss(NamedTuple):
    mean: Tensor
    weight: int
    """Of what `mean` is the mean: predicted tokens, or texts."""
    tokens: int
    """That the network read."""


def bucketed(lengths: Sequence[int], *, tokens: int, seed: int, epoch: int) -> list[list[int]]:
    """Batches of example indices with at most `tokens` padded tokens each, in random order.

    Examples are shuffled, sorted by length inside large chunks and cut into batches, so that a batch holds
    like lengths and yet differs from epoch to epoch. The same seed and epoch give the same batches.
    """
    rng = random.Random(f"{seed} {epoch}")
    order = list(range(len(lengths)))
    rng.shuffle(order)
    chunk = 100 * max(1, tokens // max(1, sum(lengths) // max(1, len(lengths))))
    batches: list[list[int]] = []
    for start in range(0, len(order), chunk):
        batch: list[int] = []
        for index in sorted(order[start : start + chunk], key=lambda i: lengths[i]):
            if batch and (len(batch) + 1) * lengths[index] > tokens:
                batches.append(batch)
                batch = []
            batch.append(index)
        if batch:
            batches.append(batch)
    rng.shuffle(batches)
    return batches


def pad(rows: Sequence[Sequence[int] | NDArray[Any]], *, value: int = 0) -> tuple[Tensor, Tensor]:
    """Lists of ids as (ids [rows, longest] int64, lengths [rows] int64)."""
    lengths = torch.tensor([len(row) for row in rows])
    ids = torch.full((len(rows), int(lengths.max())), value)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = torch.as_tensor(row)
    return ids, lengths


def mask(lengths: Tensor, longest: int) -> Tensor:
    """True where a position holds a token: [rows, longest] bool."""
    return torch.arange(longest, device=lengths.device)[None, :] < lengths[:, None]
