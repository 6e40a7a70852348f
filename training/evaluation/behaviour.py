"""How a bundle behaves: small hand-written sets, one for each phenomenon, with what must hold of each answer.

A folder holds one file for each set, NAME.jsonl. For a classifier a row is a `text` with its `label` (every set
has all labels, so that a constant answer scores badly), or `texts`: one sentence with another name, place, link
or date each time, which should change nothing. For a translator a row is an `ExpectedTranslation`.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from service.tasks.base import predict
from service.tasks.sentiment.task import Sentiment
from service.tasks.translate.messages import TranslateResult
from service.tasks.translate.repetition import longest_run
from service.tasks.translate.task import Translate
from training.config import Options
from training.errors import TrainingError
from training.evaluation.scores import Scores

FOLDER = Path(__file__).parents[1] / "phenomena"
"""The sets of this repository, in a folder for each task or pair of languages."""

Verdict = tuple[str, str]
"""A text and the fault of its answer, "" if that is right."""


class ExpectedTranslation(Options):
    """A text to translate, and what must hold of the translation.

    Unless it must be the text itself, punctuation must be placed and spaced as in its language; without a list of
    right translations it must also have the text's lines, a plausible length, and no repetition.
    """

    text: str
    any: tuple[str, ...] = ()
    """Every translation that is right, if they can be listed; the final punctuation mark is not compared."""
    keeps: tuple[str | tuple[str, ...], ...] = ()
    """What must be in it, each a string or several of which one must be."""
    same: bool = False
    """It must be the text itself."""
    alternatives: int = 0
    """How many other translations there must be, all different."""


def score_sets(task: Sentiment | Translate, folder: Path) -> Scores:
    """Of each set in a folder, the share of texts whose answer is right."""
    results: Scores = {}
    for path in sets_in(folder):
        faults = [fault for _, fault in verdicts(task, path)]
        share = sum(not fault for fault in faults) / len(faults)
        results[f"behaviour-{path.stem}"] = {"right": round(share, 4)}
    return results


def verdicts(task: Sentiment | Translate, path: Path) -> list[Verdict]:
    """Each text of a set with its fault. Raises TrainingError if the set cannot be read."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        found = _translations(task, rows) if isinstance(task, Translate) else _labels(task, rows)
        return list(found)
    except (KeyError, ValueError) as error:
        raise TrainingError(f"{path}: not a set for this task: {error}") from error


def sets_in(folder: Path) -> list[Path]:
    if paths := sorted(folder.glob("*.jsonl")):
        return paths
    raise TrainingError(f"{folder} holds no set, which is a file NAME.jsonl")


def _labels(task: Sentiment, rows: Sequence[dict]) -> Iterator[Verdict]:
    for row in rows:
        texts = row.get("texts") or [row["text"]]
        found = [result.label for result in predict(task, texts, task.request(texts))]
        expected = row.get("label", found[0])
        for text, label in list(zip(texts, found, strict=True))["texts" in row :]:
            yield text, "" if label == expected else f"is {expected}, not {label}"


def _translations(task: Translate, rows: Sequence[dict]) -> Iterator[Verdict]:
    for expected in map(ExpectedTranslation.model_validate, rows):
        request = task.request(expected.text, alternatives=expected.alternatives)
        (result,) = predict(task, [expected.text], request)
        fault = find_fault(expected, result)
        yield expected.text, f"became {result.translation[-200:]!r}: {fault}" if fault else ""


def find_fault(expected: ExpectedTranslation, result: TranslateResult) -> str:
    """The first fault of a translation, "" without one."""
    source, found = normalized(expected.text), normalized(result.translation)
    others = {normalized(other.translation) for other in result.alternatives or []}
    if len({found, *others}) <= expected.alternatives:
        return f"fewer than {expected.alternatives} alternatives"
    if expected.same:
        return "" if found == source else "should stay as it is"
    right = {_MARK.sub("", normalized(one)) for one in expected.any}
    if right and _MARK.sub("", found) not in right:
        return f"should be {expected.any[0]!r}"
    for kept in expected.keeps:
        strings = [kept] if isinstance(kept, str) else kept
        if not any(normalized(string) in found for string in strings):
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


def normalized(text: str) -> str:
    """A text as it is compared: with one form of characters of which typography has two."""
    return unicodedata.normalize("NFC", text).translate(_CHARACTERS).strip()


_CHARACTERS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "…": "..."})
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
    """A line that ends a sentence or a question, but not in the translation; ! may become a full stop."""
    ends = [[line[-1:].replace("!", ".") for line in text.splitlines()] for text in (source, found)]
    return any(
        mark in {".", "?", ":"} and mark != other for mark, other in zip(*ends, strict=False)
    )


def _other_length(source: str, found: str) -> bool:
    """Less than half as long, or more than twice; short texts may be."""
    return len(source) >= 20 and not 0.5 <= len(found) / len(source) <= 2.0


def _repetition(source: str, found: str) -> bool:
    """More than two equal words or three equal letters in a row, unless the source has as many."""
    return longest_run(found.split()) > max(2, longest_run(source.split())) or longest_run(
        found
    ) > max(3, longest_run(source))


_FAULTS = {
    "is not translated": _untranslated,
    "has other lines": _other_lines,
    "has a length that does not fit": _other_length,
    "goes round in circles": _repetition,
}
