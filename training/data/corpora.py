"""Examples of corpora: CoNLL for names, JSONL or CSV for sentiment, TSV for translation.

A file is named as `PATH`, `PATH#N` (N of its examples, drawn at random) or `PATH#Nx` (read N times).
Leaves out tokenisation: an example is text as people write it.
"""

import hashlib
import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from service.registry.bundle import Corpus
from training.config import Files
from training.data.files import (
    csv_rows,
    json_rows,
    kind_of,
    left_out_ids,
    read_lines,
    unparsable,
)
from training.errors import TrainingError

Split = Literal["train", "dev", "test"]


@dataclass(frozen=True)
class Tagged:
    """A sentence of CoNLL: its tokens and their IOB2 tags."""

    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    annotated: frozenset[str] | None = None
    """The labels that its corpus has, None for all: where it is O there may be one of the others."""

    @property
    def text(self) -> str:
        return " ".join(self.tokens)


@dataclass(frozen=True)
class Labelled:
    text: str
    label: str
    id: str = ""
    """In its file, if that gives one."""


@dataclass(frozen=True)
class Pair:
    """A sentence in two languages, in the order of the file's columns."""

    text: str
    other: str

    def swapped(self) -> "Pair":
        return Pair(self.other, self.text)


Example = TypeVar("Example", Tagged, Labelled, Pair)


@dataclass(frozen=True)
class Data(Generic[Example]):
    """The three splits, and what the manifest says of each file."""

    train: list[Example]
    origins: list[int]
    """Of each training example, the index of its file."""
    dev: list[Example]
    dev_origins: list[int]
    tests: dict[str, list[Example]]
    """By file name without endings."""
    corpora: list[Corpus]
    left_out: int
    """Training examples dropped because dev or a test holds the same text."""


def read_conll(path: Path, labels: Mapping[str, str]) -> Iterator[Tagged]:
    """Sentences of a two-column file: token TAB tag, IOB2, a blank line after each; -DOCSTART- is skipped.

    `labels` renames entity types; one renamed to "" is no entity. Raises TrainingError with file and line.
    """
    tokens: list[str] = []
    tags: list[str] = []
    for number, line in enumerate(read_lines(path), 1):
        line = line.rstrip("\n")
        if not line.strip():
            if tokens:
                yield Tagged(tuple(tokens), tuple(tags))
            tokens, tags = [], []
            continue
        parts = line.split("\t") if "\t" in line else line.split(" ")
        if len(parts) < 2 or not parts[0]:
            raise unparsable(path, number, "token TAB tag, or a blank line", line)
        token, tag = parts[0], parts[-1].strip()
        if token == "-DOCSTART-":
            continue
        if not re.fullmatch(r"O|[BI]-\S+", tag):
            raise unparsable(path, number, "an IOB2 tag (O, B-TYPE or I-TYPE)", tag)
        if tag != "O":
            name = labels.get(tag[2:], tag[2:])
            tag = f"{tag[:2]}{name}" if name else "O"
        if tag.startswith("I-") and (not tags or tags[-1][2:] != tag[2:]):
            tag = "B-" + tag[2:]
        tokens.append(token)
        tags.append(tag)
    if tokens:
        yield Tagged(tuple(tokens), tuple(tags))


def read_labelled(path: Path, labels: Mapping[str, str]) -> Iterator[Labelled]:
    """Texts of JSON lines or CSV with the fields `text` and `label`; blank texts are skipped.

    `labels` renames labels; a text whose label is renamed to "" is left out. Raises TrainingError with
    file and line.
    """
    rows = csv_rows(path) if kind_of(path) == ".csv" else json_rows(path)
    for number, row in rows:
        text, label = row.get("text"), row.get("label")
        if not isinstance(text, str) or not isinstance(label, str | int):
            raise unparsable(path, number, "the fields `text` and `label`", str(row))
        name = labels.get(str(label), str(label))
        if name and text.strip():
            yield Labelled(text, name, str(row.get("id", "")))


def read_pairs(path: Path, labels: Mapping[str, str]) -> Iterator[Pair]:
    """Pairs of a two-column file: text TAB its translation. Raises TrainingError with file and line."""
    for number, line in enumerate(read_lines(path), 1):
        parts = line.rstrip("\n").split("\t")
        if len(parts) != 2:
            raise unparsable(path, number, "text TAB translation", line)
        if parts[0].strip() and parts[1].strip():
            yield Pair(parts[0].strip(), parts[1].strip())


