"""HTML around translated sentences: what of it is text.

Block elements part paragraphs and stay where they are, byte for byte. Inline tags within a sentence travel with
their words (tags.py). Code, scripts and what is marked `translate="no"` or `notranslate` pass through.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape

from service.tasks.text import Span
from service.tasks.translate.html_tokens import Token, tokens

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

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z][A-Za-z\d]{1,30});")
_KEPT = re.compile("[\U000f0000-\U000ffffd]")


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
