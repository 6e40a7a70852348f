"""HTML around translated sentences: what of it is text, and where inline tags go in a translation.

Block elements part paragraphs and stay where they are, byte for byte. Inline tags within a sentence travel with
their words: an element is put around the words of the translation for which the network attended to its words.
Code, scripts and what is marked `translate="no"` or `notranslate` pass through.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape, unescape

from service.tasks.text import Span
from service.tasks.translate.html_tokens import Token, tokens
from service.tasks.translate.tracing import TracedText

# fmt: off
INLINE = frozenset([
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "img", "input", "ins", "kbd", "label", "mark", "output", "picture", "q", "rb", "rp", "rt", "ruby", "s", "samp",
    "slot", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
])
"""Elements within a sentence; all others part sentences."""
# fmt: on

KEPT = frozenset(
    ["code", "pre", "kbd", "samp", "script", "style", "textarea", "svg", "math", "template"]
)
"""Elements whose content passes through."""

MOST_KEPT = 60_000
FIRST_KEPT = 0xF0000
"""Characters from here on (private use) stand for inline elements that pass through."""

DEEPEST = 50
"""Elements within one another that keep their words; tags of those further in keep their order only."""

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z][A-Za-z\d]{1,30});")
_KEPT = re.compile("[\U000f0000-\U000ffffd]")
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


@dataclass(frozen=True, slots=True)
class Document:
    """The text of an HTML document, and where in the HTML each of its characters begins and ends."""

    html: str
    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    tags: Sequence[tuple[Token, int]]
    """Inline tags and comments, with the position of the partner among them, or -1."""
    kept: Sequence[str]
    """What the private-use characters of the text stand for."""

    def keeping(self, spans: Sequence[Span]) -> "Document":
        """With what stands at these places of the text, if tags are inside of it, passing through as it is."""
        torn = [
            (start, end)
            for start, end in spans
            if any(self.ends[at] != self.starts[at + 1] for at in range(start, end - 1))
        ]
        if not torn or len(self.kept) + len(torn) > MOST_KEPT:
            return self
        text: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        kept = list(self.kept)
        gone: list[Span] = []
        at = 0
        for start, end in torn:
            first, last = self.starts[start], self.ends[end - 1]
            text += [self.text[at:start], chr(FIRST_KEPT + len(kept))]
            starts += [*self.starts[at:start], first]
            ends += [*self.ends[at:start], last]
            kept.append(self.html[first:last])
            gone.append((first, last))
            at = end
        text.append(self.text[at:])
        starts += self.starts[at:]
        ends += self.ends[at:]
        tags = _without(self.tags, gone)
        return Document(self.html, "".join(text), starts, ends, tags, kept)


def _without(tags: Sequence[tuple[Token, int]], spans: Sequence[Span]) -> list[tuple[Token, int]]:
    """The tags that are in none of these spans, which are in order; their partners, too, only if they are left."""
    left = []
    for at, (token, _) in enumerate(tags):
        before = bisect_right(spans, token.start, key=lambda span: span[0])
        if not before or token.start >= spans[before - 1][1]:
            left.append(at)
    places = {at: place for place, at in enumerate(left)}
    return [(tags[at][0], places.get(tags[at][1], -1)) for at in left]


def parse(html: str) -> Document:
    """Of any string; what is no HTML is text."""
    return _Parsing(html).document()


class _Parsing:
    def __init__(self, html: str) -> None:
        self._html = html
        self._text: list[str] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._tags: list[tuple[Token, int]] = []
        self._open = _OpenElements()
        self._kept: list[str] = []
        self._skipped = _OpenElements()
        """Those within one that passes through, that one first."""
        self._skipped_from = 0

    def document(self) -> Document:
        for token in tokens(self._html):
            if self._skipped:
                self._skip(token)
            elif token.kind == "text":
                self._add_text(token)
            elif token.kind == "open" and _passes_through(token):
                self._skipped.add(token.name, 0)
                self._skipped_from = token.start
            elif token.name == "br":
                self._add("\n", token.start, token.end)
            elif token.kind == "other" or token.name in INLINE:
                self._add_tag(token)
            else:
                self._part(token.start, token.end)
        if self._skipped:
            self._part(self._skipped_from, len(self._html))
        return Document(
            self._html, "".join(self._text), self._starts, self._ends, self._tags, self._kept
        )

    def _skip(self, token: Token) -> None:
        if token.kind == "open":
            self._skipped.add(token.name, 0)
        elif token.kind == "close":
            closed = self._skipped.close(token.name) is not None
            if closed and not self._skipped:
                self._keep(token)

    def _keep(self, token: Token) -> None:
        if token.name in INLINE and len(self._kept) < MOST_KEPT:
            character = chr(FIRST_KEPT + len(self._kept))
            self._kept.append(self._html[self._skipped_from : token.end])
            self._add(character, self._skipped_from, token.end)
        else:
            self._part(self._skipped_from, token.end)

    def _add(self, character: str, start: int, end: int) -> None:
        self._text.append(character)
        self._starts.append(start)
        self._ends.append(end)

    def _part(self, start: int, end: int) -> None:
        """Ends a paragraph."""
        self._open.clear()
        self._add("\n", start, start)
        self._add("\n", start, end)

    def _add_text(self, token: Token) -> None:
        at = token.start
        for entity in _ENTITY.finditer(self._html, token.start, token.end):
            self._add_plain(at, entity.start())
            for character in unescape(entity[0]):
                self._add(character, entity.start(), entity.end())
            at = entity.end()
        self._add_plain(at, token.end)

    def _add_plain(self, start: int, end: int) -> None:
        for at in range(start, end):
            character = self._html[at]
            self._add(" " if character in "\n\r\t\f" else character, at, at + 1)

    def _add_tag(self, token: Token) -> None:
        place, partner = len(self._tags), -1
        if token.kind == "open":
            self._open.add(token.name, place)
        elif token.kind == "close" and (found := self._open.close(token.name)) is not None:
            partner = found
            self._tags[partner] = (self._tags[partner][0], place)
        self._tags.append((token, partner))


class _OpenElements:
    """Elements that are open, the innermost last."""

    def __init__(self) -> None:
        self._elements: list[tuple[str, int]] = []
        self._count: Counter[str] = Counter()
        """By name."""

    def __len__(self) -> int:
        return len(self._elements)

    def add(self, name: str, place: int) -> None:
        self._elements.append((name, place))
        self._count[name] += 1

    def close(self, name: str) -> int | None:
        """The place of the innermost one of this name, which is closed with all within; None if there is none."""
        if not self._count[name]:
            return None
        while True:
            closed, place = self._elements.pop()
            self._count[closed] -= 1
            if closed == name:
                return place

    def clear(self) -> None:
        self._elements.clear()
        self._count.clear()


def _passes_through(token: Token) -> bool:
    attributes = dict(token.attributes)
    return (
        token.name in KEPT
        or attributes.get("translate", "").lower() == "no"
        or "notranslate" in attributes.get("class", "").split()
    )


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


def restored(document: Document, html: str) -> str:
    """With the elements that pass through in the place of their characters."""
    return _KEPT.sub(
        lambda match: (
            document.kept[ord(match[0]) - FIRST_KEPT]
            if ord(match[0]) - FIRST_KEPT < len(document.kept)
            else match[0]
        ),
        html,
    )
