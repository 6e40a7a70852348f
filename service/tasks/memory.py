"""A limit on the memory that loading a bundle may take, so that a graph which asks for more is refused in time.

Leaves out what a graph may be at all (graph_check.py).
"""

import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOST_BYTES = 512 * 1024 * 1024
"""Some twelve times what the largest shipped bundle takes."""

_one_at_a_time = threading.Lock()


@contextmanager
def limited(root: Path = Path("/sys/fs/cgroup")) -> Iterator[int]:
    """Within it this process gets so many bytes more, and an allocation beyond them fails (Linux only).

    Yields the number: MOST_BYTES, or what this process leaves of the container's memory if that is less. One at a
    time, so that it is not another's loading that fails. root: where control groups are.
    """
    most = min(MOST_BYTES, max(0, _container(root) - _status("VmRSS:")))
    if sys.platform != "linux":
        yield most
        return
    with _one_at_a_time:
        before = resource.getrlimit(resource.RLIMIT_DATA)
        end = _status("VmData:") + most
        now = end if before[0] == resource.RLIM_INFINITY else min(end, before[0])
        resource.setrlimit(resource.RLIMIT_DATA, (now, before[1]))
        try:
            yield most
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, before)


def _status(field: str) -> int:
    """Bytes of this process: VmRSS is what it has, VmData what counts for the limit; 0 where that is not told."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field)), 0)


def _container(root: Path) -> int:
    """Bytes of memory that the control group may have."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # version 2, version 1
        try:
            return int((root / name).read_text())
        except (OSError, ValueError):  # none is there, or it says `max`
            continue
    return sys.maxsize
