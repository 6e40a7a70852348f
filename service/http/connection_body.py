"""The body of a request, between the connection over which it comes and the handler that reads it.

Leaves out the connection (protocol.py), and for how long and how large a body may be (limits.py).
"""

import asyncio
from typing import Protocol


class Connection(Protocol):
    """What a body comes over."""

    def write(self, data: bytes) -> None: ...
    def control_reading(self) -> None:
        """Go on to take bytes from it, or stop, by how much waits to be read."""


class ConnectionBody:
    """The body of a request, as it comes over its connection."""

    __slots__ = (
        "_connection", "_error", "_expected", "_parts", "_waiting",
        "complete", "keep_alive", "read_to_end", "size", "unwanted",
    )  # fmt: skip

    def __init__(self, connection: Connection, *, expected: bool, keep_alive: bool) -> None:
        """expected: whether the caller waits to be told to send it."""
        self._connection = connection
        self._expected = expected
        self._parts: list[bytes] = []
        self._waiting: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self.keep_alive = keep_alive
        """Whether another request may follow this one."""
        self.complete = False
        """Whether all of it has come."""
        self.read_to_end = False
        self.unwanted = False
        """Whether the request is answered, and what still comes is dropped."""
        self.size = 0
        """Of what has come and not been read, in bytes."""

    async def read(self) -> bytes:
        if not (self._parts or self.complete or self._error):
            if self._expected:
                self._expected = False
                self._connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        if self._error:
            raise self._error
        part = b"".join(self._parts)
        self._parts.clear()
        self.size = 0
        self._connection.control_reading()
        self.read_to_end = not part
        return part

    def add(self, part: bytes) -> None:
        if not self.unwanted:
            self._parts.append(part)
            self.size += len(part)
            self._wake()

    def end(self) -> None:
        self.complete = True
        self._wake()

    def fail(self, error: Exception) -> None:
        """No more of it will come."""
        self._error = error
        self._wake()

    def drop(self) -> None:
        """The request is answered."""
        self.unwanted = True
        self._parts.clear()
        self.size = 0

    def _wake(self) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)
