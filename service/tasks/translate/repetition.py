"""How often phrases stand in a row: a network that has lost its way repeats itself."""

from collections.abc import Sequence

PHRASE = 8
"""Most tokens of a phrase whose repetitions are counted."""


def runs(tokens: Sequence[object]) -> tuple[int, ...]:
    """How often at most a phrase of 1, 2, ... PHRASE tokens stands in a row.

    >>> runs([5, 5, 7, 8, 7, 8, 7, 8, 9])
    (2, 3, 1, 1, 1, 1, 1, 1)
    """
    most = [1] * PHRASE
    again = len(tokens) - len(set(tokens))  # a run of a phrase has all but its first tokens again
    for size in range(1, min(PHRASE, again) + 1):
        equal = 0
        for token, before in zip(tokens[size:], tokens, strict=False):
            equal = equal + 1 if token == before else 0
            most[size - 1] = max(most[size - 1], 1 + equal // size)
    return tuple(most)


def longest_run(tokens: Sequence[object]) -> int:
    """How often at most a phrase stands in a row.

    >>> longest_run([5, 7, 8, 7, 8, 7, 8, 9])
    3
    """
    return max(runs(tokens)) if tokens else 0
