"""The batcher: queue -> collect -> run -> deliver.

Work-conserving, with no wait window: a free thread takes the queued window whose turn it is and those nearest
to it in length, as many as fit the token budget, and runs them as one batch. A batch that needs many steps, as in
translation, runs in slices: between two slices finished windows leave with their outputs, those whose callers have
left are removed, and queued ones join. The queue lives in the event loop alone, so it needs no lock; only `run`
happens in a thread. Every accepted request gets its outputs or an error exactly once: a batch that fails fails its
own callers and no one else.

Leaves out what is accepted (admission.py), whose turn it is (fair_queueing.py), the queue (window_queue.py) and
who computes (executors.py).
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import Generic

from service.errors import DeadlineExceeded, InternalError, where
from service.scheduling.admission import Admission, draining, too_late
from service.scheduling.batch import Batch, O, W
from service.scheduling.cost_model import CostModel
from service.scheduling.estimate_correction import EstimateCorrection
from service.scheduling.executors import Executor
from service.scheduling.fair_queueing import FairClock, FlowKey, size
from service.scheduling.running_batch import RunningBatch
from service.scheduling.size_classes import SizeClass, SizeClasses
from service.scheduling.window_queue import Job, JobResult, WindowQueue
from service.telemetry.metrics import ModelMetrics

logger = logging.getLogger("textloom.scheduling")

SLICE_SECONDS = 0.005
"""A slice ends with the first step that ends after so long, or that completes a request."""


class Batcher(Generic[W, O]):
    """The queue of one model. Use from the event loop only.

    begin: makes an empty batch, whose methods are called in threads. stepwise: whether batches take several
    steps, so that windows of any length may join one that runs, and documents are in a size class of their own
    (size_classes.py); else a batch is of like lengths.
    """

    def __init__(
        self,
        *,
        name: str,
        begin: Callable[[], Batch[W, O]],
        stepwise: bool,
        executor: Executor,
        metrics: ModelMetrics,
        batch_tokens: int,
        queue_tokens: int,
    ) -> None:
        self._name = name
        self._begin = begin
        self._stepwise = stepwise
        self._executor = executor
        self._metrics = metrics
        self._batch_tokens = batch_tokens
        self._clock = FairClock()
        self._size_classes: SizeClasses[W, O] = SizeClasses(
            [
                SizeClass(size, WindowQueue(batch_tokens, self._clock))
                for size in range(2 if stepwise else 1)
            ]
        )
        self._jobs: set[Job[O]] = set()
        self._told_depth = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._running_tokens = self._running_windows = 0
        self._cost_model = CostModel(batch_tokens, stepwise=stepwise)
        self._estimate_correction = EstimateCorrection()
        self._admission = Admission(
            name=name,
            queue=self._size_classes,
            clock=self._clock,
            executor=executor,
            cost_model=self._cost_model,
            estimate_correction=self._estimate_correction,
            metrics=metrics,
            queue_tokens=queue_tokens,
        )
        executor.add(self)

    def check(self, tokens: float, windows: float, *, deadline: float, caller: str = "") -> None:
        """See `Admission.check`."""
        flow = FlowKey(caller, size(tokens, self._batch_tokens))
        self._admission.check(tokens, windows, flow=flow, deadline=deadline, backlog=self.backlog)

    @property
    def busy(self) -> bool:
        """Whether accepted work, of this or of another model, is still to be done before what comes next."""
        return self._size_classes.tokens > 0 or self._executor.backlog() > 0

    async def submit(
        self, windows: Sequence[W], *, deadline: float, caller: str = ""
    ) -> JobResult[O]:
        """The outputs of `windows`.

        deadline: a time of `time.monotonic()`. caller: who shares fairly with other callers; any text.

        Raises as `check` does, DeadlineExceeded too if the deadline passes, and InternalError if the computation
        failed. A request larger than the whole queue is accepted when the queue is empty: otherwise it never
        would be.
        """
        if not windows:
            return JobResult([])
        lengths = [window.length for window in windows]
        tokens = sum(lengths)
        key = FlowKey(caller, size(tokens, self._batch_tokens))
        expected = self._admission.check(
            tokens, len(windows), flow=key, deadline=deadline, backlog=self.backlog
        )
        correction = self._estimate_correction.factor(len(windows))
        future: asyncio.Future[JobResult[O]] = asyncio.get_running_loop().create_future()
        flow = self._clock.enter(key, tokens)
        job: Job[O] = Job(
            future,
            len(windows),
            flow=flow,
            tokens=tokens,
            now=time.monotonic(),
            deadline=deadline,
        )
        self._jobs.add(job)
        self._size_classes.of(key.size).queue.add(job, windows, lengths)
        self._tell_depth()
        try:
            self._executor.dispatch()
            if not future.done() and deadline < self._timer_at:
                self._set_timer(deadline)
            result = future.result() if future.done() else await future
            result.expected_seconds = expected * correction
            self._record(job, expected, result.queue_seconds + result.run_seconds)
            return result
        except DeadlineExceeded:
            self._record(job, expected, time.monotonic() - job.queued_at)
            raise
        except asyncio.CancelledError:
            self._metrics.rejected["caller_left"].inc()
            raise
        finally:
            self._release(job)

    def backlog(self) -> float:
        """Estimated seconds of a thread that the accepted work still takes; a running batch counts for a half."""
        if not (self._size_classes.tokens or self._running_tokens):
            return 0.0
        return self._cost_model.seconds(
            self._size_classes.tokens + self._running_tokens / 2,
            self._size_classes.windows + self._running_windows / 2,
        )

    def has_work(self) -> bool:
        return self._size_classes.has_work()

    def collect(self, now: float) -> RunningBatch[W, O]:
        """A batch for the next slice: a paused one or a new one, with the windows that join it."""
        size_class = self._size_classes.next()
        running = (
            size_class.paused.pop(0)
            if size_class.paused
            else RunningBatch(self._begin(), size_class.size)
        )
        running.leaving = [handle for handle, entry in running.inside.items() if entry.job.done]
        for handle in running.leaving:
            self._running_tokens -= running.inside.pop(handle).length
            self._running_windows -= 1
        running.joining = (
            size_class.queue.take_first(running.inside.values())
            if self._stepwise
            else size_class.queue.take_similar()
        )
        for entry in running.joining:
            entry.job.started_at = entry.job.started_at or now
            self._running_tokens += entry.length
        self._running_windows += len(running.joining)
        self._tell_depth()
        return running

    def run(self, running: RunningBatch[W, O]) -> list[tuple[int, O]] | Exception:
        """Perhaps in a thread: one slice. Gives the finished windows' handles and outputs, or what went wrong."""
        try:
            end = time.monotonic() + SLICE_SECONDS
            if running.leaving:
                running.batch.leave(running.leaving)
            if running.joining:
                handles = running.batch.join([entry.window for entry in running.joining])
                running.inside.update(zip(handles, running.joining, strict=True))
            finished: list[tuple[int, O]] = []
            running.steps = running.window_steps = 0
            while len(finished) < len(running.inside):
                running.window_steps += len(running.inside) - len(finished)
                running.steps += 1
                finished += running.batch.step()
                if time.monotonic() >= end or running.completes_a_job(finished):
                    break
            return finished
        except Exception as error:  # noqa: BLE001  it belongs to this batch, not to the thread
            return error

    def deliver(
        self,
        running: RunningBatch[W, O],
        ran: list[tuple[int, O]] | Exception,
        started: float,
        now: float,
    ) -> None:
        """Hand the outputs of finished windows, or a batch's failure, to the requests they belong to."""
        size_class = self._size_classes.of(running.size)
        self._size_classes.charge(size_class, now - started)
        if isinstance(ran, Exception):
            lost = [*{id(e): e for e in [*running.inside.values(), *running.joining]}.values()]
            logger.error("%s: a batch of %d windows failed: %s", self._name, len(lost), where(ran))
            self._running_tokens -= sum(entry.length for entry in lost)
            self._running_windows -= len(lost)
            for entry in lost:
                if not entry.job.done:
                    failure = InternalError("the model failed on this request")
                    entry.job.future.set_exception(failure)
            return
        if not running.inside:  # the requests of all of them were over before it began
            return
        tokens = running.tokens_done(ran)
        self._cost_model.update(
            tokens=tokens,
            passes=running.steps,
            units=running.window_steps if self._stepwise else tokens,
            seconds=now - started,
        )
        self._count(running)
        for handle, output in ran:
            entry = running.inside.pop(handle)
            job = entry.job
            self._running_tokens -= entry.length
            self._running_windows -= 1
            if job.done:
                continue
            job.finish_window(entry.index, output, entry.length)
            if not job.missing:
                began = job.started_at or now
                result = JobResult(job.outputs, began - job.queued_at, now - began)
                job.future.set_result(result)
        if running.inside:
            size_class.paused.append(running)

    def drain(self) -> None:
        """Accept nothing more."""
        self._admission.drain()

    async def close(self, grace: float) -> None:
        """Accept nothing more, wait for in-flight requests, and refuse those left after `grace` seconds."""
        self.drain()
        if self._jobs:
            await asyncio.wait([job.future for job in self._jobs], timeout=grace)
        for job in list(self._jobs):
            if not job.done:
                job.future.set_exception(self._admission.rejected("draining", draining()))

    def _count(self, running: RunningBatch[W, O]) -> None:
        """For the metrics: the windows that joined in a slice."""
        if running.joining:
            lengths = [entry.length for entry in running.joining]
            tokens, computed = sum(lengths), max(lengths) * len(lengths)
            self._metrics.batch_size.observe(len(running.inside))
            self._metrics.batch_tokens.observe(computed)
            self._metrics.tokens.inc(tokens)
            self._metrics.padding_tokens.inc(computed - tokens)

    def _set_timer(self, deadline: float) -> None:
        """One timer for all requests, for the first deadline: most are answered long before theirs."""
        if self._timer:
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = asyncio.get_running_loop().call_later(
            deadline - time.monotonic(), self._expire
        )

    def _expire(self) -> None:
        now = time.monotonic()
        self._timer, self._timer_at = None, math.inf
        unanswered = [job for job in self._jobs if not job.done]
        for job in unanswered:
            if job.deadline <= now:
                job.future.set_exception(self._admission.rejected("deadline", too_late()))
        later = [job.deadline for job in unanswered if job.deadline > now]
        if later:
            self._set_timer(min(later))

    def _record(self, job: Job[O], expected: float, took: float) -> None:
        """How long a request took. Stepwise batches are not of like lengths, so none waits longer for its own."""
        if not self._stepwise:
            self._estimate_correction.record(len(job.outputs), estimated=expected, took=took)

    def _release(self, job: Job[O]) -> None:
        """Free the room of a request that is done, at once, though its windows leave the queue later."""
        self._jobs.discard(job)
        self._clock.leave(job.flow, job.unfinished_tokens)
        # otherwise the timer would keep a replaced model in memory until a deadline
        if self._timer and not self._jobs:
            self._timer.cancel()
            self._timer, self._timer_at = None, math.inf
        if job.queued_windows:
            self._size_classes.of(job.flow.key.size).queue.discard(job)
            self._tell_depth()

    def _tell_depth(self) -> None:
        """Two versions of a model may have a queue each, which are counted together."""
        self._metrics.queue_depth.add(self._size_classes.windows - self._told_depth)
        self._told_depth = self._size_classes.windows
