"""Whether confidence means something: predictions in bins of like confidence, the error, and the picture; and what
is fitted on dev to make it so for a tagger. A classifier fits all of its own at once (sentiment.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot as plt
from scipy.optimize import minimize_scalar
from scipy.special import logit

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


def temperature(loss: Callable[[float], float]) -> float:
    """The divisor of all scores that makes dev likeliest (Guo et al. 2017); `loss` is of that divisor.

    Between 1/5 and 5: a network that has learnt nothing may have its best one at 0 or infinity.
    """
    widest = math.log(5)
    found = minimize_scalar(
        lambda logarithm: loss(math.exp(logarithm)), bounds=(-widest, widest), method="bounded"
    )
    return math.exp(found.x)


def doubt(found: Iterable[Judged]) -> float:
    """How surprising it is which of the entities found are right (mean log loss).

    The loss of whole texts would ask more about the words between names than about names.
    """
    losses = [
        -math.log(max(sure if right else 1 - sure, 1e-6))
        for one in found
        for sure, right in zip(one.confidences, one.right, strict=True)
    ]
    return sum(losses) / max(1, len(losses))


def offsets(found: Mapping[str, Judged]) -> dict[str, float]:
    """By label, what to add to the log-odds of its entities so that together they are as sure as they are right
    (Platt 1999, with a slope of 1, which the temperature is there for).

    Counted in are one more that is right and one that is wrong, both at even odds: a few entities move it little.
    """
    return {label: round(_offset(one), 3) for label, one in found.items()}


def _offset(one: Judged) -> float:
    log_odds = logit(np.clip([*one.confidences, 0.5, 0.5], 1e-6, 1 - 1e-6))
    right = np.array([*one.right, True, False], float)

    def loss(offset: float) -> float:
        moved = log_odds + offset
        return float((np.logaddexp(0, moved) - right * moved).sum())

    return float(minimize_scalar(loss, bounds=(-5, 5), method="bounded").x)


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
