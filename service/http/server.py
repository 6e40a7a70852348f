"""The server of one process: uvicorn's, with readiness and further ports.

Leaves out connections (asgi.py, protocol.py) and several processes (processes/).
"""

import asyncio
import logging
import resource
import socket
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from types import FrameType
from typing import Any, Literal

import uvicorn

from service.http.asgi import AsgiApp, Lifespan
from service.http.handler import Handler
from service.registry.registry import Registry
from service.scheduling.executors import EventLoopExecutor
from service.settings import Settings

logger = logging.getLogger("textloom.http")

Config = uvicorn.Config

Listeners = Sequence[tuple[Config, socket.socket]]
"""Sockets that listen, each with how it is served."""

Adapter = Literal["protocol", "asgi"]

FAST_ADAPTER = "service.http.protocol"

BACKLOG = 2048

OTHER_DESCRIPTORS = 100
"""Of a process, for files, the event loop, and connections that are being refused."""


def make_config(
    handler: Handler,
    lifespan: Lifespan,
    settings: Settings,
    *,
    second_port: bool = False,
    adapter: Adapter = "protocol",
) -> Config:
    """How uvicorn serves. adapter: `protocol`, if that module is there, which answers the same in less time."""
    http: Any = "h11"  # uvicorn's use of httptools loses the body of a request with `Upgrade: h2c`
    if adapter == "protocol" and find_spec(FAST_ADAPTER):
        connection = import_module(FAST_ADAPTER).Connection
        http = partial(connection, handler=handler, settings=settings, second_port=second_port)
    return Config(
        AsgiApp(handler, lifespan, second_port=second_port),
        interface="asgi3",
        loop="uvloop",
        http=http,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=settings.idle_seconds,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )


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


def fit_descriptors(settings: Settings) -> Settings:
    """The settings with no more connections than there may be descriptors; their limit is raised if it can be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = settings.max_connections + OTHER_DESCRIPTORS
    if soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft >= needed:
        return settings
    fitting = max(1, soft - OTHER_DESCRIPTORS)
    logger.warning("%d descriptors allow %d connections only", soft, fitting)
    return settings.model_copy(update={"max_connections": fitting})


class Server(uvicorn.Server):
    """uvicorn's, but not ready from the moment of the signal, before it closes its sockets."""

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

    def make_protocol(self, config: Config) -> asyncio.Protocol:
        made: asyncio.Protocol = config.http_protocol_class(  # type: ignore[call-arg]
            config=config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._registry.drain()
        super().handle_exit(sig, frame)
