"""Disconnects: a computation is cancelled when its caller has left.

For requests that go through ASGI. A connection that skips it notices by itself (protocol.py).
"""

import asyncio
import time
from typing import cast

from starlette.types import Receive

WATCH_AFTER = 0.02
"""Seconds that a request may take before its connection is watched."""


class CallerLeft(Exception):
    """The connection was closed before the answer was ready."""


class WhileConnected:
    """Cancels what is inside when the caller leaves, and raises CallerLeft then.

    The body must have been read: after it, the next message of the connection is its end. Most answers are ready
    before their connection is watched.
    """

    def __init__(self, receive: Receive, watcher: "DisconnectWatcher") -> None:
        self._receive, self._watcher = receive, watcher
        self._left = False
        self._watching: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        self._task = cast("asyncio.Task[None]", asyncio.current_task())
        self._watcher.add(self)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._watcher.remove(self)
        if self._watching:
            self._watching.cancel()
        if self._left and kind is asyncio.CancelledError and self._task.uncancel() == 0:
            raise CallerLeft from None

    def watch(self) -> None:
        self._watching = asyncio.create_task(self._wait_for_disconnect())

    async def _wait_for_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left = True
        self._task.cancel()


class DisconnectWatcher:
    """Has connections watched after WATCH_AFTER, or up to twice as long: one timer for all of them."""

    def __init__(self) -> None:
        self._unwatched: dict[WhileConnected, float] = {}
        self._timer_runs = False

    def add(self, caller: WhileConnected) -> None:
        self._unwatched[caller] = time.monotonic()
        if not self._timer_runs:
            self._timer_runs = True
            asyncio.get_running_loop().call_later(WATCH_AFTER, self._watch_late)

    def remove(self, caller: WhileConnected) -> None:
        self._unwatched.pop(caller, None)

    def _watch_late(self) -> None:
        late = time.monotonic() - WATCH_AFTER
        for caller in [each for each, since in self._unwatched.items() if since <= late]:
            del self._unwatched[caller]
            caller.watch()
        self._timer_runs = bool(self._unwatched)
        if self._timer_runs:
            asyncio.get_running_loop().call_later(WATCH_AFTER, self._watch_late)
