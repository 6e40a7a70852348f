"""`python -m training fidelity`: how many of a translator's answers invent a number, go in a loop or drop text.

Unlike a score it needs no reference, and a few in ten thousand matter, so it is for many more sentences than a
test set has. The same shares of each test set are in the bundle's card.
"""

from collections.abc import Sequence
from pathlib import Path

import tyro
from tqdm import tqdm

from service.tasks.base import predict
from service.tasks.translate.checks import dropped, invented, looped
from training.config import Options
from training.data import corpora
from training.errors import TrainingError
from training.evaluation.loading import load_translator
from training.evaluation.scores import Values
from training.tasks.translate.scores import fidelity, source_first

TOGETHER = 64
"""Sentences that are translated at once."""

_FAULTS = {"number": invented, "loop": looped, "dropped": dropped}


class Config(Options):
    bundle: tyro.conf.Positional[Path]
    """Folder of a translator's version, as models/translate-en-fr/1."""
    files: tyro.conf.Positional[tuple[str, ...]]
    """Files of pairs: PATH or PATH#500 (so many of it); .xz too."""
    data: Path | None = None
    """Folder in which relative file names are looked up, after the current one."""
    reverse: bool | None = None
    """The files hold the target in the first column; None: as those that the bundle was trained on."""
    seed: int = 1
    """Chooses the pairs of PATH#500."""
    show: bool = False
    """Also prints what is wrong."""


def main(argv: Sequence[str]) -> Values:
    """Prints the shares over all files together, and gives them; what several files hold counts once."""
    config = tyro.cli(
        Config,
        args=list(argv),
        prog="python -m training fidelity",
        description="Shares of translations that invent a number, go in a loop or drop text.",
        config=(tyro.conf.FlagConversionOff,),
    )
    if not config.files:
        raise TrainingError("name at least one file of sentences")
    task = load_translator(config.bundle)
    texts: dict[str, None] = {}
    for name in config.files:
        _, pairs, _ = corpora.read_file(
            corpora.read_pairs, name, folder=config.data, labels={}, seed=config.seed, kind="test"
        )
        texts |= dict.fromkeys(pair.text for pair in source_first(task, pairs, config.reverse))
    sources = list(texts)
    translations: list[str] = []
    for first in tqdm(range(0, len(sources), TOGETHER), leave=False):
        some = sources[first : first + TOGETHER]
        translations += [one.translation for one in predict(task, some, task.request(some))]
    if config.show:
        for source, translation in zip(sources, translations, strict=True):
            for fault, has in _FAULTS.items():
                if has(source.lower(), translation.lower()):
                    print(f"{fault}: {source!r} became {translation!r}")
    shares = {"sentences": len(sources), **fidelity(sources, translations)}
    for name, value in shares.items():
        print(f"{name:14} {value}")
    return shares
