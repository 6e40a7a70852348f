"""Several processes on one port: the models are loaded once, workers are forked, those that die are replaced.

Forked workers share the models' memory. They also share the listening socket, so that no connection is lost
with a worker, and the worker with the fewest connections takes the next one: left to their event loops, the
first to wake up would take them all. Leaves out what a worker serves (app.py).
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
from collections.abc import Sequence
from functools import partial
from types import FrameType
from typing import cast

import uvicorn
from fastapi import FastAPI

from service.http.protocol import Config, Connection
from service.processes import Board
from service.registry.registry import Registry
from service.scheduling.executors import EventLoopExecutor
from service.settings import Settings

logger = logging.getLogger("textloom.supervisor")

Second = Sequence[tuple[Config, socket.socket]]
"""Further sockets that listen, each with how it is served: the second port, if there is one."""

BACKLOG = 2048
TICKS = 5
"""Of uvicorn, half a second, after which idle connections are looked for."""
PATIENCE = 0.02
"""Seconds for which a worker leaves a new connection to those that have fewer."""
SHORT_LIFE = 5.0
"""A worker that dies sooner, in seconds, is replaced later and later."""
LONGEST_PAUSE = 10.0
KILL_AFTER = 3.0
"""Seconds beyond the time for shutting down after which a worker that hangs is killed."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises OSError if the address cannot be had."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


