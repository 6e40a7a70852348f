"""The adapter of uvicorn's connections: a fast path past ASGI for requests for a task, and the limits of a head.

Leaves out what is answered (handler.py), and bodies that come slowly or in parts (limits.py).
"""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple, cast

import uvicorn
from fastapi import FastAPI
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.errors import HeadTooLarge, TextLoomError, TooSlow
from service.http.handler import SHORT_BYTES, Handler
from service.http.task_route import TaskRoute
from service.settings import Settings

MAX_CACHED_HEADS = 1024
"""When so many are cached, the cache is cleared."""

MAX_CACHED_HEAD_BYTES = 1024
"""Longer heads are not cached."""


class Head(NamedTuple):
    """Of a request for a task that may take the fast path.

    Callers send the same few heads again and again, so they are cached: parsing one takes longer than refusing its
    request.
    """

    task: TaskRoute
    url: bytes
    fields: list[tuple[bytes, bytes]]
    headers: Mapping[bytes, bytes]
    """The fields by name."""
    size: int
    """Of the body, in bytes; 0 if the head does not say."""


class Exchange:
    """A request for a task on the fast path, and its answer.

    It has the attributes of uvicorn's own RequestResponseCycle that a connection uses.
    """

    message_event = asyncio.Event()
    """uvicorn sets it when a caller has left; nothing waits for it here."""

    def __init__(self, connection: "Connection", head: Head) -> None:
        self._connection, self._head = connection, head
        self.parts: list[bytes] = []
        """The parts of the body that have come."""
        self.short = 0 < head.size <= SHORT_BYTES
        self.response_complete = self.disconnected = self._began = False
        self.keep_alive = True

    def begin(self) -> None:
        """The body has come."""
        connection = self._connection
        self._answering = connection.loop.create_task(self._answer(connection.make_scope()))
        connection.tasks.add(self._answering)
        self._answering.add_done_callback(connection.tasks.discard)

    def cancel(self) -> None:
        """The caller has left."""
        self.disconnected = True
        if self._began:  # otherwise the request would never be counted
            self._answering.cancel()

    async def _answer(self, scope: Scope) -> None:
        connection, body = self._connection, b"".join(self.parts)
        answer, self._began = b"", True
        if self.disconnected:
            self._answering.cancel()
        try:
            handler = connection.config.handler
            answer = await handler.answer(self._head.task, scope, self._head.headers, body)
        finally:
            self.response_complete = True
            if not self.disconnected:
                connection.answer(answer, keep_alive=self.keep_alive)


