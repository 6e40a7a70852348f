"""The queue of windows, by length and in order of their turns, and which of them make the next batch.

Leaves out whose turn it is (fair_queueing.py), when a batch runs (batcher.py) and what is accepted (admission.py).
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Generic

from service.scheduling.batch import O, W
from service.scheduling.fair_queueing import FairClock, Flow, Turn

PADDING = 0.07
"""Largest share of a batch's tokens that may be padding."""


EXTRA = 0.25
"""Share of the budget beyond it that is for flows with nothing in a batch."""


@dataclass(slots=True)
class JobResult(Generic[O]):
    """What a request gets back: an output per window, in order, and where the time went."""

    outputs: list[O]
    queue_seconds: float = 0.0
    run_seconds: float = 0.0
    expected_seconds: float = 0.0
    """Of both together, as estimated when the request was accepted; 0 if too little was known."""


class Job(Generic[O]):
    """One request: its queued windows, its outputs so far, and the future that its caller awaits."""

    __slots__ = (
        *("deadline", "flow", "future", "missing", "outputs", "queued_at", "started_at"),
        *("queued_tokens", "queued_windows", "unfinished_tokens"),
    )

    def __init__(
        self,
        future: asyncio.Future[JobResult[O]],
        windows: int,
        *,
        flow: Flow,
        tokens: int,
        now: float,
        deadline: float,
    ) -> None:
        self.future, self.flow, self.deadline = future, flow, deadline
        self.queued_at = now
        self.started_at: float | None = None
        self.queued_windows = self.queued_tokens = 0
        self.missing, self.unfinished_tokens = windows, tokens
        self.outputs: list[Any] = [None] * windows

    @property
    def done(self) -> bool:
        """It has been answered, refused or left by its caller: its windows need no output any more."""
        return self.future.done()

    def finish_window(self, index: int, output: O, length: int) -> None:
        """Window number `index`, with so many tokens, has its output."""
        self.outputs[index] = output
        self.missing -= 1
        self.unfinished_tokens -= length
        self.flow.tokens -= length


@dataclass(slots=True)
class QueueEntry(Generic[W, O]):
    """A window of a request, until it has its output."""

    job: Job[O]
    index: int
    window: W
    length: int


class WindowQueue(Generic[W, O]):
    """Windows in order of their turns, for each length. Use from one thread only."""

    def __init__(self, batch_tokens: int, clock: FairClock) -> None:
        """batch_tokens: most tokens of a batch, padding included; a longer window still fits alone."""
        self._batch_tokens = batch_tokens
        self._clock = clock
        self._by_length: dict[int, list[tuple[Turn, QueueEntry[W, O]]]] = {}
        """Heaps."""
        self.windows = self.tokens = 0
        """Of the queue, without those of discarded requests."""

    def add(self, job: Job[O], windows: Sequence[W], lengths: Sequence[int]) -> None:
        for index, (window, length) in enumerate(zip(windows, lengths, strict=True)):
            same = self._by_length.get(length)
            if same is None:
                same = self._by_length[length] = []
            turn = self._clock.stamp(job.flow, length)
            heappush(same, (turn, QueueEntry(job, index, window, length)))
        self._count(job, len(windows), sum(lengths))

    def discard(self, job: Job[O]) -> None:
        """Free the room of a request that is done, at once, though its windows leave the queue later."""
        self._count(job, -job.queued_windows, -job.queued_tokens)
        if not self.windows:
            self._by_length.clear()

    def has_work(self) -> bool:
        """Whether there may be a window that needs an output."""
        return self.windows > 0 and bool(self._by_length)

    def take_similar(self) -> list[QueueEntry[W, O]]:
        """The first window, and those nearest in length while budget and padding allow."""
        first = self._first_length()
        if first is None:
            return []
        self._clock.advance(self._by_length[first][0][0])
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

    def take_first(self, inside: Collection[QueueEntry[W, O]]) -> list[QueueEntry[W, O]]:
        """Windows in order of their turns while they fit the budget beside those inside; one always fits alone.

        A part of the budget is for flows that have nothing inside: else a short text would wait until a sentence
        of a document is finished.
        """
        tokens = sum([entry.length for entry in inside])
        flows = {id(entry.job.flow) for entry in inside}
        batch: list[QueueEntry[W, O]] = []
        while (length := self._first_length()) is not None:
            turn, entry = self._by_length[length][0]
            flow = id(entry.job.flow)
            most = self._batch_tokens if flow in flows else (1 + EXTRA) * self._batch_tokens
            if tokens and tokens + length > most:
                break
            self._clock.advance(turn)
            batch += self._take(length, 1)
            flows.add(flow)
            tokens += length
        return batch

    def _first_length(self) -> int | None:
        """The length of the window whose turn it is, None if there is none."""
        for length, same in list(self._by_length.items()):
            while same and same[0][1].job.done:
                heappop(same)
            if not same:
                del self._by_length[length]
        by_length = self._by_length
        if len(by_length) < 2:
            return next(iter(by_length), None)
        return min(by_length, key=lambda length: by_length[length][0][0])

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
            _, entry = heappop(same)
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
