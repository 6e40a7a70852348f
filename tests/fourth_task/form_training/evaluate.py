"""Scores of the classifier."""

from collections.abc import Sequence

from form.task import Form  # type: ignore[import-not-found]

from service.tasks.base import predict
from training.data import corpora
from training.data.corpora import Labelled
from training.evaluation import report
from training.evaluation.report import EvaluateOptions, Report
from training.evaluation.scores import Values

__all__ = ["EvaluateOptions", "evaluate", "score"]


def score(task: Form, examples: Sequence[Labelled]) -> Values:
    texts = [example.text for example in examples]
    found = [result.label for result in predict(task, texts, task.request(texts))]
    right = sum(one == example.label for one, example in zip(found, examples, strict=True))
    return {"accuracy": right / len(examples)}


def evaluate(task: Form, name: str, options: EvaluateOptions) -> Report:
    examples = report.read_examples(corpora.read_labelled, name, options)
    return Report(examples=len(examples), overall=score(task, examples))
