"""A worker: one of several processes that take connections from the same socket.

The worker with the fewest connections takes the next one: left to their event loops, the first to wake up would
take them all. Leaves out what a worker serves (http/) and who starts it (supervisor.py).
"""

import asyncio
import logging
import socket
import time
from functools import partial

from service.http.server import Config, Listeners, Server
from service.processes.worker_table import WorkerTable
from service.registry.registry import Registry

logger = logging.getLogger("textloom.worker")

PAUSE_SECONDS = 1.0
"""How long a worker accepts nothing when it has no descriptor left."""
YIELD_SECONDS = 0.02
"""How long a worker leaves a new connection to those that have fewer."""


class Worker(Server):
    """One of several processes that accept connections from one socket."""

    def __init__(
        self,
        config: Config,
        registry: Registry,
        listener: socket.socket,
        worker_table: WorkerTable,
        index: int,
        further: Listeners = (),
    ) -> None:
        super().__init__(config, registry, further)
        self._listener, self._worker_table, self._index = listener, worker_table, index

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        self._accepting = asyncio.create_task(self._accept())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._accepting.cancel()
        await super().shutdown(sockets=[])

    async def on_tick(self, counter: int) -> bool:
        self._worker_table.beat(self._index)
        self._worker_table.set_connections(self._index, len(self.server_state.connections))
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
            yield_until = time.monotonic() + YIELD_SECONDS
            while not self._fair_share() and time.monotonic() < yield_until:  # noqa: ASYNC110  there is no event
                await asyncio.sleep(0.001)
            accepted = self._take(max(1, self._fair_share()))
            if accepted is None:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            # together: awaiting each would take an iteration of the loop, with a batch to compute in it
            protocol = partial(self.make_protocol, self.config)
            await asyncio.gather(
                *(loop.connect_accepted_socket(protocol, each) for each in accepted),
                return_exceptions=True,  # a client that has gone meanwhile
            )

    def _take(self, most: int) -> list[socket.socket] | None:
        """The connections that wait to be accepted; None if there is no descriptor for one."""
        taken: list[socket.socket] = []
        try:
            while len(taken) < most:
                connection, _ = self._listener.accept()
                connection.setblocking(False)
                taken.append(connection)
        except (BlockingIOError, ConnectionError):
            pass  # another worker was faster, or the client has gone
        except OSError as error:  # too many open files, for one
            logger.error("connections cannot be accepted: %s", error)
            return taken or None
        return taken

    def _fair_share(self) -> int:
        """How many connections to take before other workers have noticeably fewer: few are spread evenly, hundreds
        roughly, as each time that some are taken may cost the time of a batch."""
        mine = len(self.server_state.connections)
        self._worker_table.set_connections(self._index, mine)
        return max(
            0, self._worker_table.fewest_connections() + 1 + mine // 8 + mine * mine // 1024 - mine
        )


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
