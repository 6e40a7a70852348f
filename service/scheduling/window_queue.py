"""The queue of windows, by length, and which of them make the next batch.

Leaves out when a batch runs (batcher.py) and what is accepted (admission.py).
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic

from service.scheduling.batch import O, W

PADDING = 0.07
"""Largest share of a batch's tokens that may be padding."""


@dataclass(slots=True)
class JobResult(Generic[O]):
    """What a request gets back: an output per window, in order, and where the time went."""

    outputs: list[O]
    queue_seconds: float
    run_seconds: float


class Job(Generic[O]):
    """One request: its queued windows, its outputs so far, and the future that its caller awaits."""

    __slots__ = (
        *("deadline", "future", "missing", "outputs", "queued_at", "started_at"),
        *("queued_tokens", "queued_windows"),
    )

    def __init__(
        self, future: asyncio.Future[JobResult[O]], windows: int, *, now: float, deadline: float
    ) -> None:
        self.future, self.deadline = future, deadline
        self.queued_at = now
        self.started_at: float | None = None
        self.queued_windows = self.queued_tokens = 0
        self.missing = windows
        self.outputs: list[Any] = [None] * windows

    @property
    def done(self) -> bool:
        """It has been answered, refused or left by its caller: its windows need no output any more."""
        return self.future.done()


@dataclass(slots=True)
class QueueEntry(Generic[W, O]):
    """A window of a request, until it has its output."""

    job: Job[O]
    index: int
    window: W
    length: int


class WindowQueue(Generic[W, O]):
    """Windows in the order in which they came, for each length. Use from one thread only."""

    def __init__(self, batch_tokens: int) -> None:
        """batch_tokens: most tokens of a batch, padding included; a longer window still fits alone."""
        self._batch_tokens = batch_tokens
        self._by_length: dict[int, deque[QueueEntry[W, O]]] = {}
        self.windows = self.tokens = 0
        """Of the queue, without those of discarded requests."""

    def add(self, job: Job[O], windows: Sequence[W], lengths: Sequence[int]) -> None:
        for index, (window, length) in enumerate(zip(windows, lengths, strict=True)):
            same = self._by_length.get(length)
            if same is None:
                same = self._by_length[length] = deque()
            same.append(QueueEntry(job, index, window, length))
        self._count(job, len(windows), sum(lengths))

    def discard(self, job: Job[O]) -> None:
        """Free the room of a request that is done, at once, though its windows leave the queue later."""
        self._count(job, -job.queued_windows, -job.queued_tokens)

    def oldest(self) -> float | None:
        """When the oldest window was queued, None if the queue is empty."""
        if not self._by_length:
            return None
        for length, same in list(self._by_length.items()):
            while same and same[0].job.done:
                same.popleft()
            if not same:
                del self._by_length[length]
        return min([same[0].job.queued_at for same in self._by_length.values()], default=None)

    def take_similar(self) -> list[QueueEntry[W, O]]:
        """The oldest window, and those nearest in length while budget and padding allow."""
        first = self._length_of_oldest()
        others = sorted(self._by_length, key=lambda length: abs(length - first))[1:]
        batch = self._take(first, max(1, self._batch_tokens // first))
        tokens, longest = len(batch) * first, first
        for length in others:
            most = self._room(len(batch), tokens, longest, length)
            more = self._take(length, most) if most else []
            batch += more
            tokens += len(more) * length
            longest = max(longest, length) if more else longest
        return batch

    def take_oldest(self, inside: int) -> list[QueueEntry[W, O]]:
        """Windows in order of age while they fit the budget beside `inside` tokens; one always fits alone."""
        batch: list[QueueEntry[W, O]] = []
        while self._by_length:
            length = self._length_of_oldest()
            if inside and inside + length > self._batch_tokens:
                break
            batch += (taken := self._take(length, 1))
            inside += length * len(taken)
        return batch

    def _length_of_oldest(self) -> int:
        return min(self._by_length, key=lambda length: self._by_length[length][0].job.queued_at)

    def _room(self, windows: int, tokens: int, longest: int, length: int) -> int:
        """How many queued windows of this length may join a batch of so many windows and tokens.

        Padding is `top * n - tokens` for the n windows of a batch; it may be the share PADDING of `top * n`.
        """
        top = max(longest, length)
        most = min(len(self._by_length[length]), self._batch_tokens // top - windows)
        if most <= 0:
            return 0
        least = top * (1 - PADDING)
        spare = tokens - least * windows
        if length < least:  # each of them uses up some of what the others leave
            return max(0, min(most, int(spare / (least - length))))
        return most if most * (length - least) + spare >= 0 else 0

    def _take(self, length: int, most: int) -> list[QueueEntry[W, O]]:
        """Up to `most` windows of this length, without those of requests that are done."""
        same, taken = self._by_length[length], list[QueueEntry[W, O]]()
        while same and len(taken) < most:
            entry = same.popleft()
            if not entry.job.done:
                taken.append(entry)
                self._count(entry.job, -1, -length)
        if not same:
            del self._by_length[length]
        return taken

    def _count(self, job: Job[O], windows: int, tokens: int) -> None:
        job.queued_windows += windows
        job.queued_tokens += tokens
        self.windows += windows
        self.tokens += tokens
