"""Callers: their bodies, which may come slowly or never, and whether they are still there.

For requests that go through ASGI. What a connection itself tells is in connections.py.
"""

import asyncio
import time
from typing import cast

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from service.errors import TooSlow

LOOK_AFTER = 0.02
"""Seconds after which an answer that is not there yet makes us look whether its caller still is."""


class CallerLeft(Exception):
    """The connection was closed before the answer was ready; nobody is there to read one."""


def receive_in_time(seconds: float, receive: Receive) -> Receive:
    """`receive`, until the body is there, or should have been."""
    end = asyncio.get_running_loop().time() + seconds
    whole = False

    async def receive_in_time() -> Message:
        nonlocal whole
        if whole:
            return await receive()
        try:
            async with asyncio.timeout_at(end):
                message = await receive()
        except TimeoutError:
            raise TooSlow(f"the body must come within {seconds:g} s") from None
        whole = not message.get("more_body", False)
        return message

    return receive_in_time


async def whole_body(receive: Receive) -> bytes:
    """The whole body. Raises ClientDisconnect if the caller leaves before its end."""
    parts = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


class WhileConnected:
    """Cancels what is inside when the caller leaves, and raises CallerLeft then.

    The body must have been read: after it, the next message of the connection is its end. Most answers are
    there before anybody looks.
    """

    def __init__(self, receive: Receive, lookout: "Lookout") -> None:
        self._receive, self._lookout = receive, lookout
        self._left = False
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        self._task = cast("asyncio.Task[None]", asyncio.current_task())
        self._lookout.add(self)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._lookout.remove(self)
        if self._watcher:
            self._watcher.cancel()
        if self._left and kind is asyncio.CancelledError and self._task.uncancel() == 0:
            raise CallerLeft from None

    def look(self) -> None:
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left = True
        self._task.cancel()


class Lookout:
    """Looks after those who wait for longer than LOOK_AFTER, up to twice as long: one timer for all of them."""

    def __init__(self) -> None:
        self._waiting: dict[WhileConnected, float] = {}
        self._awake = False

    def add(self, caller: WhileConnected) -> None:
        self._waiting[caller] = time.monotonic()
        if not self._awake:
            self._awake = True
            asyncio.get_running_loop().call_later(LOOK_AFTER, self._look)

    def remove(self, caller: WhileConnected) -> None:
        self._waiting.pop(caller, None)

    def _look(self) -> None:
        late = time.monotonic() - LOOK_AFTER
        for caller in [each for each, since in self._waiting.items() if since <= late]:
            del self._waiting[caller]
            caller.look()
        self._awake = bool(self._waiting)
        if self._awake:
            asyncio.get_running_loop().call_later(LOOK_AFTER, self._look)
