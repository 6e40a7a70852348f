"""Executors: they run batches, in threads or in the event loop itself, and share their time among the models.

Sources that have work get equal shares of it, by start-time fair queueing (fair_queueing.py) with the seconds that
their batches have taken. Executors know nothing of windows: a batch is whatever a source collects, runs and
delivers.
"""

import asyncio
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

R = TypeVar("R")


class BatchSource(Protocol):
    """What a batcher is to an executor. All but `run` is called in the event loop."""

    def has_work(self) -> bool:
        """Whether there is something to collect."""

    def backlog(self) -> float:
        """Seconds of a thread that the accepted work still takes."""

    def collect(self, now: float) -> Any:
        """Take a batch."""

    def run(self, batch: Any) -> Any:
        """Compute a batch, perhaps in a thread. Gives an exception instead of raising it."""

    def deliver(self, batch: Any, ran: Any, started: float, now: float) -> None:
        """Pass on what came of a batch; the time from `started` to `now` is what it cost."""


class Executor(ABC):
    """Runs the batches of all sources: one that is free takes from the source whose turn it is."""

    def __init__(self, threads: int) -> None:
        self._now = 0.0
        """The virtual time, in seconds of a thread."""
        self._finish_tags: dict[BatchSource, float] = {}
        self._aside = ThreadPoolExecutor(1, "aside")
        self._parallelism = threads
        self._sources: list[BatchSource] = []

    def add(self, source: BatchSource) -> None:
        self._sources.append(source)

    def remove(self, source: BatchSource) -> None:
        """It has no work, and will have none. The only method that any thread may call."""
        self._sources.remove(source)
        self._finish_tags.pop(source, None)

    async def aside(self, work: Callable[..., R], *arguments: Any) -> R:
        """Does work in a thread that would hold up the event loop, one piece at a time: each further thread of
        Python takes another part of the interpreter from the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._aside, work, *arguments)

    def share(self, seconds: float) -> float:
        """How long all threads together take for so many seconds of one."""
        return seconds / self._parallelism

    def backlogs(self) -> list[float]:
        """Estimated seconds until the accepted work of each source is done, were it alone; of those with any."""
        return [self.share(work) for source in self._sources if (work := source.backlog())]

    def backlog(self) -> float:
        """Estimated seconds until all accepted work is done."""
        return sum(self.backlogs())

    @abstractmethod
    def dispatch(self) -> None:
        """Start or schedule the computation of queued work."""

    def close(self) -> None:
        """No more work will come."""
        self._aside.shutdown(wait=False)

    def _next(self) -> tuple[BatchSource, Any, float] | None:
        """The source whose turn it is, a batch from it, and now."""
        waiting = [source for source in tuple(self._sources) if source.has_work()]
        if not waiting:
            return None
        source = waiting[0]
        if len(waiting) > 1:
            source = min(waiting, key=lambda each: self._finish_tags.get(each, 0.0))
        self._now = max(self._now, self._finish_tags.get(source, 0.0))
        now = time.monotonic()  # uvloop's own clock counts whole milliseconds
        return source, source.collect(now), now

    def _charge(self, source: BatchSource, seconds: float) -> None:
        """A batch of a source has taken so long."""
        if source in self._sources:
            self._finish_tags[source] = max(self._now, self._finish_tags.get(source, 0.0)) + seconds


LOOP_ITERATIONS = 3
"""Iterations of the event loop between two turns: a request takes so many from its socket to the queue."""

TURN_SECONDS = 0.05
"""A turn lasts so long while more work waits than it can do. The event loop then has more to do at once, and
that goes faster, as do batches one after the other: each finds in the caches what the one before it needed."""

BUSY_POLL_SECONDS = 0.0002
"""After an answer, how long a process with a single connection polls instead of sleeping."""


class EventLoopExecutor(Executor):
    """Computes in the event loop itself, in turns: a batch, then the requests that came in meanwhile.

    The fastest with a process per core: no thread waits for another, and all requests that came during a
    batch are in the next one. All else that the process does, disconnects and deadlines included, waits for a
    batch, or for TURN_SECONDS of them if much work is queued.
    """

    def __init__(self) -> None:
        super().__init__(1)
        self._scheduled = False
        self._busy_since: float | None = None
        self.in_flight: Collection[Any] = ()
        """All requests of the process, those included that have not reached a queue; () if unknown."""
        self.connections: Collection[Any] = ()
        """All connections of the process; () if unknown."""
        self._poll_until: float | None = None

    def dispatch(self) -> None:
        if self._scheduled:
            return
        self._scheduled = True
        if len(self.in_flight) == 1:  # no other request could join its batch
            self._turn()
        else:
            self._after(LOOP_ITERATIONS)

    def _turn(self) -> None:
        began, busy_since = time.monotonic(), self._busy_since
        while following := self._next():
            source, batch, started = following
            ran, now = source.run(batch), time.monotonic()
            self._charge(source, now - started)
            # of work that had to wait, the time between the turns is part of what it costs
            source.deliver(batch, ran, busy_since or started, now)
            if now - began >= TURN_SECONDS or self.backlog() < TURN_SECONDS:
                break
            busy_since = now
        self._scheduled = any(source.has_work() for source in tuple(self._sources))
        self._busy_since = time.monotonic() if self._scheduled else None
        if self._scheduled:
            self._after(LOOP_ITERATIONS)
        elif len(self.connections) == 1:
            polling, self._poll_until = self._poll_until, time.monotonic() + BUSY_POLL_SECONDS
            if polling is None:
                self._busy_poll()

    def _busy_poll(self) -> None:
        """A caller who sends one request after the other sends the next one soon; waking up would take longer."""
        if self._poll_until and time.monotonic() < self._poll_until:
            asyncio.get_running_loop().call_soon(self._busy_poll)
        else:
            self._poll_until = None

    def _after(self, iterations: int) -> None:
        """The next turn, so many iterations of the event loop later."""
        if iterations:
            asyncio.get_running_loop().call_soon(self._after, iterations - 1)
        else:
            self._turn()


class ThreadExecutor(Executor):
    """Computes in threads. They start with the first work, so that a process may fork before."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._free = threads
        self._work: SimpleQueue[tuple[asyncio.AbstractEventLoop, BatchSource, Any, float] | None]
        self._work = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._serve, name=f"executor-{number}", daemon=True)
            for number in range(threads)
        ]
        self._started = False

    def dispatch(self) -> None:
        if not self._started:
            for thread in self._threads:
                thread.start()
            self._started = True
        while self._free and (following := self._next()):
            self._free -= 1
            self._work.put((asyncio.get_running_loop(), *following))

    def _serve(self) -> None:
        """In a thread: runs batches, and passes their outputs to the event loop."""
        while work := self._work.get():
            loop, source, batch, started = work
            ran = source.run(batch)
            try:
                loop.call_soon_threadsafe(self._finish, source, batch, ran, started)
            except RuntimeError:  # the loop is closed: no caller waits for this any more
                return

    def _finish(self, source: BatchSource, batch: Any, ran: Any, started: float) -> None:
        self._free += 1
        now = time.monotonic()
        self._charge(source, now - started)
        try:
            source.deliver(batch, ran, started, now)
        finally:
            self.dispatch()

    def close(self) -> None:
        super().close()
        for _ in self._threads:
            self._work.put(None)
