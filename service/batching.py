"""The batcher: queue -> collect -> run -> deliver.

Work-conserving, with no wait window: a free worker thread takes the oldest waiting window and those nearest to
it in length, as many as fit the token budget, and runs them as one batch. A batch that needs many steps, as in
translation, runs in slices: between two slices finished windows leave with their outputs, those whose callers
have left make room, and waiting ones join. The queue lives in the event loop alone, so it needs no lock; only
`run` happens in a thread. Every accepted request gets its outputs or an error exactly once: a batch that fails
fails its own callers and nobody else.

Knows no task and no HTTP: a window is anything with a `length` in tokens.
"""

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple

from service.errors import (
    DeadlineExceeded,
    Draining,
    InternalError,
    QueueFull,
    TextLoomError,
    where,
)
from service.pace import Pace
from service.running import O, Running, W
from service.telemetry.metrics import ModelMetrics
from service.waiting import Job, Ran, Waiting, WindowQueue
from service.workers import Workers

logger = logging.getLogger("textloom.batching")

SLICE_SECONDS = 0.005
"""A slice ends with the first step that ends after so long, or that finishes a request."""
HEADROOM = 0.16
"""Share of the time that a request can wait which the estimate of the work ahead may fill. So little because a
text of a rare length waits for many others: batches are of like lengths, and each lets newer texts pass it. With
less, batches would be smaller under overload, and fewer texts answered."""

MOMENT = 0.001
"""Seconds that make no difference to a refusal."""


@dataclass(slots=True)
class _Batch(Generic[W, O]):
    """A batch between and in its slices."""

    running: Running[W, O]
    inside: dict[int, Waiting[W, O]] = field(default_factory=dict)
    """By handle."""
    joining: list[Waiting[W, O]] = field(default_factory=list)
    leaving: list[int] = field(default_factory=list)
    unfinished: int = 0
    """Tokens that were inside when its last slice ended."""
    rested: float = 0.0
    """When its last slice ended."""

    @property
    def tokens(self) -> int:
        return sum([waiting.length for waiting in self.inside.values()])

    def answers(self, finished: Sequence[tuple[int, O]]) -> bool:
        """Whether a request has all its outputs with these. Seldom wrong: its other windows may be elsewhere."""
        if not finished or len(finished) == len(self.inside):
            return bool(finished)
        jobs = Counter(self.inside[handle].job for handle, _ in finished)
        return any(count >= job.missing for job, count in jobs.items())


class _Full(NamedTuple):
    """A refusal that holds for as many tokens or more that have as much time or less."""

    tokens: float
    left: float
    """Seconds until the deadline."""
    error: QueueFull


