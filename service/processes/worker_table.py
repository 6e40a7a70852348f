"""The worker table, what the processes know of each other, and where else they share memory."""

import mmap
import os
import tempfile
import time
from pathlib import Path


class WorkerTable:
    """The process id, the number of connections and the last heartbeat of each worker."""

    def __init__(self, workers: int) -> None:
        self.parent = os.getpid()
        self._cells = memoryview(mmap.mmap(-1, 24 * workers)).cast("q")
        self._workers = workers

    @property
    def workers(self) -> list[int]:
        """Process ids of the living workers."""
        return [pid for pid in self._cells[: self._workers] if pid]

    def fewest_connections(self) -> int:
        """Of the living worker that has the fewest."""
        second = self._cells[self._workers : 2 * self._workers]
        pairs = zip(self._cells[: self._workers], second, strict=True)
        return min((connections for pid, connections in pairs if pid), default=0)

    def set_worker(self, index: int, pid: int) -> None:
        """Worker number `index` is now this process; 0 for none."""
        self._cells[self._workers + index] = 0
        self.beat(index)
        self._cells[index] = pid

    def index_of(self, pid: int) -> int:
        """The number of the worker that is this process."""
        return self._cells[: self._workers].tolist().index(pid)

    def set_connections(self, index: int, connections: int) -> None:
        self._cells[self._workers + index] = connections

    def beat(self, index: int) -> None:
        """The event loop of worker number `index` runs."""
        self._cells[2 * self._workers + index] = time.monotonic_ns()

    def silent(self, seconds: float) -> list[int]:
        """Process ids of the workers whose last heartbeat is longer ago."""
        since = time.monotonic_ns() - int(seconds * 1e9)
        return [
            pid
            for index, pid in enumerate(self._cells[: self._workers])
            if pid and self._cells[2 * self._workers + index] < since
        ]


def shared_memory() -> Path:
    """A folder whose files never reach a disk, if there is such a place; for what the processes share."""
    memory = Path("/dev/shm")  # noqa: S108  whoever puts something there makes a folder of its own
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
