"""Scores of a classifier by scikit-learn, of the answers of a loaded bundle."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    classification_report,
    confusion_matrix,
    f1_score,
    recall_score,
)

from service.tasks.base import predict
from service.tasks.sentiment.task import Sentiment
from training.data.corpora import Labelled
from training.evaluation import calibration
from training.evaluation.calibration import GradedPredictions
from training.evaluation.scores import ByLabel, Confusion, Values, label_figures

Predicted = list[tuple[str, float]]
"""Of each example the predicted label, and its probability among the labels that the examples have."""


def score(task: Sentiment, examples: Sequence[Labelled]) -> Values:
    """Macro-averaged recall and F1 over the labels that the test set has, accuracy, recall by label.

    Where the set lacks labels that the model knows (a test of two classes), the largest of its own counts.
    """
    return score_predictions(*predict_labels(task, examples))


def score_predictions(gold: list[str], predicted: Predicted) -> Values:
    """The same for predictions that are already made."""
    found = [label for label, _ in predicted]
    values = overall(gold, found)
    for label, figures in by_label(gold, found).items():
        values[f"recall_{label}"] = figures["recall"]
    values["calibration_error"] = calibration.expected_error(graded_predictions(gold, predicted))
    return values


def overall(gold: list[str], found: list[str]) -> Values:
    options: dict[str, Any] = {"labels": sorted(set(gold)), "average": "macro", "zero_division": 0}
    return {
        "macro_recall": round(float(recall_score(gold, found, **options)), 4),
        "macro_f1": round(float(f1_score(gold, found, **options)), 4),
        "accuracy": round(float(accuracy_score(gold, found)), 4),
    }


def by_label(gold: list[str], found: list[str]) -> ByLabel:
    """For each label of the test set."""
    labels = sorted(set(gold))
    report = classification_report(gold, found, labels=labels, output_dict=True, zero_division=0)
    return {label: label_figures(report[label]) for label in labels}


def macro_recall(gold: NDArray[Any], found: NDArray[Any]) -> float:
    """Mean over the gold labels of the share of each that was found."""
    return float(
        recall_score(gold, found, labels=sorted(set(gold)), average="macro", zero_division=0)
    )


def predict_labels(task: Sentiment, examples: Sequence[Labelled]) -> tuple[list[str], Predicted]:
    """Gold labels, and what the bundle predicts."""
    texts = [example.text for example in examples]
    gold = [example.label for example in examples]
    labels = set(gold)
    predicted = []
    for result in predict(task, texts, task.request(texts)):
        own = {label: chance for label, chance in result.scores.items() if label in labels}
        chance, label = max((chance, label) for label, chance in own.items())
        predicted.append((label, chance / max(sum(own.values()), 1e-9)))
    return gold, predicted


def graded_predictions(gold: list[str], predicted: Predicted) -> GradedPredictions:
    """The probability of each predicted label, and whether it is the gold one."""
    return GradedPredictions(
        [sure for _, sure in predicted],
        [label == wanted for (label, _), wanted in zip(predicted, gold, strict=True)],
    )


def confusion(task: Sentiment, examples: Sequence[Labelled]) -> Confusion:
    gold, predicted = predict_labels(task, examples)
    found = [label for label, _ in predicted]
    labels = task.bundle.manifest.labels
    return Confusion(labels, confusion_matrix(gold, found, labels=labels))
