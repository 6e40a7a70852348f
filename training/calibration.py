"""Whether confidence means something: predictions in bins of like confidence, the error, and the picture.

The temperature that makes it so is fitted in words.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot as plt

BINS = 15


@dataclass(frozen=True)
class Judged:
    """How sure each prediction was, and whether it was right."""

    confidences: list[float]
    right: list[bool]


@dataclass(frozen=True)
class Bin:
    share: float
    """Of all predictions."""
    confidence: float
    accuracy: float


def binned(judged: Judged) -> list[Bin]:
    """The predictions in BINS equal ranges of confidence, lowest first; empty ones are left out."""
    sure, hits = np.asarray(judged.confidences), np.asarray(judged.right, float)
    places = np.minimum((sure * BINS).astype(int), BINS - 1)
    return [
        Bin(
            share=float((places == place).mean()),
            confidence=float(sure[places == place].mean()),
            accuracy=float(hits[places == place].mean()),
        )
        for place in np.unique(places)
    ]


def error(judged: Judged) -> float:
    """Expected calibration error (Guo et al. 2017): |accuracy - confidence| averaged over the bins, each
    weighted by its share.

    >>> error(Judged([0.9, 0.9], [True, False]))
    0.4
    """
    return round(sum(one.share * abs(one.accuracy - one.confidence) for one in binned(judged)), 4)


def draw(path: Path, tests: Mapping[str, Judged]) -> None:
    """A reliability diagram with a line for each test set, and below how the confidences are spread."""
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(5, 5.4), height_ratios=(3, 1), sharex=True, layout="constrained"
    )
    above.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle="--")
    predicted = {name: judged for name, judged in tests.items() if judged.right}
    for name, judged in predicted.items():
        bins = binned(judged)
        line = above.plot(
            [one.confidence for one in bins],
            [one.accuracy for one in bins],
            marker=".",
            label=f"{name}: error {error(judged):.3f}",
        )
        shares = [one.share for one in bins]
        below.plot([one.confidence for one in bins], shares, marker=".", color=line[0].get_color())
    above.set(ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    below.set(xlabel="confidence", ylabel="share of all", ylim=(0, None))
    for axes in (above, below):
        axes.grid(alpha=0.25)
    if predicted:
        above.legend(loc="upper left", fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)
