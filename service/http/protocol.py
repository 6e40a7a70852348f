"""The adapter of connections: what comes over one becomes requests, and their answers go back over it.

It takes the place of uvicorn's own connections, since ASGI costs as much as the rest of a short request. The only
module that knows what uvicorn expects of a connection; without it the server falls back to ASGI (asgi.py). Leaves
out what is answered (handler.py).
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.server import ServerState

from service.errors import BadRequest, HeadTooLarge, Overloaded, TextLoomError, TooSlow
from service.http.connection_body import ConnectionBody
from service.http.handler import Handler
from service.http.messages import CallerLeft, HttpRequest, HttpResponse
from service.settings import Settings

HIGH_WATER = 64 * 1024
"""Bytes of a body that may wait to be read; then nothing more is taken from the connection."""

MOST_WAITING = 32
"""Requests that may wait on a connection for the answers to those before them."""

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


class Connection(asyncio.Protocol):
    """One connection, whose requests are answered one after the other."""

    __slots__ = (
        "_answering", "_broken", "_closing", "_expects_continue", "_handler", "_head_bytes", "_headers", "_hosts",
        "_idle_since", "_idle_timer", "_last", "_loop", "_message_ended", "_parser", "_peer", "_read_timer",
        "_reading", "_receiving", "_second_port", "_settings", "_state", "_task", "_transport", "_upgrade", "_url",
        "_waiting", "_write_paused", "_write_timer", "_wrong",
    )  # fmt: skip

    def __init__(
        self,
        *,
        handler: Handler,
        settings: Settings,
        second_port: bool,
        server_state: ServerState,
        **_: Any,
    ) -> None:
        """server_state: uvicorn's, with what all connections share."""
        self._handler, self._settings, self._second_port = handler, settings, second_port
        self._state = server_state
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._idle_timer: asyncio.TimerHandle | None = None
        self._idle_since: float | None = self._loop.time()
        """When the last bytes came or the last answer went; None while a request is answered."""
        self._read_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        # of the message that comes in
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._expects_continue = self._upgrade = self._message_ended = False
        self._hosts = 0
        """How many headers of this name there are."""
        self._wrong = ""
        """What is wrong with it."""
        self._head_bytes = 0
        """Of a head whose end has not come."""
        self._receiving: ConnectionBody | None = None
        """The body that comes in."""
        # of the requests that have come
        self._waiting: deque[tuple[HttpRequest, ConnectionBody]] = deque()
        self._answering: ConnectionBody | None = None
        """The body of the request that is being answered."""
        self._task: asyncio.Task[None] | None = None
        self._reading = True
        self._write_paused = self._closing = self._broken = False
        self._last: HttpResponse | None = None
        """The answer to what is no request, once those before it are answered."""

    # --- what the event loop and uvicorn call

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self._peer = (
            peer[0] if isinstance(peer, tuple) else ""
        )  # a socket of the file system has none
        self._state.connections.add(self)  # type: ignore[arg-type]
        if len(self._state.connections) > self._settings.max_connections and not self._make_room():
            self._refuse(Overloaded("there are too many connections", retry_after=1))
            return
        self._close_if_idle()

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(self)
        self._stop_read_timer()
        self._answer_is_taken()
        if self._idle_timer:
            self._idle_timer.cancel()
        self._waiting.clear()
        if self._answering:
            if self._answering.read_to_end and self._task:
                self._task.cancel()
            self._answering.fail(CallerLeft())
        del self._parser  # it knows this object, and this object it

    def data_received(self, data: bytes) -> None:
        if self._broken:
            return
        self._message_ended = False
        try:
            self._feed(data)
        except httptools.HttpParserError:
            if self._is_head_too_large():
                self._refuse_large()
            else:
                self._refuse(BadRequest(self._wrong or "this is not a valid HTTP/1.1 request"))
            return
        if not self._message_ended:
            self._limit_incomplete(len(data))
        self._idle_since = None if self._answering else self._loop.time()
        self.control_reading()

    def pause_writing(self) -> None:
        self._write_paused = True
        self.control_reading()
        seconds = self._settings.write_seconds
        if seconds and not self._write_timer:
            self._write_timer = self._loop.call_later(seconds, self._transport.abort)
        left = self._transport.get_write_buffer_size()
        try:
            self._handler.in_flight.hold(self, left, self._transport.abort)
        except Overloaded:
            self._loop.call_soon(self._transport.abort)

    def resume_writing(self) -> None:
        self._write_paused = False
        self._answer_is_taken()
        self._answer_next()
        self.control_reading()

    def shutdown(self) -> None:
        """The server ends: what is under way is answered, and nothing after it."""
        self._closing = True
        if not self._answering:
            self._transport.close()

    # --- what the parser calls

    def on_message_begin(self) -> None:
        self._url, self._headers, self._expects_continue = b"", [], False
        self._hosts, self._wrong = 0, ""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self._expects_continue = True
        elif name == b"host":
            self._hosts += 1
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            self._wrong = "of the transfer codings only `chunked` is known here"
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._stop_read_timer()
        if self._is_head_too_large():
            raise ValueError  # which the parser makes its own error of
        if self._hosts > 1 or not (self._hosts or self._parser.get_http_version() == "1.0"):
            self._wrong = "a request has one header `Host`"
        if len(self._waiting) >= MOST_WAITING:
            self._wrong = f"over {MOST_WAITING} requests wait on this connection"
        if self._wrong:
            raise ValueError
        self._upgrade = self._parser.should_upgrade()
        if self._upgrade and self._parser.get_method() != b"CONNECT":
            return  # the head comes again, without that wish
        url = httptools.parse_url(self._url)
        if self._parser.get_method() == b"CONNECT":
            raise ValueError
        path = (url.path or b"/").decode("ascii")  # http://host, in full, has none
        keep_alive = self._parser.should_keep_alive() and self._parser.get_http_version() != "1.0"
        body = ConnectionBody(self, expected=self._expects_continue, keep_alive=keep_alive)
        request = HttpRequest(
            method=self._parser.get_method().decode("ascii"),
            path=unquote(path) if "%" in path else path,
            headers=dict(self._headers),
            body=body,
            query=url.query.decode("latin-1") if url.query else "",
            second_port=self._second_port,
            peer=self._peer,
        )
        self._receiving, self._headers = body, []
        self._waiting.append((request, body))
        self._answer_next()

    def on_body(self, part: bytes) -> None:
        if self._receiving:
            self._receiving.add(part)

    def on_message_complete(self) -> None:
        if self._upgrade:
            return
        self._stop_read_timer()
        self._message_ended, self._head_bytes = True, 0
        if self._receiving:
            self._receiving.end()
            self._receiving = None

    # --- answers

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def control_reading(self) -> None:
        """Take nothing from the connection while much of what came waits."""
        full = self._receiving is not None and self._receiving.size > HIGH_WATER
        wanted = not (self._waiting or self._write_paused or full)
        if wanted is not self._reading and not self._transport.is_closing():
            self._reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def _answer_next(self) -> None:
        if self._waiting and not (self._answering or self._write_paused or self._closing):
            if self._transport.is_closing():
                return
            request, self._answering = self._waiting.popleft()
            self._task = self._loop.create_task(self._answer(request, self._answering))
            self._state.tasks.add(self._task)
            self._task.add_done_callback(self._state.tasks.discard)

    async def _answer(self, request: HttpRequest, body: ConnectionBody) -> None:
        try:
            response = await self._handler.handle(request)
        except asyncio.CancelledError:
            self._transport.close()
            raise
        except CallerLeft:
            return
        self._answering = self._task = None
        body.drop()
        keep_alive = body.keep_alive and not self._closing
        self._send(response, keep_alive=keep_alive, with_body=request.method != "HEAD")
        if self._last and not self._waiting:
            self._send(self._last, keep_alive=False)
        self._answer_next()
        if not self._answering:
            self._idle_since = self._loop.time()
        self.control_reading()

    def _send(self, response: HttpResponse, *, keep_alive: bool, with_body: bool = True) -> None:
        if self._transport.is_closing():
            return
        parts = [_STATUS_LINES[response.status]]
        for name, value in (*self._state.default_headers, *response.headers):
            if name == b"connection":  # no answer has another word there than `close`
                keep_alive = False
            else:
                parts.append(b"%s: %s\r\n" % (name, value))
        if not keep_alive:
            parts.append(b"connection: close\r\n")
        parts.append(b"content-length: %d\r\n\r\n" % len(response.body))
        if with_body:
            parts.append(response.body)
        self._transport.write(b"".join(parts))
        if not keep_alive:
            self._transport.close()

    def _answer_is_taken(self) -> None:
        self._handler.in_flight.release(self)
        if self._write_timer:
            self._write_timer.cancel()
            self._write_timer = None

    # --- what is no request, what comes too slowly, and what is too much

    def _make_room(self) -> bool:
        """Close the connection that has been idle for longest. Gives whether there was one."""
        others: Iterable[Connection] = self._state.connections  # type: ignore[assignment]
        idle = [
            (each._idle_since, id(each), each)
            for each in others
            if each is not self
            and each._idle_since is not None
            and not each._transport.is_closing()
        ]
        if idle:
            min(idle)[2]._transport.close()
        return bool(idle)

    def _feed(self, data: bytes) -> None:
        """Pass it to the parser. A wish for another protocol (`Upgrade: h2c`) is ignored, as RFC 9110 allows."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            lines = [b"%s %s HTTP/1.1\r\n" % (self._parser.get_method(), self._url)]
            lines += [b"%s: %s\r\n" % each for each in self._headers if each[0] != b"upgrade"]
            self._parser = httptools.HttpRequestParser(self)
            self._feed(b"".join([*lines, b"\r\n", data[upgrade.args[0] :]]))

    def _limit_incomplete(self, size: int) -> None:
        """So many bytes came, of a head, or of a body: the time of one is limited where it is read."""
        if self._receiving is None:
            self._head_bytes += size
            if 0 < self._settings.max_head_bytes < self._head_bytes:
                self._refuse_large()
                return
        elif not self._receiving.unwanted:
            return
        if self._settings.read_seconds and not self._read_timer:
            self._read_timer = self._loop.call_later(self._settings.read_seconds, self._refuse_slow)

    def _is_head_too_large(self) -> bool:
        limit = self._settings.max_head_bytes
        if not limit:
            return False
        size = sum(len(name) + len(value) + 4 for name, value in self._headers)
        return len(self._url) + size > limit

    def _refuse_large(self) -> None:
        limit = self._settings.max_head_bytes
        self._refuse(HeadTooLarge(f"the request's line and headers are over {limit} bytes"))

    def _refuse_slow(self) -> None:
        seconds = self._settings.read_seconds
        self._refuse(TooSlow(f"the head of a request must come within {seconds:g} s"))

    def _refuse(self, error: TextLoomError) -> None:
        """Read nothing more from the connection, and close it when this has been answered."""
        self._broken = True
        if self._receiving:
            self._receiving.keep_alive = False
            self._receiving.fail(error)  # to be the answer, if there is none yet
            if self._receiving.unwanted:
                self._transport.close()
        elif self._answering or self._waiting:
            self._last = self._handler.refuse(error)
        else:
            self._send(self._handler.refuse(error), keep_alive=False)

    def _stop_read_timer(self) -> None:
        if self._read_timer:
            self._read_timer.cancel()
            self._read_timer = None

    def _close_if_idle(self) -> None:
        """Looks at the connection when it may have been idle for long enough: no request need set a timer."""
        idle = 0.0 if self._idle_since is None else self._loop.time() - self._idle_since
        left = self._settings.idle_seconds - idle
        if left > 0:
            self._idle_timer = self._loop.call_later(left, self._close_if_idle)
        else:
            self._transport.close()
