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

    Yields the number: MOST_BYTES, or what the container has left if that is less. One at a
    time, so that it is not another's loading that fails. root: where control groups are.
    """
    most = min(MOST_BYTES, _left(root))
    if sys.platform != "linux":
        yield most
        return
    with _one_at_a_time:
        before = resource.getrlimit(resource.RLIMIT_DATA)
        end = _data() + most
        now = end if before[0] == resource.RLIM_INFINITY else min(end, before[0])
        resource.setrlimit(resource.RLIMIT_DATA, (now, before[1]))
        try:
            yield most
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, before)


def _data() -> int:
    """Bytes of this process that count for the limit."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))


def _left(root: Path) -> int:
    """Bytes of memory that the control group may still take, caches of files not counted."""
    for folder, limit, used in (
        (root, "memory.max", "anon"),  # version 2
        (root / "memory", "memory.limit_in_bytes", "total_rss"),  # version 1
    ):
        try:
            most = int((folder / limit).read_text())
            lines = (folder / "memory.stat").read_text().splitlines()
            taken = next(int(line.split()[1]) for line in lines if line.split()[0] == used)
        except (OSError, ValueError, StopIteration):  # none is there, or it says `max`
            continue
        return max(0, most - taken)
    return sys.maxsize
