"""What several processes know of each other, and the operating system of them all, for the metrics page."""

import mmap
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


class Board:
    """What the processes tell each other in shared memory: each worker's id and number of connections."""

    def __init__(self, workers: int) -> None:
        self.parent = os.getpid()
        self._cells = memoryview(mmap.mmap(-1, 16 * workers)).cast("q")
        self._workers = workers

    @property
    def workers(self) -> list[int]:
        """Process ids of the living workers."""
        return [pid for pid in self._cells[: self._workers] if pid]

    def fewest(self) -> int:
        """Connections of the living worker that has the fewest."""
        pairs = zip(self._cells[: self._workers], self._cells[self._workers :], strict=True)
        return min((connections for pid, connections in pairs if pid), default=0)

    def set_worker(self, index: int, pid: int) -> None:
        """Worker number `index` is now this process; 0 for none."""
        self._cells[self._workers + index] = 0
        self._cells[index] = pid

    def place(self, pid: int) -> int:
        """The number of the worker that is this process."""
        return self._cells[: self._workers].tolist().index(pid)

    def set_connections(self, index: int, connections: int) -> None:
        self._cells[self._workers + index] = connections


class CountsCollector(MultiProcessCollector):
    """prometheus_client's collector of what all processes have counted, but for empty files: a process has made
    them this instant, and they cannot be read yet."""

    def collect(self) -> Iterator[Metric]:
        files = [str(file) for file in Path(self._path).glob("*.db") if _size(file)]
        return self.merge(files)  # type: ignore[no-any-return, no-untyped-call]


class GroupCollector(Collector):
    """prometheus_client's ProcessCollector for a group. Memory that is shared counts once."""

    def __init__(self, group: Board) -> None:
        self._group = group

    def collect(self) -> Iterator[Metric]:
        pids = [self._group.parent, *self._group.workers]
        # the parent's time holds that of the workers that have died
        seconds = sum(_cpu_seconds(pid, children=pid == self._group.parent) for pid in pids)
        yield CounterMetricFamily(
            "process_cpu_seconds", "CPU time of all processes, those that have ended too.", seconds
        )
        yield GaugeMetricFamily(
            "process_resident_memory_bytes",
            "Resident memory of all processes; what they share counts once.",
            sum(resident_bytes(pids)),
        )
        yield GaugeMetricFamily(
            "process_open_fds",
            "Open files of all processes.",
            sum(len(_entries(pid, "fd")) for pid in pids),
        )
        yield GaugeMetricFamily(
            "process_start_time_seconds",
            "When the first process started, since the epoch.",
            _started(self._group.parent),
        )


def resident_bytes(pids: Iterable[int]) -> list[int]:
    """The memory of each process, what it shares divided among those who share it (PSS)."""
    found = []
    for pid in pids:
        lines = _text(pid, "smaps_rollup").splitlines()
        sizes = [int(line.split()[1]) for line in lines if line.startswith("Pss:")]
        found.append(1024 * sum(sizes))
    return found


def _cpu_seconds(pid: int, *, children: bool) -> float:
    fields = _text(pid, "stat").rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if children else 13])) / _TICKS


def _started(pid: int) -> float:
    fields = _text(pid, "stat").rpartition(")")[2].split()
    boot = [line for line in (_PROC / "stat").read_text().splitlines() if line[:5] == "btime"]
    return float(boot[0].split()[1]) + int(fields[19]) / _TICKS


def _text(pid: int, name: str) -> str:
    """A file of /proc, empty if the process has just ended."""
    try:
        return (_PROC / str(pid) / name).read_text()
    except OSError:
        return ""


def _entries(pid: int, name: str) -> list[Path]:
    try:
        return list((_PROC / str(pid) / name).iterdir())
    except OSError:
        return []


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # of a process that has just ended
        return 0
