"""Computations that a test controls, and a batcher that does them with real threads."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from service.scheduling.batch import SingleStepBatch
from service.scheduling.batcher import Batcher
from service.scheduling.executors import Executor, ThreadExecutor
from service.telemetry.metrics import Metrics


@dataclass(frozen=True)
class Piece:
    name: str
    length: int = 10


def names(windows: Sequence[Piece]) -> list[str]:
    return [window.name for window in windows]


class Latch:
    """A computation that waits until the test opens it, and records its batches."""

    def __init__(self, answer: Callable[[Sequence[Piece]], list[str]] = names) -> None:
        self.batches: list[list[str]] = []
        self.running = threading.Semaphore(0)
        self._open = threading.Event()
        self._answer = answer

    def __call__(self, windows: Sequence[Piece]) -> list[str]:
        self.batches.append(names(windows))
        self.running.release()
        assert self._open.wait(60)
        return self._answer(windows)

    def open(self) -> None:
        self._open.set()

    async def entered(self) -> None:
        """Until one more batch is running."""
        assert await asyncio.to_thread(self.running.acquire, timeout=60)


class StepwiseBatch:
    """A batch whose windows take a step for each of their tokens, and wait at each for the test to say so."""

    def __init__(self, stops: set[str]) -> None:
        self._left: dict[int, tuple[Piece, int]] = {}
        self._last = 0
        self._stops = stops
        self.stopped = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.steps: list[list[str]] = []

    def begin(self) -> "StepwiseBatch":
        return self

    def join(self, windows: Sequence[Piece]) -> list[int]:
        handles = list(range(self._last, self._last + len(windows)))
        self._last += len(windows)
        self._left |= {
            handle: (window, window.length) for handle, window in zip(handles, windows, strict=True)
        }
        return handles

    def leave(self, handles: Collection[int]) -> None:
        for handle in handles:
            del self._left[handle]

    def step(self) -> list[tuple[int, str]]:
        self.steps.append([window.name for window, _ in self._left.values()])
        if self._stops & set(self.steps[-1]):
            self.stopped.release()
            assert self.go.acquire(timeout=60)
        self._left = {handle: (window, left - 1) for handle, (window, left) in self._left.items()}
        done = [(handle, window.name) for handle, (window, left) in self._left.items() if not left]
        self.leave([handle for handle, _ in done])
        return done

    async def at_a_step(self) -> None:
        """Until the next step with a window that is to stop."""
        assert await asyncio.to_thread(self.stopped.acquire, timeout=60)

    def free(self) -> None:
        """Stop nowhere any more."""
        self._stops = set()
        self.go.release(1000)


@asynccontextmanager
async def batcher(
    compute: Callable[[Sequence[Piece]], list[str]] | StepwiseBatch,
    *,
    threads: int = 1,
    batch_tokens: int = 1000,
    queue_tokens: int = 1000,
    executor: Executor | None = None,
) -> AsyncIterator[Batcher[Piece, str]]:
    executor = executor or ThreadExecutor(threads)
    made = Batcher(
        name="test",
        begin=compute.begin
        if isinstance(compute, StepwiseBatch)
        else partial(SingleStepBatch, compute),
        stepwise=isinstance(compute, StepwiseBatch),
        executor=executor,
        metrics=Metrics().model("test"),
        batch_tokens=batch_tokens,
        queue_tokens=queue_tokens,
    )
    try:
        yield made
    finally:
        if isinstance(compute, Latch):
            compute.open()
        if isinstance(compute, StepwiseBatch):
            compute.free()
        await made.close(grace=5)
        executor.close()


def later(seconds: float = 10) -> float:
    return time.monotonic() + seconds


def send(
    to: Batcher[Piece, str], *pieces: Piece, seconds: float = 10, caller: str = ""
) -> asyncio.Task[list[str]]:
    async def outputs() -> list[str]:
        return (await to.submit(pieces, deadline=later(seconds), caller=caller)).outputs

    return asyncio.create_task(outputs())


async def queued() -> None:
    """Until tasks that were just created have submitted."""
    for _ in range(5):
        await asyncio.sleep(0)
