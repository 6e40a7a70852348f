"""Connections: how uvicorn serves here, and how large and how slow the head of a request may be.

Leaves out bodies: once there is a head there is a request, and the edge answers it (http.py).
"""

import asyncio

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.errors import HeadTooLarge, TextLoomError, TooSlow
from service.http import Edge
from service.settings import Settings


class Connection(HttpToolsProtocol):
    """uvicorn's, but also closed if nothing ever comes, like one that has become idle."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )


class GuardedConnection(Connection):
    """One that answers 431 to a head that is too large, and 408 to one that comes too slowly."""

    config: "Config"
    _in_body = _message_ended = False
    _came = 0
    """Bytes of a head of which the end is not there."""
    _timer: asyncio.TimerHandle | None = None
    _too_large = False

    def data_received(self, data: bytes) -> None:
        self._message_ended = False
        super().data_received(data)
        read = self._message_ended or (self._in_body and self._answering)
        if read or self.transport.is_closing():
            return
        # here: parts of a head, or of a body that nobody reads
        if not self._in_body:
            self._came += len(data)
            if 0 < self.config.max_head_bytes < self._came:
                self._refuse_large()
        if self.config.read_seconds and not self._timer:
            self._timer = self.loop.call_later(self.config.read_seconds, self._refuse_slow)

    def on_headers_complete(self) -> None:
        self._stop_timer()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if 0 < self.config.max_head_bytes < size:
            self._too_large = True
            raise ValueError("the head is too large")  # which the parser makes its own error of
        self._in_body, self._came = True, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._stop_timer()
        self._in_body, self._message_ended = False, True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._too_large:
            self._refuse_large()
        else:
            super().send_400_response(msg)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _refuse_large(self) -> None:
        limit = self.config.max_head_bytes
        self._refuse(HeadTooLarge(f"the request's line and headers are over {limit} bytes"))

    def _refuse_slow(self) -> None:
        seconds = self.config.read_seconds
        self._refuse(TooSlow(f"the head of a request must come within {seconds:g} s"))

    def _refuse(self, error: TextLoomError) -> None:
        if self.transport.is_closing():
            return
        if not (self._in_body or self._answering):  # else it would end up in another answer
            self.transport.write(self.config.edge.refusal(error))
        self.transport.close()

    @property
    def _answering(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


class Config(uvicorn.Config):
    """uvicorn's configuration, with what a connection needs to know."""

    def __init__(self, app: FastAPI, *, second_port: bool = False) -> None:
        settings: Settings = app.state.settings
        self.edge: Edge = app.state.edge
        self.max_head_bytes = settings.max_head_bytes
        self.read_seconds = settings.read_seconds
        guarded = settings.max_head_bytes or settings.read_seconds
        super().__init__(
            self.edge.second_port if second_port else self.edge,
            interface="asgi3",
            loop="uvloop",
            http=GuardedConnection if guarded else Connection,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=settings.idle_seconds,
            timeout_graceful_shutdown=settings.shutdown_seconds,
        )
