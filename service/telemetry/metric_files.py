"""The files in which several processes count together: made with all the room they need, and removed.

prometheus_client writes into memory that is a sparse file, and where no room is left, the system ends who does so
(SIGBUS). So the room is taken before anything counts. A worker that takes the place of a dead one goes on with
its files, so they do not become more. Leaves out what is counted (metrics.py), and imports nothing of
prometheus_client, which looks at the variable FOLDER when it is imported.
"""

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

logger = logging.getLogger("textloom.metrics")

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Variable with the folder of the files."""
PREFIX = "textloom-"
LOCK = "lock"
"""File in the folder that its processes hold locked."""
SUPERVISOR = "supervisor"

SIZES = {
    "counter": 512 * 1024,
    "histogram": 512 * 1024,
    "gauge_livemax": 64 * 1024,
    "gauge_livemin": 64 * 1024,
    "gauge_livesum": 64 * 1024,
}
"""Bytes of each file of a process: several times what the models that are shipped need."""
RESERVE = 4 * 1024 * 1024
"""Bytes that must be free for a series that a file might have to grow for."""

_process = {"writer": SUPERVISOR}


def places() -> list[Path]:
    """Where a folder may be, best first: shared memory never reaches a disk."""
    return [Path("/dev/shm"), Path(tempfile.gettempdir())]  # noqa: S108  mkdtemp makes a folder in it


def make(workers: int, places: Iterable[Path]) -> Path | None:
    """A new folder with the files of a supervisor and so many workers; None if there is no room in any place.

    Removes what supervisors that are no more have left there.
    """
    for place in places:
        if not os.access(place, os.W_OK):
            continue
        remove_stale(place)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        lock = -1
        try:
            lock = _hold(folder)
            for writer in (SUPERVISOR, *map(str, range(workers))):
                for kind, size in SIZES.items():
                    _allocate(folder / f"{kind}_{writer}.db", size)
        except OSError:
            if lock >= 0:
                os.close(lock)
            shutil.rmtree(folder, ignore_errors=True)
        else:
            return folder
    return None


def remove_stale(place: Path) -> None:
    """Remove the folders that no process holds."""
    for folder in place.glob(f"{PREFIX}*"):
        try:
            with (folder / LOCK).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # it is held, not ours, or without a lock
            continue


def together() -> bool:
    """Whether several processes count together here."""
    return FOLDER in os.environ


def writer() -> str:
    """Whose files this process writes."""
    return _process["writer"]


def become_worker(index: int) -> None:
    """This process is now worker number `index`, and counts in its files."""
    _process["writer"] = str(index)


def empty_gauges(index: int) -> None:
    """Worker number `index` has ended: what it counted stays, its gauges do not. The files keep their room."""
    for kind in SIZES:
        if kind.startswith("gauge"):
            with (Path(os.environ[FOLDER]) / f"{kind}_{index}.db").open("r+b") as file:
                file.write(bytes(4))  # how much of it is used


def has_room() -> bool:
    """Whether files may grow."""
    if not together():
        return True
    found = os.statvfs(os.environ[FOLDER])
    return found.f_bavail * found.f_frsize >= RESERVE


def _hold(folder: Path) -> int:
    """Lock a folder until this process ends, and those forked from it; gives the descriptor that does so."""
    descriptor = os.open(folder / f".{LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    (folder / f".{LOCK}").rename(folder / LOCK)
    return descriptor


def _allocate(path: Path, size: int) -> None:
    """Raises OSError if there is no room."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)
