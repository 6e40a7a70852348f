"""Files whose text is translated and whose structure stays: plain text, HTML, subtitles, Markdown.

A file is cut into blocks, each of which is translated by itself: a cue of subtitles, a paragraph of Markdown, the
whole of any other file. What is not in a block stays as it is, byte for byte. Leaves out markup within a block,
which the task itself takes over.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath

from markdown_it import MarkdownIt

from service.errors import InvalidInput, TooLarge
from service.tasks.text import Span

KINDS: Mapping[str, str] = {
    ".txt": "text", ".html": "html", ".htm": "html", ".srt": "subtitles", ".vtt": "subtitles",
    ".md": "markdown", ".markdown": "markdown",
}  # fmt: skip
"""What a file is, by the ending of its name."""

MAX_LINES = 50_000
"""Of Markdown, the parser reads about so many in a second."""

_CUE = re.compile(
    r"^(?:\d+:)?\d\d:\d\d[,.]\d{1,3}[ \t]*-->[^\n]*\n((?:[^\n]*[^\s][^\n]*(?:\n|\Z))+)",
    re.MULTILINE,
)
_FRONT_MATTER = re.compile(
    r"\A---[ \t]*\r?\n.*?^(?:---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE
)
_BYTE_ORDER_MARK = "\ufeff"
_LINE_END = re.compile(r"\r\n?|\n")


@dataclass(frozen=True)
class TextFile:
    """A file and the places of its blocks: each a span for every line of it."""

    content: str
    blocks: Sequence[Sequence[Span]]
    html: bool = False
    """Whether its blocks are HTML."""

    @property
    def texts(self) -> list[str]:
        """What is to be translated."""
        return ["\n".join(self.content[slice(*line)] for line in block) for block in self.blocks]

    def translated(self, translations: Sequence[str]) -> str:
        """The file with a translation in the place of each of its texts."""
        parts, end = [], 0
        for block, translation in zip(self.blocks, translations, strict=True):
            if len(block) == 1:
                lines = [translation]
            else:
                lines = translation.split("\n", len(block) - 1)
            for (start, stop), line in zip(block, lines, strict=False):
                parts += [self.content[end:start], line]
                end = stop
            end = block[-1][1]  # a translation may have fewer lines
        return "".join([*parts, self.content[end:]])


def kind(name: str) -> str:
    """Raises InvalidInput for a file that cannot be translated."""
    found = KINDS.get(PurePath(name.lower()).suffix)
    if found is None:
        raise InvalidInput(f"only files with these endings are translated: {', '.join(KINDS)}")
    return found


def read(content: str, kind: str) -> TextFile:
    """kind: one of the values of KINDS. Raises TooLarge."""
    if content.count("\n") > MAX_LINES:
        raise TooLarge(f"a file may have {MAX_LINES} lines at most")
    if kind == "subtitles":
        cues = [match.span(1) for match in _CUE.finditer(content)]
        trimmed = [(start, start + len(content[start:end].rstrip())) for start, end in cues]
        return TextFile(content, [[cue] for cue in trimmed])
    if kind == "markdown":
        return TextFile(content, list(_paragraphs(content)))
    begins = int(content.startswith(_BYTE_ORDER_MARK))
    whole = [[(begins, len(content))]] if content[begins:] else []
    return TextFile(content, whole, html=kind == "html")


def _paragraphs(content: str) -> Iterator[list[Span]]:
    """The text of paragraphs, headings and cells, without the marks before each line of it."""
    front = _FRONT_MATTER.match(content)
    start = front.end() if front else 0
    ends = [match.span() for match in _LINE_END.finditer(content, start)]
    lines = list(
        zip(
            [start, *(end for _, end in ends)], [*(at for at, _ in ends), len(content)], strict=True
        )
    )
    at = start
    for token in _markdown().parse(content[start:]):
        if token.type != "inline" or token.map is None:
            continue
        block = []
        first, last = token.map
        for text, line in zip(token.content.split("\n"), lines[first:last], strict=False):
            text = text.strip()
            begins = content.find(text, max(at, line[0]), line[1]) if text else -1
            if begins >= 0:  # it is there, but for signs that a table writes in another way
                at = begins + len(text)
                block.append((begins, at))
        if block:
            yield block


@cache
def _markdown() -> MarkdownIt:
    """A parser of blocks only."""
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser
