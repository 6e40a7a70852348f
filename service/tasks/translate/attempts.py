"""The ways in which a sentence is translated: whole, or where that has faults in parts.

A part is translated by itself; what stands between parts is copied. Leaves out when a way is taken (search.py).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Protocol

from service.tasks.text import Span
from service.tasks.translate.beam import Hypothesis
from service.tasks.translate.casing import CAPITAL, UPPER
from service.tasks.translate.placeholders import RESERVED, VERBATIM
from service.tasks.translate.sentence import Sentence

_OTHER = rf"[^\w{CAPITAL}{UPPER}{RESERVED}]"
AROUND_PLACEHOLDERS = re.compile(
    rf"((?<!{_OTHER})(?:{_OTHER}*{CAPITAL}?n°)?+{_OTHER}*+[{RESERVED}](?:{_OTHER}*[{RESERVED}])*"
    rf"{_OTHER}*?(?= ?[\w{CAPITAL}{UPPER}]|$))"
)
AFTER_MARKS = re.compile(r"([,;:–]+(?= ))")
QUOTATION = re.compile(r"“([^“”]*[^\W\d_][^“”]*)”")
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
    spans: tuple[Span, ...] = ()
    """Where in the source each part stands, if there are several."""
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
            yield from replace(self, found={place: [one]}).hypotheses(task)

    def _joined(self, task: Translator) -> Hypothesis:
        ids: list[int] = []
        attended: list[int] = []
        total = 0.0
        for place, part in enumerate(self.parts):
            first, after = (_tokens(task, self.source[:end]) for end in self.spans[place])
            if isinstance(part, str):
                copied = task.ids(part)
                ids += copied
                attended += [min(first + each, after - 1) for each in range(len(copied))]
            else:
                best = self.found[place][0]
                ids += best.ids
                attended += _spread(best, part, first, after)
                total += best.log_probability
        return Hypothesis(tuple(ids), total, tuple(attended))

    def _quoting(self, task: Translator, outer: Hypothesis) -> Hypothesis:
        """A translation with those of the quotations in the place of their characters."""
        whole = self.parts[0]
        assert isinstance(whole, Sentence)
        positions = self._positions(task, whole)
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
            start, end = self.spans[place]
            before, first, after = (
                _tokens(task, self.source[:at]) for at in (start - 1, start, end)
            )
            part, inner = self.parts[place], self.found[place][0]
            assert isinstance(part, Sentence)
            capital = CAPITAL if self.source.startswith(CAPITAL, start) else ""
            opening, closing = task.ids(piece.replace(character, f"“{capital}")), task.ids("”")
            ids += [*opening, *inner.ids, *closing]
            attended += [before] * len(opening)
            attended += _spread(inner, part, first, after)
            attended += [after] * len(closing)
            total += inner.log_probability
        return Hypothesis(tuple(ids), total, tuple(attended))

    def _positions(self, task: Translator, whole: Sentence) -> list[int]:
        """Where in the sentence with its quotations each token of the one without stands."""
        positions: list[int] = []
        position = 0
        for one in whole.ids:
            positions.append(position)
            piece = task.written(Hypothesis((one,), 0.0))
            position += 1
            for place, character in enumerate(self.quotations, 1):
                if character in piece:
                    position = _tokens(task, self.source[: self.spans[place][1] + 1])
        return positions


def _tokens(task: Translator, text: str) -> int:
    return len(task.ids(text)) if text else 0


def _spread(hypothesis: Hypothesis, part: Sentence, first: int, after: int) -> list[int]:
    """The positions in a part that a translation of it attended to, as those of the whole from `first` on.

    By itself, a part may have more tokens or fewer than where it comes from.
    """
    size, length = max(1, after - first), max(1, part.length - 1)
    return [first + min(each * size // length, size - 1) for each in hypothesis.attended]


def whole(task: Translator, sentence: Sentence) -> Attempt:
    """The sentence as it is; one that is all in quotes without them."""
    match = _QUOTED.fullmatch(sentence.text)
    if not match or not re.search(r"[^\W\d_]", match[2]):
        return Attempt([sentence], sentence.text)
    inner = replace(task.part(sentence, f" {match[2].strip()}"), width=sentence.width)
    spans = tuple(match.span(group) for group in (1, 2, 3))
    return Attempt([f" {match[1]}", inner, match[3]], sentence.text, spans=spans)


def split(
    task: Translator, sentence: Sentence, best: Attempt, *, pattern: re.Pattern[str]
) -> Attempt | None:
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
    ends = list(accumulate(map(len, pieces)))
    return Attempt(parts, sentence.text, spans=tuple(zip([0, *ends], ends, strict=False)))


def numbered(task: Translator, sentence: Sentence, best: Attempt) -> Attempt | None:
    """The sentence with reserved characters for all its numbers; None without small ones."""
    return Attempt([sentence.numbered], sentence.numbered.text) if sentence.numbered else None


def varied(task: Translator, sentence: Sentence, best: Attempt) -> Attempt:
    """The attempt that was best once more, nothing twice in the translation of a part."""
    parts = [
        part if isinstance(part, str) else replace(part, varied=True, width=0)
        for part in best.parts
    ]
    return replace(best, parts=parts, found={})


def parted(task: Translator, sentence: Sentence, best: Attempt) -> Attempt | None:
    """The sentence around its placeholders, nothing twice in the translation of a part."""
    attempt = split(task, sentence, best, pattern=AROUND_PLACEHOLDERS)
    return varied(task, sentence, attempt) if attempt else None


def quoting(task: Translator, sentence: Sentence, best: Attempt) -> Attempt | None:
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
        task.part(sentence, f" {match[1].lstrip(CAPITAL).strip()}") for match in quotations
    ]
    spans = (0, len(sentence.text)), *(match.span(1) for match in quotations)
    return Attempt([task.part(sentence, outer), *inner], sentence.text, tuple(characters), spans)
