"""HTML as a sequence of tokens that cover every character of it: text, tags, comments.

The rules are those of the HTML standard's tokenization, as far as they decide where a token ends. A tag that never
ends is text, and so is all after it. The time is linear in the length, which it is not for `html.parser`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Literal

Kind = Literal["text", "open", "close", "empty", "other"]

VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
    ]
)
"""Elements without an end tag."""

RAW = frozenset(["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"])
"""Elements in which a `<` begins no tag."""

_TAG = re.compile(
    r"</?(?P<name>[A-Za-z][^\s/>]*+)"
    r"(?P<attributes>(?:[^\"'>=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+')|=|[\"'])*+)>"
)
_ATTRIBUTE = re.compile(
    r"(?P<name>[^\s\"'>/=]++)(?:\s*+=\s*+(?:\"(?P<double>[^\"]*+)\"|'(?P<single>[^']*+)'|(?P<bare>[^\s\"'>]++)))?"
)


_NO_CHARACTER = re.compile(r"(&#[0-9]{8,}+)")
"""Of 4,300 digits and more, Python makes no number."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    start: int
    end: int
    name: str = ""
    """Of a tag, in small letters."""
    attributes: tuple[tuple[str, str], ...] = ()


def unescaped(html: str) -> str:
    """Text with its character references replaced; a number that stands for no character stays as it is.

    >>> unescaped("caf&eacute; &amp; &#99999999;")
    'café & &#99999999;'
    """
    parts = enumerate(_NO_CHARACTER.split(html))
    return "".join([part if place % 2 else unescape(part) for place, part in parts])


def tokens(html: str) -> Iterator[Token]:
    """In order and without gaps.

    >>> [(token.kind, token.name) for token in tokens("5 < 7 <b title='>'>x</b><br>")]
    [('text', ''), ('open', 'b'), ('text', ''), ('close', 'b'), ('empty', 'br')]
    """
    text, at, small = 0, 0, html.lower()
    while (start := html.find("<", at)) >= 0:
        token = _markup(html, start)
        if token is None:
            if html[start + 1 : start + 3].strip("/")[:1].isalpha():
                break  # a tag that never ends
            at = start + 1
            continue
        if text < start:
            yield Token("text", text, start)
        yield token
        at = text = token.end
        if token.kind == "open" and token.name in RAW and len(small) == len(html):
            end = small.find(f"</{token.name}", at)
            end = len(html) if end < 0 else end
            if at < end:
                yield Token("other", at, end)
            at = text = end
    if text < len(html):
        yield Token("text", text, len(html))


def _markup(html: str, start: int) -> Token | None:
    """The tag or comment that begins here, if one does and ends."""
    following = html[start + 1 : start + 2]
    if html.startswith("<!--", start):
        end = html.find("-->", start + 4)
        return Token("other", start, len(html) if end < 0 else end + 3)
    if following in ("!", "?") and following:
        end = html.find(">", start)
        return Token("other", start, len(html) if end < 0 else end + 1)
    match = _TAG.match(html, start)
    if not match:
        return None
    name = match["name"].lower()
    if following == "/":
        return Token("close", start, match.end(), name)
    attributes = tuple(
        (one["name"].lower(), unescaped(one["double"] or one["single"] or one["bare"] or ""))
        for one in _ATTRIBUTE.finditer(match["attributes"])
    )
    kind: Kind = "empty" if name in VOID or match["attributes"].endswith("/") else "open"
    return Token(kind, start, match.end(), name, attributes)
