"""Sentences that are longer than the network reads, in parts."""

from collections.abc import Sequence

from service.tasks.translate import casing

_MARKS = {casing.CAPITAL, casing.UPPER}


def cut(ids: Sequence[int], tokens: Sequence[str], limit: int) -> list[tuple[int, int]]:
    """Cuts a sentence into runs of at most `limit` tokens, after a mark or before a word if it can."""
    runs, first = [], 0
    while len(ids) - first > limit:
        last = first + limit
        words = [at for at in range(last, first + limit // 2, -1) if _begins_word(tokens, at)]
        marks = (at for at in words if tokens[at - 1][-1] in ",;:–)")
        last = next(marks, None) or next(iter(words), last)
        runs.append((first, last))
        first = last
    return [*runs, (first, len(ids))] if len(ids) > first else runs


def _begins_word(tokens: Sequence[str], at: int) -> bool:
    """Whether a word begins with this token, or with the mark of its capitals."""
    if tokens[at - 1] in _MARKS:
        return False
    return tokens[at + (tokens[at] in _MARKS and at + 1 < len(tokens))].startswith("▁")
