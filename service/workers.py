"""Who computes, and whose turn it is: threads, or the event loop itself.

Knows nothing of windows: a batch is whatever a queue collects, runs and delivers.
"""

import asyncio
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Collection
from queue import SimpleQueue
from typing import Any, Protocol


class Queue(Protocol):
    """What a batcher is to the workers. All but `run` is called in the event loop."""

    def oldest(self) -> float | None:
        """When that was queued which has waited longest, None if nothing waits."""

    def backlog(self) -> float:
        """Seconds of a thread that the accepted work still takes."""

    def collect(self, now: float) -> Any:
        """Take a batch."""

    def run(self, batch: Any) -> Any:
        """Perhaps in a thread: compute a batch. Gives an exception instead of raising it."""

    def deliver(self, batch: Any, ran: Any, started: float, now: float) -> None:
        """Pass on what came of a batch; the time from `started` to `now` is what it cost."""


class Workers(ABC):
    """Who computes, shared by all batchers: whoever is free serves the queue that has waited longest."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._queues: list[Queue] = []

    def add(self, queue: Queue) -> None:
        self._queues.append(queue)

    def remove(self, queue: Queue) -> None:
        """Nothing waits in it, and nothing will. The only call that may come from any thread."""
        self._queues.remove(queue)

    def share(self, seconds: float) -> float:
        """How long all together need for so many seconds of one."""
        return seconds / self._number

    def backlog(self) -> float:
        """Seconds until all that is accepted is done, as far as one can tell."""
        return self.share(sum([queue.backlog() for queue in self._queues]))

    @abstractmethod
    def dispatch(self) -> None:
        """See to it that what waits is computed."""

    @abstractmethod
    def close(self) -> None:
        """Nothing more will come."""

    def _next(self) -> tuple[Queue, Any, float] | None:
        """The queue that is next, a batch from it, and now."""
        ages = [
            (age, queue) for queue in tuple(self._queues) if (age := queue.oldest()) is not None
        ]
        if not ages:
            return None
        _, queue = min(ages, key=lambda pair: pair[0])
        now = time.monotonic()  # uvloop's own clock counts whole milliseconds
        return queue, queue.collect(now), now


ROUNDS = 3
"""Rounds of the event loop between two turns: so many take a request from its socket to the queue."""

TURN_SECONDS = 0.05
"""While more waits than can be done in so long, a turn is as long. The event loop then has more to do at once, and
that goes faster, as do batches one after the other: each finds in the caches what the one before it needed."""

AWAKE = 0.0002
"""Seconds after an answer for which a process with a single connection does not sleep."""


class Turns(Workers):
    """Computes in the event loop itself, by turns with it: a batch, then what came in meanwhile.

    The fastest with a process per core: no thread waits for another, and all requests that came during a
    batch are in the next one. Whatever else the process does, also to see who has left and whose deadline has
    passed, waits for a batch, or for TURN_SECONDS of them if much waits.
    """

    def __init__(self) -> None:
        super().__init__(1)
        self._scheduled = False
        self._busy_since: float | None = None
        self.under_way: Collection[Any] = ()
        """All requests of the process, those included that have not reached a queue; () if nobody knows."""
        self.connections: Collection[Any] = ()
        """All connections of the process; () if nobody knows."""
        self._awake_until: float | None = None

    def dispatch(self) -> None:
        if self._scheduled:
            return
        self._scheduled = True
        if len(self.under_way) == 1:  # nobody is there to join
            self._turn()
        else:
            self._after(ROUNDS)

    def _turn(self) -> None:
        began, busy_since = time.monotonic(), self._busy_since
        while following := self._next():
            queue, batch, started = following
            ran, now = queue.run(batch), time.monotonic()
            # of work that had to wait, the time between the turns is part of what it costs
            queue.deliver(batch, ran, busy_since or started, now)
            if now - began >= TURN_SECONDS or self.backlog() < TURN_SECONDS:
                break
            busy_since = now
        self._scheduled = any(queue.oldest() is not None for queue in tuple(self._queues))
        self._busy_since = time.monotonic() if self._scheduled else None
        if self._scheduled:
            self._after(ROUNDS)
        elif len(self.connections) == 1:
            awake, self._awake_until = self._awake_until, time.monotonic() + AWAKE
            if awake is None:
                self._stay_awake()

    def _stay_awake(self) -> None:
        """A caller who asks one thing after the other asks the next one soon, and to be woken up takes longer."""
        if self._awake_until and time.monotonic() < self._awake_until:
            asyncio.get_running_loop().call_soon(self._stay_awake)
        else:
            self._awake_until = None

    def _after(self, rounds: int) -> None:
        """The next turn, so many rounds of the event loop later."""
        if rounds:
            asyncio.get_running_loop().call_soon(self._after, rounds - 1)
        else:
            self._turn()

    def close(self) -> None:
        """There is nothing to stop."""


class Pool(Workers):
    """Threads. They start with the first work, so that a process may fork before."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._free = threads
        self._work: SimpleQueue[tuple[asyncio.AbstractEventLoop, Queue, Any, float] | None]
        self._work = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._serve, name=f"worker-{number}", daemon=True)
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
        """A worker thread: runs batches, and passes what comes of them to the event loop."""
        while work := self._work.get():
            loop, queue, batch, started = work
            ran = queue.run(batch)
            try:
                loop.call_soon_threadsafe(self._finish, queue, batch, ran, started)
            except RuntimeError:  # the loop is closed: nobody waits for this any more
                return

    def _finish(self, queue: Queue, batch: Any, ran: Any, started: float) -> None:
        self._free += 1
        try:
            queue.deliver(batch, ran, started, time.monotonic())
        finally:
            self.dispatch()

    def close(self) -> None:
        for _ in self._threads:
            self._work.put(None)
