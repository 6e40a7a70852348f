"""What of a text is translated, sentence by sentence; all between stays as it is.

A sentence may be wrapped over lines. Blank lines, bullets, rules, headings' marks, blocks of code, emoji and
markup around a sentence, and lines without a word are left out.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from service.tasks.text import LONGEST, Span, check_sentences, split
from service.tasks.translate.patterns import EMOJI
from service.tasks.translate.placeholders import Found

_TABLE_ROW = re.compile(r"[ \t]*\|[^\n]*\|\s*\Z")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_BULLETS = "[-–—•·●▪*>+|]"
_LEADING = re.compile(
    rf"(?:\s|(?<!{_BULLETS}){_BULLETS}++(?=\s)|#{{1,6}}(?=\s)|\|+|\(?(?:[0-9]{{1,3}}|[a-z])[.)](?=\s)"
    rf"|[=#~*_–—-]{{2,}}+(?=\s)|\[[ xX]\](?=\s)|\*\*\*?|__+|~~|[*_](?=\w)|</?[A-Za-z][^<>\n]*>|{EMOJI})+"
)
_TRAILING = re.compile(
    rf"(?:\s|(?<=\s)[=#~–—-]{{2,}}|\*\*\*?|__+|~~|[*_](?![^\W_])|\|+|</?[A-Za-z][^<>\n]*>|{EMOJI})++"
)
_STARTS_ANEW = re.compile(r"\s*(?:[-–—•·●▪*>+|#]|\(?(?:[0-9]{1,3}|[a-z])[.)]\s|```|~~~|$)")
_ENDED = re.compile(r"[.!?:;…。|][\"'”’»)\]*_ ]*$|-->|^\s*#{1,6}\s")
_SMALL = re.compile(r"\s*[\"'“«(\[*_]*[^\W\d_A-ZÀ-ÖØ-Þ]")

WRAPPED_FROM = 45
"""Characters from which a line without a sentence end may go on in the next, though that begins with a capital."""


def segments(text: str, language: str, found: Sequence[Found]) -> list[Span]:
    """The sentences of `text` that hold a word, as (start, end).

    found: what is taken over, as Finder.find gives it. Raises TooLarge.

    >>> text = "- Hello 😀\\n12:30\\nIt is\\n late."
    >>> [text[start:end] for start, end in segments(text, "en", [])]
    ['Hello', 'It is\\n late.']
    """
    items = [span for span, _ in found]
    kept: list[Span] = []
    for start, end in _blocks(text):
        kept += [
            trimmed
            for span in _joined(_sentences(text, start, end, language), items)
            if (trimmed := _trimmed(text, span)) and _has_word(text, trimmed, items)
        ]
        check_sentences(len(kept))
    return kept


def _blocks(text: str) -> Iterator[Span]:
    """Lines, those of a wrapped sentence together."""
    begin, end, fenced = 0, 0, False
    lines = text.splitlines(keepends=True)
    widest = max(map(len, lines), default=0)
    open_block = False
    before = ""
    for line in lines:
        start, end = end, end + len(line)
        if _FENCE.match(line):
            fenced = not fenced
            if open_block:
                yield begin, start
            open_block = False
            continue
        if fenced:
            continue
        if open_block and not _goes_on(before, line, widest):
            yield begin, start
            open_block = False
        if not open_block:
            begin, open_block = start, True
        before = line
    if open_block:
        yield begin, end


def _goes_on(line: str, following: str, widest: int) -> bool:
    """Whether a sentence that `line` ends with goes on in the line after it."""
    line = line.rstrip()
    if not line or _ENDED.search(line) or _STARTS_ANEW.match(following):
        return False
    if _SMALL.match(following):
        return True
    return len(line) >= max(WRAPPED_FROM, widest - 25) and bool(re.search(r"[\w,]$", line))


def _sentences(text: str, start: int, end: int, language: str) -> Iterator[Span]:
    if _TABLE_ROW.match(text, start, end):
        yield from _cells(text, start, end)
        return
    for piece in split(text[start:end], language):
        yield start, start + len(piece)
        start += len(piece)


def _cells(text: str, start: int, end: int) -> Iterator[Span]:
    """The cells of a row of a table, each with the bar before it."""
    while (bar := text.find("|", start + 1, end)) >= 0:
        yield start, bar
        start = bar
    yield start, end


def _joined(spans: Iterator[Span], items: Sequence[Span]) -> list[Span]:
    """The sentences, joined where something that is taken over would be parted.

    One that grows for too long with this ends before what would be parted instead.
    """
    joined: list[Span] = []
    for start, end in spans:
        at = bisect_left(items, start, key=lambda item: item[0]) - 1
        if joined and at >= 0 and start < items[at][1]:
            begin, _ = joined.pop()
            if start - begin > LONGEST and begin < items[at][0]:
                joined.append((begin, items[at][0]))
                begin = items[at][0]
            joined.append((begin, end))
        else:
            joined.append((start, end))
    return joined


def _trimmed(text: str, span: Span) -> Span | None:
    """Without bullets, marks and emoji around it."""
    start, end = span
    leading = _LEADING.match(text, start, end)
    start = leading.end() if leading else start
    found = list(_TRAILING.finditer(text, start, end))  # to search with $ would take n² steps
    if found and found[-1].end() == end:
        end = found[-1].start()
    return (start, end) if start < end else None


def _has_word(text: str, span: Span, items: Sequence[Span]) -> bool:
    """Whether a letter is left that is no part of what is taken over."""
    start, end = span
    for at in range(bisect_right(items, start, key=lambda item: item[1]), len(items)):
        first, last = items[at]
        if first >= end:
            break
        if any(map(str.isalpha, text[start:first])):
            return True
        start = max(start, last)
    return any(map(str.isalpha, text[start:end]))


def rewrapped(source: str, translation: str) -> str:
    """The translation of a wrapped sentence with the line breaks of its source, each about as far in.

    >>> rewrapped("It is quite\\n  late now", "Il est assez tard")
    'Il est assez\\n  tard'
    """
    breaks = list(re.finditer(r"(?:(?<![ \t])[ \t]+)?[\r\n]+[ \t>]*", source))
    if not breaks:
        return translation
    spaces = [match.start() for match in re.finditer(" ", translation)]
    parts: list[str] = []
    length = len(source) - sum(len(match[0]) - 1 for match in breaks)  # each counts as a space
    gone = end = free = 0
    for match in breaks:
        wanted = (match.start() - gone) / length * len(translation)
        gone += len(match[0]) - 1
        after = bisect_left(spaces, wanted, free)
        nearest = range(max(free, after - 1), min(after + 1, len(spaces)))
        if not nearest:
            break
        chosen = min(nearest, key=lambda at: abs(spaces[at] - wanted))
        parts += [translation[end : spaces[chosen]], match[0]]
        end, free = spaces[chosen] + 1, chosen + 1
    return "".join([*parts, translation[end:]])
