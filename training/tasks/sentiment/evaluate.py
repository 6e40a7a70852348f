"""A classifier's scores on a file, for `training evaluate`."""

from service.tasks.base import predict
from service.tasks.sentiment.task import Sentiment
from training.data import corpora
from training.data.corpora import Labelled
from training.evaluation import calibration, report, sentence_agreement
from training.evaluation.report import Report
from training.tasks.sentiment import scores


class EvaluateOptions(report.EvaluateOptions):
    sentences: bool = False
    """Also labels each sentence, and says how far they agree with the whole."""


def evaluate(task: Sentiment, name: str, options: EvaluateOptions) -> Report:
    examples: list[Labelled] = report.read_examples(corpora.read_labelled, name, options)
    report.check_labels(task, name, {example.label for example in examples})
    gold, predicted = scores.predict_labels(task, examples)
    found = [label for label, _ in predicted]
    overall = scores.overall(gold, found)
    graded = scores.graded_predictions(gold, predicted)
    overall["calibration_error"] = calibration.expected_error(graded)
    if options.sentences:
        texts = [example.text for example in examples]
        overall |= sentence_agreement.agreement(
            predict(task, texts, task.request(texts, sentences=True))
        )
    return Report(examples=len(examples), overall=overall, by_label=scores.by_label(gold, found))
