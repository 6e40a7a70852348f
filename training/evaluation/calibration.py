"""Calibration: how far confidences are from the share of predictions that are right, and its picture; and the
temperature and offsets that a tagger fits on dev. What a classifier fits is in its own package.
"""

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
class GradedPredictions:
    """The confidence of each prediction, and whether it was right."""

    confidences: list[float]
    right: list[bool]


@dataclass(frozen=True)
class Bin:
    share: float
    """Of all predictions."""
    confidence: float
    accuracy: float


def binned(predictions: GradedPredictions) -> list[Bin]:
    """The predictions in BINS equal ranges of confidence, lowest first; empty ones are left out."""
    sure, hits = np.asarray(predictions.confidences), np.asarray(predictions.right, float)
    places = np.minimum((sure * BINS).astype(int), BINS - 1)
    return [
        Bin(
            share=float((places == place).mean()),
            confidence=float(sure[places == place].mean()),
            accuracy=float(hits[places == place].mean()),
        )
        for place in np.unique(places)
    ]


def expected_error(predictions: GradedPredictions) -> float:
    """Expected calibration error (Guo et al. 2017): |accuracy - confidence| averaged over the bins, each
    weighted by its share.

    >>> expected_error(GradedPredictions([0.9, 0.9], [True, False]))
    0.4
    """
    return round(
        sum(one.share * abs(one.accuracy - one.confidence) for one in binned(predictions)), 4
    )


def best_temperature(loss: Callable[[float], float]) -> float:
    """The divisor of all scores that makes dev likeliest (Guo et al. 2017); `loss` is a function of it.

    Between 1/5 and 5: a network that has learned nothing may have its best one at 0 or infinity.
    """
    widest = math.log(5)
    found = minimize_scalar(
        lambda logarithm: loss(math.exp(logarithm)), bounds=(-widest, widest), method="bounded"
    )
    return math.exp(found.x)


def mean_log_loss(found: Iterable[GradedPredictions]) -> float:
    """Mean log loss of the entities found: how surprising it is which of them are right.

    The loss of whole texts would weigh the words between names more than names.
    """
    losses = [
        -math.log(max(sure if right else 1 - sure, 1e-6))
        for one in found
        for sure, right in zip(one.confidences, one.right, strict=True)
    ]
    return sum(losses) / max(1, len(losses))


def log_odds_offsets(found: Mapping[str, GradedPredictions]) -> dict[str, float]:
    """By label, what to add to the log-odds of its entities so that their mean confidence is the share that is
    right (Platt 1999, with a slope of 1, since the temperature is already fitted).

    One right and one wrong entity at even odds are added to each label, so that a few entities move it little.
    """
    return {label: round(_offset(one), 3) for label, one in found.items()}


def _offset(one: GradedPredictions) -> float:
    log_odds = logit(np.clip([*one.confidences, 0.5, 0.5], 1e-6, 1 - 1e-6))
    right = np.array([*one.right, True, False], float)

    def loss(offset: float) -> float:
        moved = log_odds + offset
        return float((np.logaddexp(0, moved) - right * moved).sum())

    return float(minimize_scalar(loss, bounds=(-5, 5), method="bounded").x)


def draw_reliability(path: Path, tests: Mapping[str, GradedPredictions]) -> None:
    """A reliability diagram with a line for each test set, and below it the distribution of confidences."""
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(5, 5.4), height_ratios=(3, 1), sharex=True, layout="constrained"
    )
    above.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle="--")
    drawn = {name: graded for name, graded in tests.items() if graded.right}
    for name, graded in drawn.items():
        bins = binned(graded)
        line = above.plot(
            [one.confidence for one in bins],
            [one.accuracy for one in bins],
            marker=".",
            label=f"{name}: error {expected_error(graded):.3f}",
        )
        shares = [one.share for one in bins]
        below.plot([one.confidence for one in bins], shares, marker=".", color=line[0].get_color())
    above.set(ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    below.set(xlabel="confidence", ylabel="share of all", ylim=(0, None))
    for axes in (above, below):
        axes.grid(alpha=0.25)
    if drawn:
        above.legend(loc="upper left", fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)
