"""The supervisor: the models are loaded once, workers are forked, and those that die are replaced.

Forked workers share the models' memory. They also share the listening socket, so that a connection which no worker
has taken is not lost with one. Nothing that may hang is done here once they serve: each reads the repository
itself. Leaves out what a worker does (worker.py).
"""

import asyncio
import ctypes
import gc
import logging
import os
import signal
import socket
import sys
import time

from service.http.server import Config, Listeners
from service.processes.worker import Worker
from service.processes.worker_table import WorkerTable
from service.registry.registry import Registry
from service.settings import Settings
from service.telemetry import metric_files
from service.telemetry.metrics import Metrics

logger = logging.getLogger("textloom.supervisor")

SHORT_LIFE = 5.0
"""A worker that dies sooner, in seconds, is replaced later and later."""
MAX_RESTART_DELAY = 10.0
CHECK_SECONDS = 1.0
"""Between two looks at the workers' heartbeats."""
KILL_AFTER = 3.0
"""Seconds beyond the time for shutting down after which a worker that hangs is killed."""


class Supervisor:
    """The parent of the workers."""

    def __init__(
        self,
        *,
        settings: Settings,
        registry: Registry,
        metrics: Metrics,
        worker_table: WorkerTable,
        config: Config,
        listener: socket.socket,
        further: Listeners = (),
    ) -> None:
        self._settings, self._registry, self._metrics = settings, registry, metrics
        self._config, self._listener, self._further = config, listener, further
        self._worker_table = worker_table
        self._indexes: dict[int, int] = {}
        """Of the living workers, by process id."""
        self._started_at: dict[int, float] = {}
        self._short_lives = 0
        self._checked = time.monotonic()

    def run(self) -> int:
        """Serves until SIGTERM or SIGINT. Gives the exit status: 1 if a worker had to be killed."""
        asyncio.run(self._registry.load(shown=False))
        gc.collect()
        gc.freeze()  # otherwise the collector of each worker would write into the shared memory
        signals = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        for index in range(self._settings.processes):
            self._fork(index)
        while True:
            received = _signal(signals, CHECK_SECONDS)
            if received not in (None, signal.SIGCHLD):
                return self._stop(signals)
            for pid, status in self._reaped():
                self._replace(pid, status)
            self._kill_hanging()

    def _kill_hanging(self) -> None:
        """End workers that have not been alive for long; they are replaced then."""
        now = time.monotonic()
        asleep, self._checked = now - self._checked - CHECK_SECONDS, now
        if asleep > self._settings.hang_seconds / 2:  # stopped, as the workers were perhaps
            return
        for pid in self._worker_table.silent(self._settings.hang_seconds):
            logger.error("worker %d hangs", pid)
            os.kill(pid, signal.SIGKILL)

    def _fork(self, index: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._serve(index)
        self._indexes[pid], self._started_at[pid] = index, time.monotonic()
        self._worker_table.set_worker(index, pid)

    def _serve(self, index: int) -> None:
        """In the worker: never returns."""
        status = 1
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                # uvicorn raises the signal again once it has shut down: that is a normal end
                signal.signal(number, lambda *_: sys.exit(0))
            _die_with_parent(self._worker_table.parent)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            metric_files.become_worker(index)
            self._worker_table.set_worker(index, os.getpid())
            Worker(
                self._config,
                self._registry,
                self._listener,
                self._worker_table,
                index,
                self._further,
            ).run()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        except BaseException:
            logger.exception("a worker broke down")
        finally:
            logging.shutdown()
            os._exit(status)

    def _reaped(self) -> list[tuple[int, int]]:
        """The workers that have ended, with their exit status."""
        ended = []
        for pid in self._indexes:
            gone, status = os.waitpid(pid, os.WNOHANG)
            if gone:
                ended.append((pid, os.waitstatus_to_exitcode(status)))
        return ended

    def _replace(self, pid: int, status: int) -> None:
        index, lived = self._indexes.pop(pid), time.monotonic() - self._started_at.pop(pid)
        self._worker_table.set_worker(index, 0)
        self._metrics.forget_worker(index)
        self._short_lives = self._short_lives + 1 if lived < SHORT_LIFE else 0
        pause = min(MAX_RESTART_DELAY, 0.1 * 2**self._short_lives) if self._short_lives > 1 else 0.0
        logger.error(
            "worker %d ended with status %d; another one starts in %.1f s", pid, status, pause
        )
        self._metrics.worker_restarts.inc()
        # a signal that comes meanwhile is not lost: it is blocked, and waits
        time.sleep(pause)
        self._fork(index)

    def _stop(self, signals: set[signal.Signals]) -> int:
        for pid in self._indexes:
            os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + self._settings.shutdown_seconds + KILL_AFTER
        worst = 0
        while self._indexes:
            left = end - time.monotonic()
            received = _signal(signals, left) if left > 0 else None
            if received != signal.SIGCHLD:
                logger.error("%d workers are killed before they have finished", len(self._indexes))
                for pid in self._indexes:
                    os.kill(pid, signal.SIGKILL)
                for pid in self._indexes:
                    os.waitpid(pid, 0)
                return 1
            for pid, status in self._reaped():
                del self._indexes[pid]
                worst = max(worst, abs(status))
        return 1 if worst else 0


def _signal(signals: set[signal.Signals], seconds: float) -> int | None:
    """The next of these signals, None if none comes in time.

    A process that is stopped for that long, and goes on, gets something from sigtimedwait that is no signal.
    """
    received = signal.sigtimedwait(signals, seconds)
    return received.si_signo if received and received.si_signo in signals else None


def _die_with_parent(parent: int) -> None:
    """Has the system end this process when its parent is gone, however that comes about (Linux only).

    At once, whatever it does: a worker that lived on would keep the port from the next supervisor.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)
