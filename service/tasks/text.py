"""Places in a text: sentences, windows that fit a network, and the three units of an offset.

A position is counted in code points everywhere inside TextLoom; only an answer may use another unit.
"""

import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Literal, overload

import sentencex

from service.errors import TooLarge

LONGEST = 2000
"""Most characters that are searched for sentence ends at once: the time that it takes grows with the square."""

PIECE = 4000
"""Most characters that a tokenizer gets at once: it lets no other thread run meanwhile, for some milliseconds."""

MOST_SENTENCES = 32_768
"""Most sentences, or windows, that a request may be cut into: each takes memory, however short it is."""

_WHITE_SPACE = re.compile(r"\s")

Span = tuple[int, int]
Unit = Literal["codepoint", "utf16", "byte"]


def check_sentences(count: int) -> None:
    """Raises TooLarge for more than a request may have."""
    if count > MOST_SENTENCES:
        raise TooLarge(f"{count} sentences; at most {MOST_SENTENCES} in a request")


class Places(Sequence[Span]):
    """Spans of a long text in eight bytes each: a million of them as tuples would take a hundred megabytes."""

    __slots__ = ("_ends",)

    def __init__(self, ends: "array[int]") -> None:
        """ends: the start and the end of each span, one after the other."""
        self._ends = ends

    def __len__(self) -> int:
        return len(self._ends) // 2

    @overload
    def __getitem__(self, index: int) -> Span: ...
    @overload
    def __getitem__(self, index: slice) -> "Places": ...
    def __getitem__(self, index: int | slice) -> "Span | Places":
        if isinstance(index, slice):
            first, last, _ = index.indices(len(self))
            return Places(self._ends[2 * first : 2 * last])
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._ends[2 * index], self._ends[2 * index + 1]


def pieces(text: str, longest: int, start: int = 0, end: int | None = None) -> Iterator[Span]:
    """Parts of a text of at most `longest` characters, cut after white space if there is any in their second half.

    >>> list(pieces("one two three", 8))
    [(0, 8), (8, 13)]
    """
    end = len(text) if end is None else end
    while end - start > longest:
        at = max(text.rfind(space, start + longest // 2, start + longest) for space in " \n\t")
        cut = start + longest if at < 0 else at + 1
        yield start, cut
        start = cut
    yield start, end


def sentences(text: str, language: str) -> list[Span]:
    """The sentences of a text as (start, end), without the white space around them.

    A line break ends a sentence. A blank text has none.

    >>> sentences("Mr. Fox ran. He hid.", "en")
    [(0, 12), (13, 20)]
    """
    spans = []
    start = 0
    for line in text.splitlines(keepends=True):
        if not line.isspace():
            for piece in split(line, language):
                left = len(piece) - len(piece.lstrip())
                right = len(piece.rstrip())
                if left < right:
                    spans.append((start + left, start + right))
                start += len(piece)
        else:
            start += len(line)
    return spans


def split(line: str, language: str) -> Iterator[str]:
    """A line cut behind its sentences, and where it has none for long.

    sentencex fails on white space outside ASCII, so it reads plain spaces in its place.
    """
    plain = _WHITE_SPACE.sub(" ", line)
    start = 0
    while len(plain) - start > LONGEST:
        _, end = next(pieces(plain, LONGEST, start))
        found = sentencex.segment(language, plain[start:end])
        last = len(found[-1])
        if end - start - last >= LONGEST // 2:  # the last may go on behind it
            found.pop()
            end -= last
        yield from found
        start = end
    yield from sentencex.segment(language, plain[start:])


def windows(text: str, tokens: Sequence[Span], limit: int, language: str) -> list[tuple[int, int]]:
    """Cuts a text's tokens into runs of at most `limit`, as (first, past the last) token.

    A run ends at the last sentence end that it can reach; a sentence longer than `limit` is cut hard.
    """
    if len(tokens) <= limit:
        return [(0, len(tokens))] if tokens else []
    ends = [end for _, end in sentences(text, language)]
    runs, first, sentence, cut = [], 0, 0, 0
    for index, (start, _) in enumerate(tokens):
        while sentence < len(ends) and start >= ends[sentence]:
            sentence, cut = sentence + 1, index
        if index - first == limit:
            stop = cut if cut > first else index
            runs.append((first, stop))
            first = stop
    return [*runs, (first, len(tokens))]


def offsets_in(text: str, unit: Unit) -> Callable[[int], int]:
    """A function from a position in code points to the same position in `unit`.

    >>> offsets_in("é😀!", "byte")(2), offsets_in("é😀!", "utf16")(2)
    (6, 3)
    """
    if unit == "codepoint" or text.isascii():
        return lambda position: position
    if unit == "utf16":
        widths = (2 if character > "\uffff" else 1 for character in text)
    else:
        widths = (len(character.encode("utf-8")) for character in text)
    return list(accumulate(widths, initial=0)).__getitem__