class Connection(HttpToolsProtocol):
    """uvicorn's, with a fast path past ASGI for requests for a task that are short or come in one piece.

    One that is refused by its head alone becomes neither a task nor a scope: under overload they would take nearly
    all the time. A connection on which nothing ever comes is closed like one that has become idle.
    """

    # as attributes they would bring uvicorn's object to over thirty, and Python would then keep a whole dictionary
    # for each connection
    __slots__ = ("_between", "_exchange", "_head", "_idle_since", "_refusal")

    config: "Config"
    _exchange: Exchange | None
    """The request that comes in, if it may take the fast path."""
    _between: bool
    """Whether the next byte begins a request."""
    _head: Head | None
    """Of a request in the data that is being read, if it may take the fast path."""
    _refusal: bytes | None
    """The answer to the request that comes in, if it has been refused."""
    _idle_since: float | None
    """In the time of the event loop."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._exchange = self._head = self._refusal = None
        self._between = True
        self._idle_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        self._idle_since = None
        end = data.find(b"\r\n\r\n") + 4 if self._between else 0
        head = self.config.head_cache.get(data[:end])
        free = not (self._answering or self.flow.write_paused)
        if head and free and len(data) == end + head.size:
            self._begin(head)
            if self._exchange:
                self.url, self.headers, self.expect_100_continue = head.url, head.fields, False
                self._exchange.parts.append(data[end:])
            self.on_message_complete()
            return
        super().data_received(data)
        head, self._head = self._head, None
        if head and end and self._between and len(data) == end + head.size:
            self.config.cache_head(data[:end], head)
        if self._exchange and (self.config.read_seconds or not self._exchange.short):
            self._fall_back_to_asgi(self._exchange.parts)

    def on_message_begin(self) -> None:
        self._between = False
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def make_scope(self) -> Scope:
        """uvicorn makes it when a message begins; here it is made later, as a refusal by the head needs none."""
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers += headers
        return cast("Scope", self.scope)

    def on_headers_complete(self) -> None:
        task = self._task()
        if task is None:
            self.make_scope()
            super().on_headers_complete()
            return
        headers = dict(self.headers)
        size = headers.get(b"content-length", b"")
        self._head = Head(task, self.url, self.headers, headers, int(size) if size.isdigit() else 0)
        self._begin(self._head)

    def _begin(self, head: Head) -> None:
        """A request for a task takes the fast path, or is refused."""
        if self.tasks:  # without others in flight it is never refused
            fields = self.server_state.default_headers
            self._refusal = self.config.handler.refused_by_head(
                head.task, head.headers, head.size, fields
            )
        if self._refusal is None:
            self._exchange = Exchange(self, head)
            self.cycle = self._exchange  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        if self._exchange:
            self._exchange.parts.append(body)
        elif self._refusal is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._between = True
        if self._exchange:
            self._exchange.begin()
            self._exchange = None
        elif self._refusal is not None:
            refusal, self._refusal = self._refusal, None
            self.transport.write(refusal)
            self.on_response_complete()
        else:
            super().on_message_complete()
            return
        # thousands of idle connections that kept them would fill the caches of the CPU
        self.scope = self.headers = None  # type: ignore[assignment]

    def answer(self, answer: bytes, *, keep_alive: bool = True) -> None:
        """Sends an answer with the connection's own header fields; b"" if there is none."""
        fields = [b"%s: %s\r\n" % field for field in self.server_state.default_headers]
        if not keep_alive:
            fields.append(b"connection: close\r\n")
        status, end, rest = answer.partition(b"\r\n")
        self.transport.write(b"".join([status, end, *fields, rest]) if answer else b"")
        if not (answer and keep_alive):
            self.transport.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        if isinstance(self.cycle, Exchange):
            self.cycle = None  # type: ignore[assignment]
        # uvicorn sets a timer here, for every request
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._idle_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._exchange:
            self._fall_back_to_asgi(self._exchange.parts)  # which counts callers who leave
        elif self._answering and isinstance(self.cycle, Exchange):
            self.cycle.cancel()
        super().connection_lost(exc)

    def close_if_idle(self) -> None:
        """To be called from time to time."""
        since = self._idle_since
        if since is not None and self.loop.time() - since >= self.timeout_keep_alive:
            self.timeout_keep_alive_handler()

    def _fall_back_to_asgi(self, body: list[bytes]) -> None:
        """The request that comes in becomes one of ASGI, with the parts of its body that have come."""
        self._exchange = self.cycle = None  # type: ignore[assignment]
        self.make_scope()
        super().on_headers_complete()
        for part in body:
            super().on_body(part)

    def _task(self) -> TaskRoute | None:
        """The route of the request, if it may take the fast path."""
        if not self.config.fast_path or self.parser.get_method() != b"POST":
            return None
        task = self.config.handler.tasks.get(self.url)
        return task if task and self._plain else None

    @property
    def _plain(self) -> bool:
        """Whether the answer may be written as soon as the request has come, and another request may follow."""
        if self._answering or self.flow.write_paused or self.expect_100_continue:
            return False
        return self.parser.should_keep_alive() and not self.parser.should_upgrade()

    @property
    def _answering(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete


class GuardedConnection(Connection):
    """One that answers 431 to a head that is too large, and 408 to one that comes too slowly."""

    _in_body = _message_ended = False
    _head_bytes = 0
    """Of a head whose end has not come."""
    _timer: asyncio.TimerHandle | None = None
    _too_large = False

    def data_received(self, data: bytes) -> None:
        self._message_ended = False
        super().data_received(data)
        read = self._message_ended or (self._in_body and self._answering)
        if read or self.transport.is_closing():
            return
        # here: parts of a head, or of a body that no route reads
        if not self._in_body:
            self._head_bytes += len(data)
            if 0 < self.config.max_head_bytes < self._head_bytes:
                self._refuse_large()
        if self.config.read_seconds and not self._timer:
            self._timer = self.loop.call_later(self.config.read_seconds, self._refuse_slow)

    def on_headers_complete(self) -> None:
        self._stop_timer()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if 0 < self.config.max_head_bytes < size:
            self._too_large = True
            raise ValueError("the head is too large")  # which the parser makes its own error of
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._stop_timer()
        self._in_body, self._message_ended, self._head_bytes = False, True, 0
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
        if not (self._in_body or self._answering):  # otherwise it would end up in another answer
            self.transport.write(self.config.handler.refusal(error))
        self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


class Config(uvicorn.Config):
    """uvicorn's configuration, with what a connection needs to know."""

    def __init__(self, app: FastAPI, *, second_port: bool = False) -> None:
        settings: Settings = app.state.settings
        self.handler: Handler = app.state.handler
        self.max_head_bytes = settings.max_head_bytes
        self.read_seconds = settings.read_seconds
        self.head_cache: dict[bytes, Head] = {}
        # with keys the authenticator decides first, and it takes ASGI requests only
        self.fast_path = not second_port and settings.keys is None
        guarded = settings.max_head_bytes or settings.read_seconds
        super().__init__(
            self.handler.second_port if second_port else self.handler,
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

    def cache_head(self, data: bytes, head: Head) -> None:
        """By its bytes: the same bytes mean the same head, whoever sends them."""
        if len(data) <= MAX_CACHED_HEAD_BYTES:
            if len(self.head_cache) == MAX_CACHED_HEADS:
                self.head_cache.clear()
            self.head_cache[data] = head