class Server(uvicorn.Server):
    """uvicorn, but not ready from the very signal on, before it closes its sockets."""

    config: Config

    def __init__(self, config: Config, registry: Registry, second: Second = ()) -> None:
        super().__init__(config)
        self._registry, self._second = registry, second
        if isinstance(registry.executor, EventLoopExecutor):
            registry.executor.in_flight = self.server_state.tasks
            registry.executor.connections = self.server_state.connections

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        loop = asyncio.get_running_loop()
        for config, listener in self._second:
            config.load()
            server = await loop.create_server(partial(self._protocol, config), sock=listener)
            self.servers.append(server)  # so that it ends with the others

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS == 0:
            for connection in tuple(self.server_state.connections):
                cast("Connection", connection).close_if_idle()
        return await super().on_tick(counter)

    def _protocol(self, config: Config) -> asyncio.Protocol:
        made: asyncio.Protocol = config.http_protocol_class(  # type: ignore[call-arg]
            config=config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._registry.drain()
        super().handle_exit(sig, frame)


class Worker(Server):
    """One of several processes that accept connections from one socket."""

    def __init__(
        self,
        config: Config,
        registry: Registry,
        listener: socket.socket,
        board: Board,
        index: int,
        second: Second = (),
    ) -> None:
        super().__init__(config, registry, second)
        self._listener, self._board, self._index = listener, board, index

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        self._accepting = asyncio.create_task(self._accept())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._accepting.cancel()
        await super().shutdown(sockets=[])

    async def on_tick(self, counter: int) -> bool:
        self._board.set_connections(self._index, len(self.server_state.connections))
        return await super().on_tick(counter)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            readable = loop.create_future()
            loop.add_reader(self._listener, _resolve, readable)
            try:
                await readable
            finally:
                loop.remove_reader(self._listener)
            patient_until = time.monotonic() + PATIENCE
            while not self._share() and time.monotonic() < patient_until:  # noqa: ASYNC110  there is no event
                await asyncio.sleep(0.001)
            accepted = self._take(max(1, self._share()))
            # together: each one awaited would be a round of the loop, with a batch to compute in it
            protocol = partial(self._protocol, self.config)
            await asyncio.gather(
                *(loop.connect_accepted_socket(protocol, each) for each in accepted),
                return_exceptions=True,  # a client that has gone meanwhile
            )

    def _take(self, most: int) -> list[socket.socket]:
        """The connections that wait to be accepted."""
        taken: list[socket.socket] = []
        try:
            while len(taken) < most:
                connection, _ = self._listener.accept()
                connection.setblocking(False)
                taken.append(connection)
        except (BlockingIOError, ConnectionError):
            pass  # another worker was faster, or the client has gone
        except OSError as error:  # too many open files, for one
            logger.error("a connection cannot be accepted: %s", error)
        return taken

    def _share(self) -> int:
        """How many connections to take before other workers have noticeably fewer: few are spread evenly,
        hundreds roughly, as each time that some are taken may cost the time of a batch."""
        mine = len(self.server_state.connections)
        self._board.set_connections(self._index, mine)
        return max(0, self._board.fewest() + 1 + mine // 8 + mine * mine // 1024 - mine)


class Supervisor:
    """The parent of the workers."""

    def __init__(
        self,
        app: FastAPI,
        board: Board,
        config: Config,
        listener: socket.socket,
        second: Second = (),
    ) -> None:
        self._settings: Settings = app.state.settings
        self._registry: Registry = app.state.registry
        self._restarts = app.state.metrics.worker_restarts
        self._forget = app.state.metrics.forget_process
        self._config, self._listener, self._second = config, listener, second
        self._board = board
        self._places: dict[int, int] = {}
        self._born: dict[int, float] = {}
        self._short_lives = 0

    def run(self) -> int:
        """Serves until SIGTERM or SIGINT. Gives the exit status: 1 if a worker had to be killed."""
        asyncio.run(self._registry.load())
        gc.collect()
        gc.freeze()  # else the collector of each worker would write into the shared memory
        signals = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        for index in range(self._settings.processes):
            self._fork(index)
        while True:
            received = _signal(signals, self._settings.watch_seconds)
            if received is None:
                asyncio.run(self._registry.refresh())  # for the workers that will yet be forked
                continue
            if received != signal.SIGCHLD:
                return self._stop(signals)
            for pid, status in self._reaped():
                self._replace(pid, status)

    def _fork(self, index: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._serve(index)
        self._places[pid], self._born[pid] = index, time.monotonic()
        self._board.set_worker(index, pid)

    def _serve(self, index: int) -> None:
        """In the worker: never returns."""
        status = 1
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                # uvicorn raises the signal again once it has shut down: that is a normal end
                signal.signal(number, lambda *_: sys.exit(0))
            _die_with_parent(self._board.parent)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            self._board.set_worker(index, os.getpid())
            Worker(
                self._config, self._registry, self._listener, self._board, index, self._second
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
        for pid in self._places:
            gone, status = os.waitpid(pid, os.WNOHANG)
            if gone:
                ended.append((pid, os.waitstatus_to_exitcode(status)))
        return ended

    def _replace(self, pid: int, status: int) -> None:
        index, lived = self._places.pop(pid), time.monotonic() - self._born.pop(pid)
        self._board.set_worker(index, 0)
        self._forget(pid)
        self._short_lives = self._short_lives + 1 if lived < SHORT_LIFE else 0
        pause = min(LONGEST_PAUSE, 0.1 * 2**self._short_lives) if self._short_lives > 1 else 0.0
        logger.error(
            "worker %d ended with status %d; another one starts in %.1f s", pid, status, pause
        )
        self._restarts.inc()
        # a signal that comes meanwhile is not lost: it is blocked, and waits
        time.sleep(pause)
        self._fork(index)

    def _stop(self, signals: set[signal.Signals]) -> int:
        for pid in self._places:
            os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + self._settings.shutdown_seconds + KILL_AFTER
        worst = 0
        while self._places:
            left = end - time.monotonic()
            received = _signal(signals, left) if left > 0 else None
            if received != signal.SIGCHLD:
                logger.error("%d workers are killed before they have finished", len(self._places))
                for pid in self._places:
                    os.kill(pid, signal.SIGKILL)
                for pid in self._places:
                    os.waitpid(pid, 0)
                return 1
            for pid, status in self._reaped():
                del self._places[pid]
                worst = max(worst, abs(status))
        return 1 if worst else 0


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _signal(signals: set[signal.Signals], seconds: float) -> int | None:
    """The next of these signals, None if none comes in time.

    A process that is stopped for that long, and goes on, gets something from sigtimedwait that is no signal.
    """
    received = signal.sigtimedwait(signals, seconds)
    return received.si_signo if received and received.si_signo in signals else None


def _die_with_parent(parent: int) -> None:
    """Has the system end this process when its parent is gone, however that comes about (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)
