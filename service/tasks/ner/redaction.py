"""Hides entities: each is replaced by its label, or by a pseudonym that stays the same through a document.

Positions are code points, in the text as it was and in the text as it is answered. Leaves out finding the entities
(task.py, patterns.py).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

Style = Literal["label", "pseudonym"]
"""`[PER]` for each person, or `[PER-1]` for each mention of the first one, `[PER-2]` for the second."""

_PSEUDONYM = re.compile(r"\[[^\[\]\s]{1,64}-\d{1,9}\]")


class Labelled(Protocol):
    """A labelled span of a text, in code points, half-open."""

    @property
    def label(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Replacement:
    """What stands at `start:end` of the redacted text instead of `source_start:source_end` of the original."""

    text: str
    label: str
    start: int
    end: int
    source_start: int
    source_end: int


@dataclass(frozen=True, slots=True)
class Redaction:
    text: str
    replacements: list[Replacement]


def redact(text: str, entities: Iterable[Labelled], style: Style = "label") -> Redaction:
    """`text` with each of the entities replaced.

    Entities that overlap are hidden together, under the label of the longest of them, so that nothing of any
    shows. With `pseudonym` the same words (capitals and white space aside) under the same label have the same
    number, in the order in which they come; numbers that stand in the text already are not given.

    >>> from service.tasks.ner.patterns import Pattern
    >>> people = [Pattern("PER", 0, 3), Pattern("PER", 8, 11), Pattern("PER", 16, 19)]
    >>> redact("Ada met Bob and ADA", people, "pseudonym").text
    '[PER-1] met [PER-2] and [PER-1]'
    """
    names = _Pseudonyms(text) if style == "pseudonym" else None
    pieces: list[str] = []
    replacements = []
    place = length = 0
    for label, start, end in _merged(entities, len(text)):
        kept = text[place:start]
        mark = names.of(label, text[start:end]) if names else f"[{label}]"
        length += len(kept)
        replacements.append(Replacement(mark, label, length, length + len(mark), start, end))
        pieces += [kept, mark]
        place, length = end, length + len(mark)
    return Redaction("".join([*pieces, text[place:]]), replacements)


def _merged(entities: Iterable[Labelled], length: int) -> list[tuple[str, int, int]]:
    """Spans (label, start, end) in order, those that overlap as one; an empty span hides nothing."""
    spans = [
        (max(0, entity.start), min(length, entity.end), entity.label)
        for entity in entities
        if max(0, entity.start) < min(length, entity.end)
    ]
    merged: list[tuple[str, int, int]] = []
    longest = 0
    for start, end, label in sorted(spans, key=lambda span: (span[0], -span[1])):
        if merged and start < merged[-1][2]:
            known, first, last = merged[-1]
            if end - start > longest:
                known, longest = label, end - start
            merged[-1] = (known, first, max(last, end))
        else:
            merged.append((label, start, end))
            longest = end - start
    return merged


class _Pseudonyms:
    """The names given in one document."""

    def __init__(self, text: str) -> None:
        self._taken = set(_PSEUDONYM.findall(text))
        self._given: dict[tuple[str, str], str] = {}
        self._last: dict[str, int] = {}

    def of(self, label: str, words: str) -> str:
        key = (label, " ".join(words.casefold().split()))
        if key not in self._given:
            number = self._last.get(label, 0) + 1
            while f"[{label}-{number}]" in self._taken:
                number += 1
            self._last[label] = number
            self._given[key] = f"[{label}-{number}]"
        return self._given[key]
