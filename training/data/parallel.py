"""Parallel corpora as a translator trains on them: cleaned, turned into its direction, each with its weight."""

import hashlib
import os
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from service.registry import bundle
from training.config import Files
from training.data import cleaning, corpora
from training.data.corpora import Pair
from training.errors import TrainingError


@dataclass(frozen=True)
class Corpus:
    file: str
    pairs: Sequence[Pair]
    weight: float
    """How often it is read in a pass."""


@dataclass(frozen=True)
class Data:
    """Pairs in the direction of the translator, and what the manifest says of each file."""

    train: list[Corpus]
    dev: dict[str, list[Pair]]
    """By file name without endings, as the tests."""
    tests: dict[str, list[Pair]]
    corpora: list[bundle.Corpus]
    left_out: int
    """Training pairs dropped because dev or a test holds the same text, or as they are no translations."""


def load(
    files: Files, *, languages: tuple[str, str], reverse: bool, clean: bool, seed: int
) -> Data:
    """Reads all files; `languages` are source and target, which files with `reverse` hold in the other order.

    What is left after cleaning is kept in the folder of runs. Raises TrainingError as `corpora.load` does.
    """
    names, weights = zip(*map(_weighted, files.train), strict=True) if files.train else ((), ())
    data = corpora.load(
        corpora.read_pairs,
        train=names,
        dev=files.dev,
        test=files.test,
        folder=files.data,
        labels={},
        licences=files.licences,
        seed=seed,
    )
    grouped: list[list[Pair]] = [[] for _ in names]
    for origin, pair in zip(data.origins, data.train, strict=True):
        grouped[origin].append(pair)
    left_out = data.left_out
    if clean:
        written = languages[::-1] if reverse else languages
        cleaned = _cleaned(grouped, written, _kept(files.runs, data.corpora, seed))
        left_out += sum(map(len, grouped)) - sum(map(len, cleaned))
        grouped = cleaned
    dev: dict[str, list[Pair]] = {corpora.test_name(name, {}): [] for name in files.dev}
    for origin, pair in zip(data.dev_origins, data.dev, strict=True):
        dev[corpora.test_name(files.dev[origin], {})].append(pair)
    turned = (lambda pairs: [pair.swapped() for pair in pairs]) if reverse else list
    return Data(
        train=[
            Corpus(name, turned(pairs), weight)
            for name, pairs, weight in zip(names, grouped, weights, strict=True)
        ],
        dev={name: turned(pairs) for name, pairs in dev.items()},
        tests={name: turned(pairs) for name, pairs in data.tests.items()},
        corpora=data.corpora,
        left_out=left_out,
    )


def reweighted(corpora: Sequence[Corpus], parts: Sequence[str]) -> list[Corpus]:
    """The corpora whose file has one of these parts in its path, with the weight of the first that it has.

    parts: as `europarl` or `europarl#0.1x`. Raises TrainingError for one that no file has.
    """
    weights = dict(map(_weighted, parts))
    found = [
        Corpus(corpus.file, corpus.pairs, weights[part])
        for corpus in corpora
        if (part := next((part for part in weights if part in corpus.file), None)) is not None
    ]
    for part in weights:
        if not any(part in corpus.file for corpus in corpora):
            raise TrainingError(f"no training file has {part!r} in its path")
    return found


def _weighted(name: str) -> tuple[str, float]:
    """A file named as PATH#2x without its repetition, and this."""
    plain, _, amount = name.partition("#")
    if not amount.endswith("x"):
        return name, 1.0
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?x", amount):
        raise TrainingError(f"{name}: after # comes a count (#5000) or a repetition (#2x, #0.5x)")
    return plain, float(amount[:-1])


def _kept(runs: Path, used: Sequence[bundle.Corpus], seed: int) -> Path:
    """Named for dev and tests, too: what they hold is in no training. The seed draws the pairs of PATH#5000."""
    parts = [f"{corpus.split} {corpus.sha256} {corpus.examples}" for corpus in used] + [str(seed)]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]
    return runs / f"pairs-{digest}.tsv"


def _cleaned(
    grouped: Sequence[Sequence[Pair]], languages: tuple[str, str], kept: Path
) -> list[list[Pair]]:
    """The pairs of each corpus that are translations; from the file `kept` where an earlier training wrote it."""
    if not kept.exists():
        every = [pair for pairs in grouped for pair in pairs]
        sample = random.Random(0).sample(every, min(len(every), cleaning.LEXICON_PAIRS))
        cleaner = cleaning.Cleaner(languages, cleaning.lexicon(sample))
        kept.parent.mkdir(parents=True, exist_ok=True)
        new = kept.with_suffix(f".{os.getpid()}")  # processes of one training may write at once
        with new.open("w", encoding="utf-8") as file:
            for index, pairs in enumerate(grouped):
                report = cleaning.Report()
                for pair in cleaner.kept(pairs, report):
                    file.write(f"{index}\t{pair.text}\t{pair.other}\n")
                print(f"corpus {index}: {report}", flush=True)
        new.replace(kept)
    cleaned: list[list[Pair]] = [[] for _ in grouped]
    with kept.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            number, text, other = line.rstrip("\n").split("\t")
            cleaned[int(number)].append(Pair(text, other))
    return cleaned
