"""Checks a graph: its outputs against PyTorch's, and those of each row alone against the same row in a batch."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.tasks.session import Session
from training.config import Precision
from training.errors import TrainingError

Arrays = Mapping[str, NDArray[Any]]

TOLERANCE = 1e-4
"""Largest difference allowed between a float32 graph and PyTorch; relative for values over 1."""

INT8_TOLERANCE = 0.05
"""Root mean square of an int8 graph's differences from PyTorch, relative to that of PyTorch's values."""


def check_graph(
    session: Session,
    feeds: Arrays,
    expected: Arrays,
    alone: Callable[[int], Arrays],
    rows: int,
    precision: Precision,
) -> float:
    """Checks one batch of a graph; gives its largest difference from PyTorch, relative for values over 1.

    expected: PyTorch's outputs by name. alone: the feeds of one row by itself, padded as it would be alone.
    Raises TrainingError if an output differs by TOLERANCE (INT8_TOLERANCE) or more, or a row alone is not
    bit-identical, which it must be in any precision.
    """
    outputs = dict(zip(session.outputs, session.run(feeds), strict=True))
    worst = 0.0
    for name, wanted in expected.items():
        scale = max(1.0, float(np.abs(wanted).max()))
        differences = outputs[name] - wanted
        difference = float(np.abs(differences).max()) / scale
        worst = max(worst, difference)
        share = float(np.sqrt(np.square(differences).mean() / np.square(wanted).mean()))
        if not (difference < TOLERANCE if precision == "float32" else share < INT8_TOLERANCE):
            raise TrainingError(f"the graph's {name} differs from PyTorch's by {difference:.2e}")
    for row in range(rows):
        single = dict(zip(session.outputs, session.run(alone(row)), strict=True))
        for name in expected:
            own = single[name][0]
            among = outputs[name][row][tuple(slice(size) for size in own.shape)]
            if not np.array_equal(own, among):
                off = float(np.abs(own - among).max())
                raise TrainingError(f"the graph's {name} depends on batch neighbours: by {off:.2e}")
    return worst


def random_word_batch(vocabulary: int, seed: int) -> dict[str, NDArray[Any]]:
    """A ragged batch of random words [batch, time] with its lengths."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 60, rng.integers(2, 20)).astype(np.int32)
    ids = rng.integers(1, vocabulary, (len(lengths), int(lengths.max())))
    ids[np.arange(ids.shape[1])[None] >= lengths[:, None]] = 0
    return {"words": ids, "lengths": lengths}


def single_row(feeds: dict[str, NDArray[Any]], row: int) -> dict[str, NDArray[Any]]:
    """The feeds of one row by itself, without padding."""
    size = int(feeds["lengths"][row])
    return {
        name: array[row : row + 1] if array.ndim == 1 else array[row : row + 1, :size]
        for name, array in feeds.items()
    }
