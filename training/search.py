"""A translator's beam search: the length penalty that dev likes best, and what a wider beam costs and gains."""

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tyro

from service.tasks.common import predict
from service.tasks.translate import Translate
from training.config import Options
from training.data import corpora
from training.errors import TrainingError
from training.evaluation.loading import load_translator
from training.evaluation.scores import Scores, Values
from training.tasks.translate import scores
from training.tasks.translate.scores import source_first

WIDTHS = (1, 2, 4, 5)
PAIRS = 500
"""Most pairs that are translated for a figure."""

BATCH = 16
"""Sentences translated at once when the speed is measured."""


class Config(Options):
    bundle: tyro.conf.Positional[Path]
    """Folder of a translator's version, as models/translate-en-fr/1."""
    files: tyro.conf.Positional[tuple[str, ...]]
    """Pairs to translate, at best those of its dev split: PATH or PATH#5000; .xz too."""
    length_penalties: tuple[float, ...] = (0.6, 0.8, 1.0, 1.2)
    """Exponents of the length to try at the bundle's own width."""
    data: Path | None = None
    """Folder in which relative file names are looked up, after the current one."""


def main(argv: Sequence[str]) -> Scores:
    """Prints what was tried, and gives it."""
    config = tyro.cli(
        Config,
        args=list(argv),
        prog="python -m training search",
        description="Tries length penalties and beam widths of a translator.",
    )
    task = load_translator(config.bundle)
    if not config.files:
        raise TrainingError("name at least one file of pairs")
    pairs: list[corpora.Pair] = []
    for name in config.files:
        pairs += corpora.read_file(
            corpora.read_pairs, name, folder=config.data, labels={}, seed=1, kind="dev"
        )[1]
    _, tried = tuned(task, source_first(task, pairs), config.length_penalties)
    for setting, values in tried.items():
        print(f"{setting:28}", *(f"{metric} {value}" for metric, value in values.items()))
    return tried


def tuned(
    task: Translate, pairs: Sequence[corpora.Pair], length_penalties: Sequence[float]
) -> tuple[dict[str, Any], Scores]:
    """As an option, the length penalty with the best BLEU at the bundle's own width; and all that was tried."""
    if len(pairs) > PAIRS:
        pairs = random.Random(1).sample(pairs, PAIRS)
    own = int(task.bundle.manifest.options["beam"])
    tried: Scores = {}

    def bleu(beam: int, length_penalty: float) -> float:
        setting = f"beam {beam}, length penalty {length_penalty:g}"
        if setting not in tried:
            tried[setting] = _measured(
                changed(task, beam=beam, length_penalty=length_penalty), pairs
            )
        return float(tried[setting]["bleu"])

    best = max(length_penalties, key=lambda length_penalty: bleu(own, length_penalty))
    for beam in WIDTHS:
        bleu(beam, best)
    return {"length_penalty": best}, tried


def changed(task: Translate, *, beam: int, length_penalty: float) -> Translate:
    """The same bundle, searched otherwise."""
    manifest = task.bundle.manifest
    options = manifest.options | {"beam": beam, "length_penalty": length_penalty}
    other = manifest.model_copy(update={"options": options})
    return Translate(replace(task.bundle, manifest=other))


def _measured(task: Translate, pairs: Sequence[corpora.Pair]) -> Values:
    translations: list[str] = []
    started = time.process_time()
    for first in range(0, len(pairs), BATCH):
        texts = [pair.text for pair in pairs[first : first + BATCH]]
        translations += [one.translation for one in predict(task, texts, task.request(texts))]
    seconds = time.process_time() - started  # a session takes one core, and others may be busy
    overall = scores.overall(translations, [pair.other for pair in pairs])
    return {"bleu": overall["bleu"], "sentences_per_second": round(len(pairs) / seconds, 1)}
