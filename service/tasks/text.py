"""Places in a text: sentences, windows that fit a network, and the three units of an offset.

A position is counted in code points everywhere inside TextLoom; only an answer may use another unit.
"""

import re
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Literal

import sentencex

_WHITE_SPACE = re.compile(r"\s")

Span = tuple[int, int]
Unit = Literal["codepoint", "utf16", "byte"]


def sentences(text: str, language: str) -> list[Span]:
    """The sentences of a text as (start, end), without the white space around them.

    A line break ends a sentence. A blank text has none.

    >>> sentences("Mr. Fox ran. He hid.", "en")
    [(0, 12), (13, 20)]
    """
    spans = []
    start = 0
    for line in text.splitlines(keepends=True):
        # sentencex fails on white space outside ASCII, so it reads plain spaces in its place
        for piece in sentencex.segment(language, _WHITE_SPACE.sub(" ", line)):
            left = len(piece) - len(piece.lstrip())
            right = len(piece.rstrip())
            if left < right:
                spans.append((start + left, start + right))
            start += len(piece)
    return spans


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