class Batcher(Generic[W, O]):
    """The queue of one model. Use from the event loop only.

    begin: starts a batch; its methods are called in worker threads. stepwise: whether batches take several
    steps, so that windows of any length may join one that runs; else a batch is of like lengths.
    """

    def __init__(
        self,
        *,
        name: str,
        begin: Callable[[], Running[W, O]],
        stepwise: bool,
        workers: Workers,
        metrics: ModelMetrics,
        batch_tokens: int,
        queue_tokens: int,
    ) -> None:
        self._name = name
        self._begin = begin
        self._stepwise = stepwise
        self._workers = workers
        self._metrics = metrics
        self._queue_tokens = queue_tokens
        self._queue: WindowQueue[W, O] = WindowQueue(batch_tokens)
        self._resting: list[_Batch[W, O]] = []
        self._jobs: set[Job[O]] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = math.inf
        self._running_tokens = 0
        self._expected_tokens = 0.0
        self._full: _Full | None = None
        self._draining = False
        self._pace = Pace(batch_tokens, slices=stepwise)
        workers.add(self)

    def check(self, tokens: float, deadline: float) -> None:
        """Raises what `submit` would for so many tokens; costs next to nothing.

        Draining; QueueFull if the work ahead, by the time that tokens have taken, leaves too little time
        before `deadline`; DeadlineExceeded if these tokens alone would take longer.
        """
        if self._draining:
            raise self._rejected("draining", _draining())
        left = deadline - time.monotonic()
        own = self._workers.share(self._pace.token * tokens)
        if left <= own:
            raise self._rejected("deadline", _too_late())
        ahead = self._workers.backlog()
        crowded = self._queue.tokens + tokens > self._queue_tokens
        most = (left - own) * HEADROOM
        if (self._queue.tokens and crowded) or (ahead and ahead > most):
            late = ahead if crowded else ahead - most
            raise self._rejected("queue_full", self._queue_full(late))

    def reserve(self, tokens: float, deadline: float) -> TextLoomError | None:
        """So many tokens will be submitted in this round of the event loop, unless this gives what `check` raises.

        They are reckoned with until then. What a round refuses it refuses to the end: the work ahead only grows.
        """
        if not (self._expected_tokens or self._full):
            asyncio.get_running_loop().call_soon(self._next_round)
        left = deadline - time.monotonic()
        if (full := self._full) and tokens >= full.tokens and left <= full.left:
            self._metrics.rejected["queue_full"].inc()
            return full.error
        try:
            self.check(tokens, deadline)
        except TextLoomError as raised:
            error = raised.with_traceback(None)
            if isinstance(error, QueueFull):
                self._full = _Full(tokens, left + MOMENT, error)
            return error
        self._expected_tokens += tokens
        return None

    async def submit(self, windows: Sequence[W], *, deadline: float) -> Ran[O]:
        """The outputs of `windows`; `deadline` is a time of `time.monotonic()`.

        Raises as `check` does, DeadlineExceeded too if the deadline passes, and InternalError if the
        computation failed. A request larger than the whole queue is accepted when nothing waits: it would
        else never be.
        """
        if not windows:
            return Ran([], 0.0, 0.0)
        lengths = [window.length for window in windows]
        tokens = sum(lengths)
        self.check(tokens, deadline)
        future: asyncio.Future[Ran[O]] = asyncio.get_running_loop().create_future()
        job: Job[O] = Job(future, len(windows), now=time.monotonic(), deadline=deadline)
        self._jobs.add(job)
        self._queue.add(job, windows, lengths)
        self._metrics.queue_depth.set(self._queue.windows)
        try:
            self._workers.dispatch()
            if not future.done() and deadline < self._alarm_at:
                self._set_alarm(deadline)
            return future.result() if future.done() else await future
        except asyncio.CancelledError:
            self._metrics.rejected["caller_left"].inc()
            raise
        finally:
            self._forget(job)

    def backlog(self) -> float:
        """Seconds of a thread that the accepted work still takes; of a batch that runs, the half."""
        tokens = self._queue.tokens + self._expected_tokens + self._running_tokens / 2
        return self._pace.token * tokens

    def oldest(self) -> float | None:
        """Since when the work has waited that comes next, None if nothing waits."""
        ages = [batch.rested for batch in self._resting]
        if (waits := self._queue.oldest()) is not None:
            ages.append(waits)
        return min(ages, default=None)

    def collect(self, now: float) -> _Batch[W, O]:
        """A batch for the next slice: one that rests or a new one, with the windows that join it."""
        batch = self._resting.pop(0) if self._resting else _Batch(self._begin())
        batch.leaving = [handle for handle, waiting in batch.inside.items() if waiting.job.over]
        for handle in batch.leaving:
            self._running_tokens -= batch.inside.pop(handle).length
        queue = self._queue
        batch.joining = queue.take_oldest(batch.tokens) if self._stepwise else queue.take_alike()
        for waiting in batch.joining:
            waiting.job.started = waiting.job.started or now
            self._running_tokens += waiting.length
        self._metrics.queue_depth.set(queue.windows)
        return batch

    def run(self, batch: _Batch[W, O]) -> list[tuple[int, O]] | Exception:
        """In a worker thread: one slice. Gives the finished windows' handles and outputs, or what went wrong."""
        try:
            end = time.monotonic() + SLICE_SECONDS
            if batch.leaving:
                batch.running.leave(batch.leaving)
            if batch.joining:
                handles = batch.running.join([waiting.window for waiting in batch.joining])
                batch.inside.update(zip(handles, batch.joining, strict=True))
            finished: list[tuple[int, O]] = []
            while len(finished) < len(batch.inside):
                finished += batch.running.step()
                if time.monotonic() >= end or batch.answers(finished):
                    break
            return finished
        except Exception as error:  # noqa: BLE001  it belongs to this batch, not to the worker
            return error

    def deliver(
        self,
        batch: _Batch[W, O],
        ran: list[tuple[int, O]] | Exception,
        started: float,
        now: float,
    ) -> None:
        """Hand the outputs of finished windows, or a batch's failure, to the requests they belong to."""
        if isinstance(ran, Exception):
            lost = [*{id(w): w for w in [*batch.inside.values(), *batch.joining]}.values()]
            logger.error("%s: a batch of %d windows failed: %s", self._name, len(lost), where(ran))
            self._running_tokens -= sum(waiting.length for waiting in lost)
            for waiting in lost:
                if not waiting.job.over:
                    failure = InternalError("the model failed on this request")
                    waiting.job.future.set_exception(failure)
            return
        self._pace.learn(self._done(batch, ran), now - started)
        self._count(batch)
        for handle, output in ran:
            waiting = batch.inside.pop(handle)
            job = waiting.job
            self._running_tokens -= waiting.length
            if job.over:
                continue
            job.outputs[waiting.index] = output
            job.missing -= 1
            if not job.missing:
                began = job.started or now
                job.future.set_result(Ran(job.outputs, began - job.queued, now - began))
        if batch.inside:
            batch.rested = now
            self._resting.append(batch)

    def drain(self) -> None:
        """Accept nothing more."""
        self._draining, self._full = True, None

    async def close(self, grace: float) -> None:
        """Accept nothing more, wait for what was accepted, and refuse what is left after `grace` seconds."""
        self.drain()
        if self._jobs:
            await asyncio.wait([job.future for job in self._jobs], timeout=grace)
        for job in list(self._jobs):
            if not job.over:
                job.future.set_exception(self._rejected("draining", _draining()))

    def _done(self, batch: _Batch[W, O], ran: Sequence[tuple[int, O]]) -> float:
        """Tokens that a slice got done: those of finished windows, and of others the half when they come.

        The other half is theirs when they finish, so no work is counted twice, and slices in which nothing
        finishes do not look as if nothing had been done.
        """
        inside = finished = batch.tokens
        if len(ran) < len(batch.inside):
            finished = sum([batch.inside[handle].length for handle, _ in ran])
        before, batch.unfinished = batch.unfinished, inside - finished
        return max(0.0, finished + (batch.unfinished - before) / 2)

    def _count(self, batch: _Batch[W, O]) -> None:
        """For the metrics: what joined in a slice."""
        if batch.joining:
            lengths = [waiting.length for waiting in batch.joining]
            tokens, computed = sum(lengths), max(lengths) * len(lengths)
            self._metrics.batch_size.observe(len(batch.inside))
            self._metrics.batch_tokens.observe(computed)
            self._metrics.tokens.inc(tokens)
            self._metrics.padding_tokens.inc(computed - tokens)

    def _next_round(self) -> None:
        self._expected_tokens, self._full = 0.0, None

    def _queue_full(self, seconds: float) -> QueueFull:
        return QueueFull(
            f"{self._queue.tokens} tokens wait for {self._name} already; try again later",
            retry_after=max(1, math.ceil(seconds)),
        )

    def _rejected(self, reason: str, error: TextLoomError) -> TextLoomError:
        self._metrics.rejected[reason].inc()
        return error

    def _set_alarm(self, deadline: float) -> None:
        """One timer for all requests, for the first deadline: most are answered long before theirs."""
        if self._alarm:
            self._alarm.cancel()
        self._alarm_at = deadline
        self._alarm = asyncio.get_running_loop().call_later(
            deadline - time.monotonic(), self._expire
        )

    def _expire(self) -> None:
        now = time.monotonic()
        self._alarm, self._alarm_at = None, math.inf
        waiting = [job for job in self._jobs if not job.over]
        for job in waiting:
            if job.deadline <= now:
                job.future.set_exception(self._rejected("deadline", _too_late()))
        later = [job.deadline for job in waiting if job.deadline > now]
        if later:
            self._set_alarm(min(later))

    def _forget(self, job: Job[O]) -> None:
        """Free the room of a request that is done, at once, though its windows leave the queue later."""
        self._jobs.discard(job)
        # else the timer would keep a model that was replaced until a deadline
        if self._alarm and not self._jobs:
            self._alarm.cancel()
            self._alarm, self._alarm_at = None, math.inf
        if job.waiting:
            self._queue.forget(job)
            self._metrics.queue_depth.set(self._queue.windows)


def _draining() -> Draining:
    return Draining("this server is shutting down; another one may answer", retry_after=1)


def _too_late() -> DeadlineExceeded:
    return DeadlineExceeded("the deadline passed before the answer was ready")
