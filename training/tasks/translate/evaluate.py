"""A translator's scores on a file, for `training evaluate`."""

import time

from service.tasks.base import predict
from service.tasks.translate.task import Translate
from training.data import corpora
from training.evaluation import report
from training.evaluation.report import Report
from training.tasks.translate import scores


class EvaluateOptions(report.EvaluateOptions):
    reverse: bool | None = None
    """The files hold the target in the first column; None: as those that the bundle was trained on."""


def evaluate(task: Translate, name: str, options: EvaluateOptions) -> Report:
    pairs = scores.source_first(
        task, report.read_examples(corpora.read_pairs, name, options), options.reverse
    )
    texts = [pair.text for pair in pairs]
    started = time.perf_counter()
    translations = [result.translation for result in predict(task, texts, task.request(texts))]
    seconds = time.perf_counter() - started
    overall = scores.overall(translations, [pair.other for pair in pairs])
    overall["sentences_per_second"] = round(len(pairs) / seconds, 1)
    return Report(examples=len(pairs), overall=overall)
