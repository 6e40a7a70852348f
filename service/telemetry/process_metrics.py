"""The metrics of several processes together: what they have counted, and what /proc says about them.

Leaves out the metrics themselves (metrics.py) and how the processes find each other (processes/).
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.processes.worker_table import WorkerTable

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


class CountsCollector(MultiProcessCollector):
    """prometheus_client's collector of what all processes have counted. It skips empty files: a process has just
    created them, and they cannot be read yet."""

    def collect(self) -> Iterator[Metric]:
        files = [str(file) for file in Path(self._path).glob("*.db") if _size(file)]
        return self.merge(files)  # type: ignore[no-any-return, no-untyped-call]


class GroupCollector(Collector):
    """prometheus_client's ProcessCollector for a group. Memory that is shared counts once."""

    def __init__(self, worker_table: WorkerTable) -> None:
        self._worker_table = worker_table

    def collect(self) -> Iterator[Metric]:
        pids = [self._worker_table.parent, *self._worker_table.workers]
        # the parent's time holds that of the workers that have died
        seconds = sum(_cpu_seconds(pid, children=pid == self._worker_table.parent) for pid in pids)
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
            _started(self._worker_table.parent),
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
