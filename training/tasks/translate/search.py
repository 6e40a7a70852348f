"""Tries settings of a translator's beam search: the best length penalty, and what a wider beam costs and gains."""

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from service.tasks.base import predict
from service.tasks.translate.task import Translate
from training.data import corpora
from training.evaluation.scores import Scores, Values
from training.tasks.translate import scores

WIDTHS = (1, 2, 4, 5)
PAIRS = 500
"""Most pairs that are translated for a figure."""

BATCH = 16
"""Sentences translated at once when the speed is measured."""


def tune(
    task: Translate, pairs: Sequence[corpora.Pair], length_penalties: Sequence[float]
) -> tuple[dict[str, Any], Scores]:
    """As an option, the length penalty with the best BLEU at the bundle's own width; and what was tried."""
    if len(pairs) > PAIRS:
        pairs = random.Random(1).sample(pairs, PAIRS)
    own = int(task.bundle.manifest.options["beam"])
    tried: Scores = {}

    def bleu(beam: int, length_penalty: float) -> float:
        setting = f"beam {beam}, length penalty {length_penalty:g}"
        if setting not in tried:
            tried[setting] = _measure(
                with_search(task, beam=beam, length_penalty=length_penalty), pairs
            )
        return float(tried[setting]["bleu"])

    best = max(length_penalties, key=lambda length_penalty: bleu(own, length_penalty))
    for beam in WIDTHS:
        bleu(beam, best)
    return {"length_penalty": best}, tried


def with_search(task: Translate, *, beam: int, length_penalty: float) -> Translate:
    """The same bundle with another search."""
    manifest = task.bundle.manifest
    options = manifest.options | {"beam": beam, "length_penalty": length_penalty}
    other = manifest.model_copy(update={"options": options})
    return type(task)(replace(task.bundle, manifest=other))


def _measure(task: Translate, pairs: Sequence[corpora.Pair]) -> Values:
    translations: list[str] = []
    started = time.process_time()
    for first in range(0, len(pairs), BATCH):
        texts = [pair.text for pair in pairs[first : first + BATCH]]
        translations += [one.translation for one in predict(task, texts, task.request(texts))]
    seconds = time.process_time() - started  # a session takes one core, and others may be busy
    overall = scores.overall(translations, [pair.other for pair in pairs])
    return {"bleu": overall["bleu"], "sentences_per_second": round(len(pairs) / seconds, 1)}
