"""The ways in which a sentence is translated: whole, or where that has faults in parts.

A part is translated by itself; what stands between parts is copied. Leaves out when a way is taken (search.py).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from service.tasks.translate.beam import Hypothesis
from service.tasks.translate.casing import CAPITAL, UPPER
from service.tasks.translate.placeholders import RESERVED, VERBATIM
from service.tasks.translate.sentence import Sentence

_OTHER = rf"[^\w{CAPITAL}{UPPER}{RESERVED}]"
AROUND_PLACEHOLDERS = re.compile(
    rf"((?<!{_OTHER}){_OTHER}*+[{RESERVED}](?:{_OTHER}*[{RESERVED}])*{_OTHER}*?(?= ?[\w{CAPITAL}{UPPER}]|$))"
)
AFTER_MARKS = re.compile(r"([,;:–]+(?= ))")
QUOTATION = re.compile(rf"“({CAPITAL}?)([^“”]*[^\W\d_][^“”]*)”")
_QUOTED = re.compile(rf" ?(“{CAPITAL}?)([^“”]+)(”[.,;:!?]?)")


class Translator(Protocol):
    """What an attempt needs of its task."""

    def part(self, sentence: Sentence, text: str) -> Sentence: ...

    def ids(self, text: str) -> tuple[int, ...]: ...

    def written(self, hypothesis: Hypothesis) -> str: ...


@dataclass(slots=True)
class Attempt:
    """One way to translate a sentence."""

    parts: list[Sentence | str]
    source: str
    """What a translation is compared with."""
    quotations: tuple[str, ...] = ()
    """For each part but the first the reserved character that stands for it, in quotes, in the first."""
    found: dict[int, list[Hypothesis]] = field(default_factory=dict)
    """By place among the parts."""

    def hypotheses(self, task: Translator) -> Iterator[Hypothesis]:
        """Of the whole sentence; of one in several parts the best of each, put together."""
        if len(self.parts) == 1:
            yield from self.found[0]
        elif self.quotations:
            yield from (self._quoting(task, outer) for outer in self.found[0])
        else:
            yield self._joined(task)

    def others(self, task: Translator, found: Sequence[Hypothesis]) -> Iterator[Hypothesis]:
        """The sentence with each of these hypotheses for its only part that is no string."""
        (place,) = (at for at, part in enumerate(self.parts) if isinstance(part, Sentence))
        for one in found:
            yield from Attempt(self.parts, self.source, found={place: [one]}).hypotheses(task)

    def _joined(self, task: Translator) -> Hypothesis:
        ids: list[int] = []
        attended: list[int] = []
        total, position = 0.0, 0
        for place, part in enumerate(self.parts):
            if isinstance(part, str):
                copied = task.ids(part)
                ids += copied
                attended += range(position, position + len(copied))
                position += len(copied)
            else:
                best = self.found[place][0]
                ids += best.ids
                attended += [position + each for each in best.attended]
                total += best.log_probability
                position += part.length - 1
        return Hypothesis(tuple(ids), total, tuple(attended))

    def _quoting(self, task: Translator, outer: Hypothesis) -> Hypothesis:
        """A translation with those of the quotations in the place of their characters."""
        whole = self.parts[0]
        assert isinstance(whole, Sentence)
        positions, places = self._positions(task, whole)
        ids: list[int] = []
        attended: list[int] = []
        total = outer.log_probability
        for one, at in zip(outer.ids, outer.attended, strict=True):
            piece = task.written(Hypothesis((one,), 0.0))
            character = next((c for c in self.quotations if c in piece), None)
            if character is None:
                ids.append(one)
                attended.append(positions[at])
                continue
            place = 1 + self.quotations.index(character)
            inner, first = self.found[place][0], places[character]
            opening = task.ids(piece.replace(character, f"“{self._capital(place)}"))
            closing = task.ids("”")
            ids += [*opening, *inner.ids, *closing]
            attended += [first] * len(opening)
            attended += [first + 1 + each for each in inner.attended]
            attended += [first + 1 + self._length(place)] * len(closing)
            total += inner.log_probability
        return Hypothesis(tuple(ids), total, tuple(attended))

    def _capital(self, place: int) -> str:
        quotation = list(QUOTATION.finditer(self.source))[place - 1]
        return quotation[1]

    def _length(self, place: int) -> int:
        part = self.parts[place]
        assert isinstance(part, Sentence)
        return part.length - 1

    def _positions(self, task: Translator, whole: Sentence) -> tuple[list[int], dict[str, int]]:
        """Where in the sentence with its quotations each token of the one without stands, and each quotation."""
        positions: list[int] = []
        places: dict[str, int] = {}
        position = 0
        for one in whole.ids:
            positions.append(position)
            piece = task.written(Hypothesis((one,), 0.0))
            for place, character in enumerate(self.quotations, 1):
                if character in piece:
                    places[character] = position
                    position += 1 + self._length(place)
            position += 1
        return positions, places


def whole(task: Translator, sentence: Sentence) -> Attempt:
    """The sentence as it is; one that is all in quotes without them."""
    match = _QUOTED.fullmatch(sentence.text)
    if not match or not re.search(r"[^\W\d_]", match[2]):
        return Attempt([sentence], sentence.text)
    inner = replace(task.part(sentence, f" {match[2].strip()}"), width=sentence.width)
    return Attempt([f" {match[1]}", inner, match[3]], sentence.text)


def split(task: Translator, sentence: Sentence, pattern: re.Pattern[str]) -> Attempt | None:
    """The sentence in parts, and what matches `pattern` between them as it is; None if there is one part only."""
    pieces = [piece for piece in pattern.split(sentence.text) if piece]
    if len(pieces) < 2:
        return None
    parts = [
        task.part(sentence, piece)
        if re.search(r"[^\W\d_]", piece) and not pattern.fullmatch(piece)
        else piece
        for piece in pieces
    ]
    if not any(isinstance(part, Sentence) for part in parts):
        return None
    return Attempt(parts, sentence.text)


def numbered(task: Translator, sentence: Sentence) -> Attempt | None:
    """The sentence with reserved characters for all its numbers; None without small ones."""
    return Attempt([sentence.numbered], sentence.numbered.text) if sentence.numbered else None


def varied(task: Translator, sentence: Sentence) -> Attempt:
    """The sentence once more, no part of its translation twice."""
    return Attempt([replace(sentence, varied=True, width=0)], sentence.text)


def quoting(task: Translator, sentence: Sentence) -> Attempt | None:
    """What stands in quotes by itself, and the rest with a reserved character in the place of each."""
    free = iter([c for c in VERBATIM if c not in sentence.text])
    quotations = list(QUOTATION.finditer(sentence.text))
    characters = [c for c, _ in zip(free, quotations, strict=False)]
    if not quotations or len(characters) < len(quotations):
        return None
    pieces: list[str] = []
    end = 0
    for character, match in zip(characters, quotations, strict=True):
        pieces += [sentence.text[end : match.start()], character]
        end = match.end()
    outer = "".join([*pieces, sentence.text[end:]])
    inner: Sequence[Sentence] = [
        task.part(sentence, f" {match[2].strip()}") for match in quotations
    ]
    return Attempt([task.part(sentence, outer), *inner], sentence.text, tuple(characters))
