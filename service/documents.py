"""Text files that keep their structure when their texts are replaced: subtitles, Markdown, HTML, plain text.

A document is a list of texts, each at one or more spans of the file; everything outside those spans stays as it
is, character by character. Markup within a text (`**`, `<i>`, a link) is part of the text: the translator
preserves it. The LibreTranslate API (compat/) and the command line (textloom/cli) share this module, so it imports
nothing else of the service. Leaves out opening and decoding files, and gettext (textloom/cli/documents).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Span = tuple[int, int]

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_TIME = r"(?:\d+:)?\d+:\d\d[,.]\d+"
_CUE_TIMES = re.compile(rf"[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}")
_BYTE_ORDER_MARK = "\ufeff"
_END = r"(?:\r\n?|\n)"
_FRONT_MATTER = re.compile(
    rf"\ufeff?---[ \t]*{_END}(?:.*?{_END})??(?:---|\.\.\.)[ \t]*(?:{_END}|\Z)", re.DOTALL
)


@dataclass(frozen=True)
class Document:
    """A file and its texts."""

    content: str
    places: Sequence[Sequence[Span]]
    """Of each text, the spans of its lines, without white space and marks around them."""

    @property
    def texts(self) -> list[str]:
        """None of them is blank."""
        return ["\n".join(self.content[slice(*line)] for line in place) for place in self.places]

    @property
    def lines(self) -> list[int]:
        """Of each text, the number of the line on which it begins, from 1."""
        found, number, end = [], 1, 0
        for place in self.places:
            number += self.content.count("\n", end, place[0][0])
            end = place[0][0]
            found.append(number)
        return found

    def with_texts(self, answers: Sequence[str | None], language: str | None = None) -> str:
        """The file with an answer in place of each text; a text whose answer is None stays.

        Line by line; if the answer has more lines than the text, the last ones are joined with spaces. These
        formats do not name their `language`.

        >>> Document("> a\\n> b\\n", [[(2, 3), (6, 7)]]).with_texts(["A\\nB"])
        '> A\\n> B\\n'
        """
        parts, end = [], 0
        for place, answer in zip(self.places, answers, strict=True):
            if answer is None:
                continue
            lines = answer.split("\n") if len(place) > 1 else [answer]
            if len(lines) > len(place):
                lines[len(place) - 1 :] = [" ".join(lines[len(place) - 1 :])]
            for (start, stop), line in zip(place, lines, strict=False):
                parts += [self.content[end:start], line]
                end = stop
            end = place[-1][1]  # an answer may have fewer lines
        return "".join([*parts, self.content[end:]])


def read(content: str, kind: str) -> Document:
    """kind: a key of READERS."""
    return READERS[kind](content)


def lines_of(content: str) -> list[Span]:
    """Each line, with its line ending and without a byte order mark.

    >>> lines_of("a\\r\\nb")
    [(0, 3), (3, 4)]
    """
    found = [match.span() for match in _LINE.finditer(content, _start(content))]
    return [(start, end) for start, end in found if start < end]


def subtitles(content: str) -> Document:
    """SubRip and WebVTT: a text is the lines below the timing of a cue."""
    places: list[list[Span]] = []
    inside = False
    for span in lines_of(content):
        line = content[slice(*span)]
        if _CUE_TIMES.match(line):
            inside = True
            places.append([])
        elif inside and line.strip():
            places[-1].append(_trimmed(content, span))
        else:
            inside = False
    return Document(content, [place for place in places if place])


def paragraphs(content: str) -> Document:
    """Plain text: a text is a paragraph; blank lines separate them."""
    places: list[list[Span]] = [[]]
    for span in lines_of(content):
        if content[slice(*span)].strip():
            places[-1].append(_trimmed(content, span))
        elif places[-1]:
            places.append([])
    return Document(content, [place for place in places if place])


def whole(content: str) -> Document:
    """HTML: a single text, since the translator parses it."""
    start = _start(content)
    return Document(content, [[(start, len(content))]] if content[start:].strip() else [])


def markdown(content: str) -> Document:
    """CommonMark with tables: a text is a paragraph, a heading or a cell, never code, an HTML block or front
    matter.

    The parser reads some 50,000 lines a second.
    """
    from markdown_it import MarkdownIt  # in the extras `cli` and `server`

    front = _FRONT_MATTER.match(content)
    start = front.end() if front else _start(content)
    lines = [(first + start, last + start) for first, last in lines_of(content[start:])]
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return Document(content, list(_inlines(content, lines, parser.parse(content[start:]))))


def _inlines(content: str, lines: Sequence[Span], tokens: Sequence[object]) -> Iterator[list[Span]]:
    reached = 0
    for token in tokens:
        if getattr(token, "type", "") != "inline" or not (within := getattr(token, "map", None)):
            continue
        place = []
        texts = str(getattr(token, "content", "")).split("\n")
        for text, (start, end) in zip(map(str.strip, texts), lines[slice(*within)], strict=False):
            # `\\|` in a cell reads as `|`, so it is not found; such a cell stays as it is
            begins = content.find(text, max(start, reached), end) if text else -1
            if begins >= 0:
                reached = begins + len(text)
                place.append((begins, reached))
        if place:
            yield place


def _start(content: str) -> int:
    return int(content.startswith(_BYTE_ORDER_MARK))


def _trimmed(content: str, span: Span) -> Span:
    line = content[slice(*span)]
    return span[0] + len(line) - len(line.lstrip()), span[0] + len(line.rstrip())


READERS: Mapping[str, Callable[[str], Document]] = {
    "text": paragraphs,
    "srt": subtitles,
    "html": whole,
    "md": markdown,
}
