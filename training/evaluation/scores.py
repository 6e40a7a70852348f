"""What scores look like in any task; each task computes its own (`training/tasks/<task>/scores.py`)."""

from dataclasses import dataclass

from numpy.typing import NDArray

Values = dict[str, float | str]
"""Metric -> value, or the signature of another metric."""
Scores = dict[str, Values]
"""Test set -> its values."""
ByLabel = dict[str, dict[str, float]]
"""Label -> precision, recall, f1, support."""


@dataclass(frozen=True)
class Confusion:
    """Counts of gold labels (rows) against predictions (columns)."""

    labels: list[str]
    counts: NDArray


def label_figures(row: dict[str, float]) -> dict[str, float]:
    """A row of a classification report, of seqeval or scikit-learn, as `ByLabel` has it."""
    return {
        "precision": round(float(row["precision"]), 4),
        "recall": round(float(row["recall"]), 4),
        "f1": round(float(row["f1-score"]), 4),
        "support": int(row["support"]),
    }
