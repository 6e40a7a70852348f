"""The server of one process: uvicorn's, with readiness, idle connections and further ports.

Leaves out connections (protocol.py) and several processes (processes/).
"""

import asyncio
import socket
from collections.abc import Sequence
from functools import partial
from types import FrameType
from typing import cast

import uvicorn

from service.http.protocol import Config, Connection
from service.registry.registry import Registry
from service.scheduling.executors import EventLoopExecutor

Listeners = Sequence[tuple[Config, socket.socket]]
"""Sockets that listen, each with how it is served."""

BACKLOG = 2048
IDLE_CHECK_TICKS = 5
"""Of uvicorn, half a second: between two checks for idle connections."""


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
    """uvicorn's, but not ready from the moment of the signal, before it closes its sockets."""

    config: Config

    def __init__(self, config: Config, registry: Registry, further: Listeners = ()) -> None:
        super().__init__(config)
        self._registry, self._further = registry, further
        if isinstance(registry.executor, EventLoopExecutor):
            registry.executor.in_flight = self.server_state.tasks
            registry.executor.connections = self.server_state.connections

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        loop = asyncio.get_running_loop()
        for config, listener in self._further:
            config.load()
            server = await loop.create_server(partial(self.make_protocol, config), sock=listener)
            self.servers.append(server)  # so that it ends with the others

    async def on_tick(self, counter: int) -> bool:
        if counter % IDLE_CHECK_TICKS == 0:
            for connection in tuple(self.server_state.connections):
                cast("Connection", connection).close_if_idle()
        return await super().on_tick(counter)

    def make_protocol(self, config: Config) -> asyncio.Protocol:
        made: asyncio.Protocol = config.http_protocol_class(  # type: ignore[call-arg]
            config=config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._registry.drain()
        super().handle_exit(sig, frame)
