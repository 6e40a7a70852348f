"""Formats in which a text is a stretch of the file, or of some lines of it: subtitles, Markdown, HTML, text.

The marks within a text (`**`, `<i>`, a link) are left in it: the translator takes them over.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Span = tuple[int, int]

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_CUE_TIMES = re.compile(r"[ \t]*(?:\d+:)?\d+:\d\d[,.]\d+[ \t]+-->[ \t]+(?:\d+:)?\d+:\d\d[,.]\d+")
_FRONT_MATTER = re.compile(
    r"\ufeff?---[ \t]*\r?\n.*?^(?:---|\.\.\.)[ \t]*\r?\n", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Spans:
    """A document and the places of its texts: of each, the spans of its lines, without what stands around them."""

    content: str
    places: Sequence[Sequence[Span]]

    @property
    def texts(self) -> list[str]:
        return ["\n".join(self.content[slice(*line)] for line in place) for place in self.places]

    @property
    def lines(self) -> list[int]:
        found, number, end = [], 1, 0
        for place in self.places:
            number += self.content.count("\n", end, place[0][0])
            end = place[0][0]
            found.append(number)
        return found

    def with_texts(self, answers: Sequence[str | None], language: str | None = None) -> str:
        """Lines of an answer go where those of its text were; more of them are joined in the last, with spaces.

        >>> Spans("> a\\n> b\\n", [[(2, 3), (6, 7)]]).with_texts(["A\\nB"])
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


def lines_of(content: str) -> list[Span]:
    """Each line, its end included.

    >>> lines_of("a\\r\\nb")
    [(0, 3), (3, 4)]
    """
    found = [match.span() for match in _LINE.finditer(content)]
    return [(start, end) for start, end in found if start < end]


def subtitles(content: str) -> Spans:
    """SubRip and WebVTT: the lines below the times of each cue are one text."""
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
    return Spans(content, [place for place in places if place])


def paragraphs(content: str) -> Spans:
    """Plain text: what blank lines part."""
    places: list[list[Span]] = [[]]
    for span in lines_of(content):
        if content[slice(*span)].strip():
            places[-1].append(_trimmed(content, span))
        elif places[-1]:
            places.append([])
    return Spans(content, [place for place in places if place])


def whole(content: str) -> Spans:
    """HTML, which the translator reads as it is."""
    return Spans(content, [[(0, len(content))]] if content.strip() else [])


def markdown(content: str) -> Spans:
    """CommonMark with tables: paragraphs, headings and cells. Code, HTML blocks and front matter are no text."""
    from markdown_it import MarkdownIt

    front = _FRONT_MATTER.match(content)
    start = front.end() if front else 0
    lines = [(first + start, last + start) for first, last in lines_of(content[start:])]
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return Spans(content, list(_inlines(content, lines, parser.parse(content[start:]))))


def _inlines(content: str, lines: Sequence[Span], tokens: Sequence[object]) -> Iterator[list[Span]]:
    reached = 0
    for token in tokens:
        if getattr(token, "type", "") != "inline" or not (within := getattr(token, "map", None)):
            continue
        place = []
        texts = str(getattr(token, "content", "")).split("\n")
        for text, (start, end) in zip(map(str.strip, texts), lines[slice(*within)], strict=False):
            # a bar within a cell is written otherwise than it reads: such a cell stays as it is
            begins = content.find(text, max(start, reached), end) if text else -1
            if begins >= 0:
                reached = begins + len(text)
                place.append((begins, reached))
        if place:
            yield place


def _trimmed(content: str, span: Span) -> Span:
    line = content[slice(*span)]
    return span[0] + len(line) - len(line.lstrip()), span[0] + len(line.rstrip())


SPANS: Mapping[str, Callable[[str], Spans]] = {
    "text": paragraphs,
    "srt": subtitles,
    "html": whole,
    "md": markdown,
}
