"""`python -m training search`: what length penalties and beam widths give a translator, and cost."""

from collections.abc import Sequence
from pathlib import Path

import tyro

from training.config import Options
from training.data import corpora
from training.errors import TrainingError
from training.evaluation.loading import load_translator
from training.evaluation.scores import Scores
from training.tasks.translate.scores import source_first
from training.tasks.translate.search import tune


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
    _, tried = tune(task, source_first(task, pairs), config.length_penalties)
    for setting, values in tried.items():
        print(f"{setting:28}", *(f"{metric} {value}" for metric, value in values.items()))
    return tried
