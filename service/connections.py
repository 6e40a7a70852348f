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
    """uvicorn's, but also closed if nothing ever comes, like one that has become idle; and what is refused by
    its head alone never becomes a request of the app: under overload, nearly all the time would go there."""

    config: "Config"
    _refusal: bytes | None = None
    """The answer to the request that comes in, if it has been refused."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def on_headers_complete(self) -> None:
        if self.config.refuse_by_head and self._plain:
            method = self.parser.get_method()
            self._refusal = self.config.edge.refused_by_head(method, self.url, self.headers)
        if self._refusal is None:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._refusal is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._refusal is None:
            super().on_message_complete()
            return
        self.transport.write(self._refusal)
        self._refusal = None
        self.on_response_complete()

    @property
    def _plain(self) -> bool:
        """Whether an answer may be written as soon as the request is there, and another may follow."""
        idle = not self._answering and not self.flow.write_paused
        return idle and not self.expect_100_continue and self.parser.should_keep_alive()

    @property
    def _answering(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete


class GuardedConnection(Connection):
    """One that answers 431 to a head that is too large, and 408 to one that comes too slowly."""

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
        # with keys the gate decides first, and it sees only what is a request of the app
        self.refuse_by_head = not second_port and settings.keys is None
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
