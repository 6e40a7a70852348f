"""The probe: reads the repository in a process of its own, since a disk that hangs would make its reader hang too.

Leaves out what becomes of a change (registry/registry.py).
"""

import logging
import os
import signal
import time
from collections.abc import Callable

logger = logging.getLogger("textloom.supervisor")

_CHANGED, _FAILED = 10, 11


class Probe:
    """One look at the repository at a time."""

    def __init__(self, changed: Callable[[], bool], seconds: float) -> None:
        """changed: reads the repository, and says whether it has changed. seconds: how long that may take."""
        self._changed, self._seconds = changed, seconds
        self._pid = 0
        self._began = 0.0
        self._killed = False

    def start(self) -> None:
        """Look, unless a look is under way."""
        if self._pid:
            return
        pid = os.fork()
        if pid == 0:
            self._look()
        self._pid, self._began, self._killed = pid, time.monotonic(), False

    def poll(self) -> bool:
        """Whether a look has ended and found a change. Ends one that takes too long."""
        if not self._pid:
            return False
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid:
            self._pid = 0
            return not self._killed and os.waitstatus_to_exitcode(status) == _CHANGED
        if not self._killed and time.monotonic() - self._began > self._seconds:
            logger.error("the repository cannot be read within %g s", self._seconds)
            self.close()
        return False

    def close(self) -> None:
        """End the look that is under way, without waiting: a disk that hangs may keep it."""
        if self._pid and not self._killed:
            os.kill(self._pid, signal.SIGKILL)
            self._killed = True

    def _look(self) -> None:
        """In the process of its own: never returns."""
        status = _FAILED
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            status = _CHANGED if self._changed() else 0
        except Exception as error:  # noqa: BLE001  the registry says what is wrong, when it reads it
            logger.error("the repository cannot be read: %s", type(error).__name__)
        finally:
            logging.shutdown()
            os._exit(status)
