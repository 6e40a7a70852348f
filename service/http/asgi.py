"""The adapter of ASGI: its scope and messages become a request, and an answer becomes its messages.

Serves where protocol.py does not, or is not there. Leaves out what is answered (handler.py).
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

from service.http.handler import Handler
from service.http.messages import CallerLeft, HttpRequest

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

Lifespan = Callable[[], AbstractAsyncContextManager[None]]

WATCH_AFTER = 0.02
"""Seconds that an answer may take before its connection is watched: most are ready before."""


class AsgiApp:
    """The service, as an ASGI server calls it."""

    def __init__(self, handler: Handler, lifespan: Lifespan, *, second_port: bool = False) -> None:
        """lifespan: is entered when the server starts, and left when it ends."""
        self._handler = handler
        self._lifespan = lifespan
        self._second_port = second_port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body = AsgiBody(receive)
        request = HttpRequest(
            method=scope["method"],
            path=scope["path"],
            headers=dict(scope["headers"]),
            body=body,
            query=scope["query_string"].decode("latin-1"),
            second_port=self._second_port,
            peer=(scope.get("client") or ("",))[0],
        )
        try:
            with body:
                response = await self._handler.handle(request)
        except CallerLeft:
            return
        headers = [*response.headers, (b"content-length", b"%d" % len(response.body))]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self._lifespan():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


class AsgiBody:
    """The body of a request, which becomes a watch on its connection once it has been read.

    To be entered with `with` around the computation of the answer, which is cancelled when the caller
    leaves; CallerLeft is raised then.
    """

    complete = False

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = self._left = False
        self._timer: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None

    async def read(self) -> bytes:
        while not self._ended:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise CallerLeft
            if not message.get("more_body", False):
                self._ended = True
                self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER, self._watch)
            if part := message.get("body", b""):
                return bytes(part)
        return b""

    def __enter__(self) -> None:
        self._answering = asyncio.current_task()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._timer:
            self._timer.cancel()
        if self._watching:
            self._watching.cancel()
        if not (self._left and kind is asyncio.CancelledError and self._answering):
            return
        if self._answering.uncancel() == 0:
            raise CallerLeft from None

    def _watch(self) -> None:
        self._watching = asyncio.create_task(self._wait_for_disconnect())

    async def _wait_for_disconnect(self) -> None:
        """After its body, the next message of a request is its caller's leaving."""
        await self._receive()
        self._left = True
        if self._answering:
            self._answering.cancel()
