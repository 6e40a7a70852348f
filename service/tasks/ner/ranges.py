"""Ranges in English text: what stands on both sides of `to`, `until` or a dash."""

from collections.abc import Iterator, Sequence

_SEPARATORS = {"to", "through", "until", "till", "-"}


def splits(words: Sequence[str]) -> Iterator[tuple[list[str], list[str]]]:
    """All ways to split words, in small letters, into the beginning and the end of a range."""
    for place in range(1, len(words) - 1):
        if words[place] in _SEPARATORS:
            yield list(words[:place]), list(words[place + 1 :])


def only(found: Iterator[tuple[str, str]]) -> tuple[str, str] | None:
    """The only range that a text can be split into; None if there are several."""
    ranges = set(found)
    return ranges.pop() if len(ranges) == 1 else None