def load(
    read: Callable[[Path, Mapping[str, str]], Iterator[Example]],
    *,
    train: Sequence[str],
    dev: Sequence[str],
    test: Sequence[str],
    folder: Path | None,
    labels: Mapping[str, str],
    licences: Mapping[str, str],
    seed: int,
) -> Data[Example]:
    """Reads all files; relative names are looked up here and then in `folder`.

    Raises TrainingError for a missing or unparsable file and for a split without an example.
    """
    corpora: list[Corpus] = []

    def split(name: str, kind: Split) -> list[Example]:
        path, examples, times = read_file(
            read, name, folder=folder, labels=labels, seed=seed, kind=kind
        )
        licence = next((text for part, text in licences.items() if part in str(path)), "")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        corpora.append(
            Corpus(
                file=name,
                split=kind,
                examples=len(examples) * times,
                sha256=digest,
                licence=licence,
            )
        )
        return examples * times

    if not train or not dev or not test:
        raise TrainingError("--train, --dev and --test each need a file")
    chosen_on = [(file, one) for file, name in enumerate(dev) for one in split(name, "dev")]
    tests: dict[str, list[Example]] = {}
    for name in test:
        tests[test_name(name, tests)] = split(name, "test")
    known = {_normalized(one.text) for examples in tests.values() for one in examples}
    known |= {_normalized(one.text) for _, one in chosen_on}
    known.discard("")
    everything = [(file, one) for file, name in enumerate(train) for one in split(name, "train")]
    kept = [(file, one) for file, one in everything if _normalized(one.text) not in known]
    if not kept:
        raise TrainingError("the train split is empty: every example also stands in dev or test")
    return Data(
        train=[one for _, one in kept],
        origins=[file for file, _ in kept],
        dev=[one for _, one in chosen_on],
        dev_origins=[file for file, _ in chosen_on],
        tests=tests,
        corpora=corpora,
        left_out=len(everything) - len(kept),
    )


def file_options(files: Files, seed: int) -> dict[str, Any]:
    """The arguments of `load` that come from the options."""
    return {
        "train": files.train,
        "dev": files.dev,
        "test": files.test,
        "folder": files.data,
        "labels": files.labels,
        "licences": files.licences,
        "seed": seed,
    }


def read_file(
    read: Callable[[Path, Mapping[str, str]], Iterator[Example]],
    name: str,
    *,
    folder: Path | None,
    labels: Mapping[str, str],
    seed: int,
    kind: Split,
) -> tuple[Path, list[Example], int]:
    """One file named as PATH, PATH#N or PATH#Nx: where it is, its examples, and how often they count.

    Raises TrainingError if it is missing, does not parse or holds no example.
    """
    path, count, times = _parse(name, folder)
    examples = list(read(path, labels))
    if kind != "test" and (secret := left_out_ids(path)):
        examples = [example for example in examples if getattr(example, "id", "") not in secret]
    if count is not None and count < len(examples):
        examples = random.Random(f"{seed} {path.name}").sample(examples, count)
    if not examples:
        raise TrainingError(f"{path}: the {kind} split is empty: no example was found in this file")
    return path, examples, times


def locate(name: str, folder: Path | None) -> Path:
    """The file called `name`, here or in `folder`. Raises TrainingError if there is none."""
    for path in (Path(name), *([folder / name] if folder else [])):
        if path.is_file():
            return path
    looked = f"here or in {folder}" if folder else "here (name a folder with --data)"
    raise TrainingError(f"{name}: no such file {looked}")


def read_texts(path: Path) -> Iterator[str]:
    """Plain lines, or the field `text` of JSON lines. Raises TrainingError with file and line."""
    if kind_of(path) != ".jsonl":
        yield from read_lines(path)
        return
    secret = left_out_ids(path)
    for number, row in json_rows(path):
        if not isinstance(row.get("text"), str):
            raise unparsable(path, number, "the field `text`", str(row))
        if row.get("id") not in secret:
            yield str(row["text"])


def _parse(name: str, folder: Path | None) -> tuple[Path, int | None, int]:
    plain, _, amount = name.partition("#")
    match = re.fullmatch(r"([1-9][0-9]*)(x?)", amount) if amount else None
    if amount and not match:
        raise TrainingError(f"{name}: after # comes a count (#5000) or a repetition (#2x)")
    count = int(match[1]) if match and not match[2] else None
    times = int(match[1]) if match and match[2] else 1
    return locate(plain, folder), count, times


def test_name(name: str, taken: Mapping[str, object]) -> str:
    """A short name for a test set: `uner_ewt/test.txt.xz` -> `uner_ewt-test`."""
    path = Path(name.partition("#")[0])
    stem = path.name.split(".")[0]
    short = f"{path.parent.name}-{stem}" if path.parent.name else stem
    return short if short not in taken else f"{short}-{len(taken)}"


def _normalized(text: str) -> str:
    """A text without case, punctuation, links and @names: equal for duplicates of the same text."""
    text = re.sub(r"https?://\S+|@\w+", " ", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(re.findall(r"\w+", text))
