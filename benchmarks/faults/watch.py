"""What others notice while something is wrong: how long they wait, what they lose, and what the service takes."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks import fuzz, servers, usage

PAUSE = 0.005
"""Seconds between two questions whether the service lives."""
SAMPLE = 0.1
"""Seconds between two looks at its memory."""


@dataclass
class Seen:
    """While a fault lasted."""

    stall: float = 0.0
    """The longest that /health/live took, in seconds."""
    own: float = 0.0
    """The most processor time that all processes of the service took meanwhile."""
    memory: float = 0.0
    """Megabytes, the most of all processes together."""
    asked: int = 0
    """Valid requests of others."""
    lost: list[str] = field(default_factory=list)
    """Why some had no answer, or another than they should."""


@contextmanager
def watched(port: int, key: str) -> Iterator[Seen]:
    """Inside, others ask the service. Their first answers are those that they should get."""
    seen, ended = Seen(), threading.Event()
    valid = fuzz.Valid("127.0.0.1", port, key)

    def live() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while not ended.wait(PAUSE):
            began, before = time.perf_counter(), _processor_seconds(port)
            try:
                connection.request("GET", "/health/live")
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):  # its worker was killed
                connection.close()
            seen.stall = max(seen.stall, time.perf_counter() - began)
            seen.own = max(seen.own, _processor_seconds(port) - before)
        connection.close()

    def ask() -> None:
        while not ended.wait(PAUSE):
            seen.asked += 1
            try:
                valid.check()
            except (fuzz.Wrong, OSError, http.client.HTTPException) as error:
                seen.lost.append(f"{type(error).__name__}: {error}")
                valid.close()
        valid.close()

    def look() -> None:
        while not ended.wait(SAMPLE):
            try:
                seen.memory = max(seen.memory, usage.memory(servers.processes(port)))
            except (OSError, StopIteration):  # one has just ended
                continue

    threads = [threading.Thread(target=each) for each in (live, ask, look)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _processor_seconds(port: int) -> float:
    try:
        return usage.processor_seconds(servers.processes(port))
    except OSError:
        return 0.0


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Raises TimeoutError if it does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("it did not come about in time")
        time.sleep(0.05)


def alive(port: int) -> bool:
    """Whether the service answers over a new connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
