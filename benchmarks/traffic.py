"""Texts and requests: ordinary English of given lengths in tokens, the same in every run."""

import json
import random
from collections.abc import Sequence
from typing import Any

SENTENCES = """\
The minister of finance met Angela Merkel in Berlin on Monday about the new budget of the European Union.
Our train from London to Manchester was two hours late, and nobody at the station could tell us why.
I have read the book twice and still do not understand what the author wanted to say with the last chapter.
Microsoft said on Tuesday that it would open a new research centre near Toronto next spring.
The soup was cold, the waiter was rude, and we had to wait forty minutes for the bill.
Maria Gonzalez, who has lived in Madrid for ten years, says that the city has never been so quiet.
What a wonderful evening: good music, kind people and the best cake that I have ever eaten!
Scientists at the University of Tokyo have found a new way to store energy in salt water.
The phone works well most of the time, but the battery does not last until the evening.
After the match, the players of Real Madrid thanked their fans and went straight to the airport.
Please send the documents to the office in Geneva before the end of the week.
The river rose by two metres during the night, and the bridge had to be closed to all traffic.
John Smith and his daughter Emily opened a small bakery in Dublin, where they sell bread and cheese.
It is not a bad film at all, although the middle part could have been a little shorter.
The committee will publish its report in March, after it has heard experts from Brazil and India.
A man in a red shirt is standing on a ladder and cleaning the window of a large building.
Two dogs are running through the snow while a child in a blue coat is watching them.
The new law makes it easier for small companies to borrow money from banks such as Barclays.
He was born in Vienna in 1902, studied medicine in Paris and worked in New York until his death.
We would like to thank everybody who helped us to rebuild the school after the storm.
""".splitlines()


class Words:
    """An endless supply of running text."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._rest: list[str] = []

    def take(self, count: int) -> str:
        while len(self._rest) < count:
            self._rest += self._chance.choice(SENTENCES).split()
        taken, self._rest = self._rest[:count], self._rest[count:]
        return " ".join(taken)


def tokens_of(task: Any, text: str) -> int:
    """Tokens that a task reads in a text."""
    return sum(window.length for window in task.encode(text, task.request(text)))


def texts(task: Any, lengths: Sequence[int], seed: int = 0) -> list[str]:
    """A text of each length, in tokens of the task."""
    words, found = Words(seed), []
    for length in lengths:
        parts = words.take(length).split()
        while tokens_of(task, " ".join(parts)) > length and len(parts) > 1:
            parts.pop()
        while tokens_of(task, " ".join(parts)) < length:
            parts.append(words.take(1))
        while tokens_of(task, " ".join(parts)) > length and len(parts) > 1:
            parts[-1:] = []
        found.append(" ".join(parts))
    return found


def long_tail(count: int, low: int, high: int, median: float, seed: int = 0) -> list[int]:
    """Lengths from `low` to `high` with a long tail: log-normal, clipped."""
    chance = random.Random(seed)
    return [
        min(high, max(low, round(median * chance.lognormvariate(0.0, 0.8)))) for _ in range(count)
    ]


def bodies(batches: Sequence[Sequence[str]], **options: Any) -> list[str]:
    """A JSON body per batch of texts; a batch of one is a plain text."""
    return [
        json.dumps({"text": list(batch) if len(batch) > 1 else batch[0], **options})
        for batch in batches
    ]
