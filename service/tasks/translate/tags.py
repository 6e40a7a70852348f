"""Where the inline tags of a sentence go in its translation.

An element is put around the words of the translation for which the network attended to its words.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from service.tasks.text import Span
from service.tasks.translate.html_tokens import Token
from service.tasks.translate.markup import Document
from service.tasks.translate.tracing import TracedText

DEEPEST = 50
"""Elements within one another that keep their words; tags of those further in keep their order only."""

_UNIT = re.compile(r"\w+['’]?|[^\w\s]+")


@dataclass(slots=True)
class Element:
    """An inline element, or a single tag, in a sentence."""

    opening: str
    closing: str
    source: Span
    """Its words in the text of the document."""
    after_word: bool = False
    """A single tag that follows a word without a space."""
    half: bool = False
    """A tag whose partner is in another sentence; such tags keep their order."""
    children: list["Element"] = field(default_factory=list)


def sentence_markup(
    document: Document, span: Span
) -> tuple[int, int, list[Element], list[Element]]:
    """The HTML that a sentence takes up, as (first, past the last character), its inline elements and single tags.

    An element that begins just before the sentence or ends just after it belongs to it if its other end is within.
    """
    first, last = document.starts[span[0]], document.ends[span[1] - 1]
    before = document.ends[span[0] - 1] if span[0] else 0
    after = document.starts[span[1]] if span[1] < len(document.starts) else len(document.html)
    near = _tags_between(document, before, after)
    for token, partner in (document.tags[at] for at in near):
        if partner >= 0 and first <= document.tags[partner][0].start < last:
            if before <= token.start < first:
                first = token.start
            elif last <= token.start < after:
                last = token.end
    inside = _tags_between(document, first, last)
    elements, singles = _tree(document, inside, span)
    breaks = (at for at in range(*span) if document.text[at] == "\n")
    singles += [
        Element(document.html[document.starts[at] : document.ends[at]], "", (at + 1, at + 1))
        for at in breaks
    ]
    return first, last, elements, singles


def _tags_between(document: Document, first: int, last: int) -> range:
    """Places of the tags that begin between these positions of the HTML, the last excluded."""
    low, high = (
        bisect_left(document.tags, at, key=lambda tag: tag[0].start) for at in (first, last)
    )
    return range(low, high)


def _tree(
    document: Document, inside: Sequence[int], span: Span
) -> tuple[list[Element], list[Element]]:
    within = set(inside)
    roots: list[Element] = []
    singles: list[Element] = []
    stack: list[tuple[int, Element]] = []
    for place in inside:
        token, partner = document.tags[place]
        raw = document.html[token.start : token.end]
        at = _position(document, token, span)
        after_word = at > span[0] and not document.text[at - 1].isspace()
        if token.kind == "open" and partner in within and len(stack) < DEEPEST:
            element = Element(raw, "", (at, span[1]))
            (stack[-1][1].children if stack else roots).append(element)
            stack.append((place, element))
        elif token.kind == "close" and partner in within and stack and stack[-1][0] == partner:
            _, element = stack.pop()
            element.closing, element.source = raw, (element.source[0], at)
        else:
            half = token.kind in ("open", "close")
            single = Element(raw, "", (at, at), after_word, half)
            (stack[-1][1].children if stack else singles).append(single)
    return roots, singles


def _position(document: Document, token: Token, span: Span) -> int:
    """Of a tag in the text: that of the first character after it."""
    low, high = span
    while low < high:
        middle = (low + high) // 2
        if document.starts[middle] < token.start:
            low = middle + 1
        else:
            high = middle
    return low


def with_markup(
    translation: TracedText, elements: Sequence[Element], singles: Sequence[Element]
) -> str:
    """A translation with tags, as HTML. The origins of `translation` are positions in the document's text."""
    assert translation.origins is not None
    units = [
        (match.start(), match.end(), translation.origins[match.start()])
        for match in _UNIT.finditer(translation.text)
    ]
    return _Placing(translation.text, units).html(elements, singles)


class _Placing:
    """Puts elements around the units (words and marks) of a translation."""

    def __init__(self, text: str, units: Sequence[tuple[int, int, int]]) -> None:
        self._text, self._units = text, units

    def html(self, elements: Sequence[Element], singles: Sequence[Element]) -> str:
        return self._written(0, len(self._units), 0, len(self._text), [*elements, *singles])

    def _written(
        self, first: int, last: int, start: int, end: int, elements: Sequence[Element]
    ) -> str:
        """The text from `start` to `end`, which holds the units from `first` to `last`, with these elements."""
        placed = sorted(self._placed(first, last, elements), key=lambda one: one[:2])
        parts, at = [], start
        for low, high, element in placed:
            opens = self._units[low][0] if low < last else end
            if element.after_word and low > first:
                opens = self._units[low - 1][1]
            closes = self._units[high - 1][1] if low < high else opens
            opens, closes = max(at, opens), max(at, closes)
            before = self._text[at:opens]
            breaks = element.opening[:3].lower() == "<br"
            parts.append(_escaped(before.rstrip(" ") if breaks else before))
            inner = self._written(low, high, opens, closes, element.children)
            parts += [element.opening, inner, element.closing]
            at = closes
        return "".join(parts) + _escaped(self._text[at:end])

    def _placed(
        self, first: int, last: int, elements: Sequence[Element]
    ) -> list[tuple[int, int, Element]]:
        """Each element with the units that it is put around, none of them twice."""
        free = [True] * (last - first)
        placed: list[tuple[int, int, Element]] = []
        reached = first
        for element in sorted(elements, key=lambda one: one.source[0] - one.source[1]):
            low, high = self._wanted(first, last, element, free)
            if element.half:
                low = high = reached = max(low, reached)
            for at in range(low, high):
                free[at - first] = False
            placed.append((low, high, element))
        return _apart(placed)

    def _wanted(self, first: int, last: int, element: Element, free: Sequence[bool]) -> Span:
        start, end = element.source
        mine = [
            at
            for at in range(first, last)
            if start <= self._units[at][2] < end and free[at - first]
        ]
        if start == end or not mine:
            later = (at for at in range(first, last) if self._units[at][2] >= start)
            at = next(later, last)
            if element.after_word:
                earlier = [one for one in range(first, last) if self._units[one][2] < start]
                at = max(earlier, key=lambda one: self._units[one][2], default=first - 1) + 1
            while first < at < last and not free[at - first] and not free[at - first - 1]:
                at += 1
            return at, at
        runs: list[list[int]] = [[mine[0]]]
        for at in mine[1:]:
            between = range(runs[-1][-1] + 1, at)
            near = len(between) <= 2 and all(free[one - first] for one in between)
            if near:
                runs[-1].append(at)
            else:
                runs.append([at])
        best = max(runs, key=len)
        return best[0], best[-1] + 1


def _apart(placed: Sequence[tuple[int, int, Element]]) -> list[tuple[int, int, Element]]:
    """With what would stand inside of another moved behind it."""
    apart: list[tuple[int, int, Element]] = []
    for low, high, element in sorted(placed, key=lambda one: (one[0], one[1])):
        reached = apart[-1][1] if apart else 0
        apart.append((max(low, reached), max(high, reached), element))
    return apart


def _escaped(text: str) -> str:
    return escape(text, quote=False).replace("\u00a0", "&nbsp;")
