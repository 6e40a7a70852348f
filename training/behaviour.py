"""How a bundle behaves: small written sets, one for each phenomenon, each input with what must hold of its answer.

A folder holds a set a file, NAME.jsonl. For a classifier a row is a `text` with its `label` (every set has all
labels, so that none is won by always saying the same), or `texts`: one sentence with another name, place, link
or date each time, which should change nothing. For a translator it is what `Wanted` says.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import tyro

from service.tasks.base import predict
from service.tasks.sentiment.task import Sentiment
from service.tasks.translate.beam import longest_run
from service.tasks.translate.task import Translate, TranslateResult
from training.config import Options
from training.errors import TrainingError
from training.evaluate import loaded
from training.export import Scores

FOLDER = Path(__file__).parent / "phenomena"

Judged = tuple[str, str]
"""A text and the fault of its answer, "" if it is right."""


class Config(Options):
    bundle: tyro.conf.Positional[Path]
    """Folder of a version of a classifier or a translator, as models/sentiment/1."""
    wrong: bool = False
    """Also prints what is wrong."""


class Wanted(Options):
    """A text to translate, and what must hold of the translation.

    Unless it must be the text itself, its marks must stand and be spaced as its language has it, and without a
    list of right ones it must have the text's lines, a length that fits, and no circles.
    """

    text: str
    any: tuple[str, ...] = ()
    """Every translation that is right, if they can be listed; which mark ends it is not compared."""
    keeps: tuple[str | tuple[str, ...], ...] = ()
    """What must be in it, each a string or several of which one must be."""
    same: bool = False
    """It must be the text itself."""
    alternatives: int = 0
    """So many other translations must be there, all different."""


def main(argv: Sequence[str]) -> Scores:
    """Prints the scores of the sets in this repository, and gives them."""
    config = tyro.cli(
        Config,
        args=list(argv),
        prog="python -m training behaviour",
        description="Scores a bundle on small sets, one for each phenomenon.",
        config=(tyro.conf.FlagConversionOff,),
    )
    task = loaded(config.bundle)
    manifest = task.bundle.manifest
    if not isinstance(task, Sentiment | Translate):
        raise TrainingError(f"{config.bundle}: there are no sets for the task {manifest.task}")
    pair = manifest.languages if manifest.task == "translate" else []
    folder = FOLDER / "-".join([manifest.task, *pair])
    results = scored(task, folder)
    for name, values in results.items():
        for metric, value in values.items():
            print(f"{name:24} {metric}  {value:.3f}")
    if config.wrong:
        for path in _sets(folder):
            for text, fault in judged(task, path):
                if fault:
                    print(f"{path.stem}: {text[-200:]!r} {fault}")
    return results


def scored(task: Sentiment | Translate, folder: Path) -> Scores:
    """Of each set in a folder, the share of texts whose answer is right."""
    results: Scores = {}
    for path in _sets(folder):
        faults = [fault for _, fault in judged(task, path)]
        share = sum(not fault for fault in faults) / len(faults)
        results[f"behaviour-{path.stem}"] = {"right": round(share, 4)}
    return results


def judged(task: Sentiment | Translate, path: Path) -> list[Judged]:
    """Each text of a set with its fault. Raises TrainingError if the set cannot be read."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        found = _translations(task, rows) if isinstance(task, Translate) else _labels(task, rows)
        return list(found)
    except (KeyError, ValueError) as error:
        raise TrainingError(f"{path}: not a set for this task: {error}") from error


def _sets(folder: Path) -> list[Path]:
    if paths := sorted(folder.glob("*.jsonl")):
        return paths
    raise TrainingError(f"{folder} holds no set, which is a file NAME.jsonl")


def _labels(task: Sentiment, rows: Sequence[dict]) -> Iterator[Judged]:
    for row in rows:
        texts = row.get("texts") or [row["text"]]
        found = [result.label for result in predict(task, texts, task.request(texts))]
        wanted = row.get("label", found[0])
        for text, label in list(zip(texts, found, strict=True))["texts" in row :]:
            yield text, "" if label == wanted else f"is {wanted}, not {label}"


def _translations(task: Translate, rows: Sequence[dict]) -> Iterator[Judged]:
    for wanted in map(Wanted.model_validate, rows):
        request = task.request(wanted.text, alternatives=wanted.alternatives)
        (result,) = predict(task, [wanted.text], request)
        fault = fault_of(wanted, result)
        yield wanted.text, f"became {result.translation[-200:]!r}: {fault}" if fault else ""


def fault_of(wanted: Wanted, result: TranslateResult) -> str:
    """The first fault of a translation, "" without one."""
    source, found = plain(wanted.text), plain(result.translation)
    others = {plain(other.translation) for other in result.alternatives or []}
    if len({found, *others}) <= wanted.alternatives:
        return f"fewer than {wanted.alternatives} alternatives"
    if wanted.same:
        return "" if found == source else "should stay as it is"
    right = {_MARK.sub("", plain(one)) for one in wanted.any}
    if right and _MARK.sub("", found) not in right:
        return f"should be {wanted.any[0]!r}"
    for kept in wanted.keeps:
        strings = [kept] if isinstance(kept, str) else kept
        if not any(plain(string) in found for string in strings):
            return f"lacks {strings[0]!r}"
    misplaced = _MISPLACED.get(result.target)
    if misplaced and misplaced.search(found):
        return "has a wrong space before a mark"
    if _other_marks(source, found):
        return "has other marks at its ends"
    if not right:
        for fault, has in _FAULTS.items():
            if has(source, found):
                return fault
    return ""


def plain(text: str) -> str:
    """As texts are compared: of some characters typography has a second form."""
    return unicodedata.normalize("NFC", text).translate(_PLAIN).strip()


_PLAIN = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "…": "..."})
_MARK = re.compile(r"\s*[.!?]+$")
# French corpora have a space before ! and ?, and one or none before : and ;
_MISPLACED = {
    "en": re.compile(r"\w\s[!?;:](?!\S)"),
    "fr": re.compile(r"\w[!?](?!\S)"),
}
_MARGIN = re.compile(r"^\s*(?:(?:[-–•*>]+|(?:[0-9]{1,2}|[a-z])[.)])\s+)?")


def _untranslated(source: str, found: str) -> bool:
    return source.casefold() == found.casefold()


def _other_lines(source: str, found: str) -> bool:
    """Blank ones, indents and bullets included."""

    def shape(text: str) -> list[tuple[bool, list[str]]]:
        return [(bool(line.strip()), _MARGIN.findall(line)) for line in text.splitlines()]

    return shape(source) != shape(found)


def _other_marks(source: str, found: str) -> bool:
    """A line that ends a sentence or asks, but not in the translation; a shout may be told."""
    ends = [[line[-1:].replace("!", ".") for line in text.splitlines()] for text in (source, found)]
    return any(
        mark in {".", "?", ":"} and mark != other for mark, other in zip(*ends, strict=False)
    )


def _other_length(source: str, found: str) -> bool:
    """Half of it missing, or twice as much; short texts may."""
    return len(source) >= 20 and not 0.5 <= len(found) / len(source) <= 2.0


def _circles(source: str, found: str) -> bool:
    """Words twice or letters thrice in a row are the most, if the source has no more."""
    return longest_run(found.split()) > max(2, longest_run(source.split())) or longest_run(
        found
    ) > max(3, longest_run(source))


_FAULTS = {
    "is not translated": _untranslated,
    "has other lines": _other_lines,
    "has a length that does not fit": _other_length,
    "goes round in circles": _circles,
}
