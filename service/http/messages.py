"""What the adapters and the handler pass each other: a request whose body is still to be read, and an answer.

Leaves out how they come over a connection (asgi.py, protocol.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Headers = Mapping[bytes, bytes]
"""By name, in small letters."""
Fields = Sequence[tuple[bytes, bytes]]
"""Headers of an answer: names and values."""


class CallerLeft(Exception):
    """The connection was closed before the answer was ready."""


class Body(Protocol):
    """The body of a request, as it comes."""

    complete: bool
    """Whether all of it has come, so that reading it does not wait."""

    async def read(self) -> bytes:
        """What has come since the last call; waits until something has. b"" at the end. Raises CallerLeft."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    method: str
    path: str
    headers: Headers
    body: Body
    query: str = ""
    """What follows the `?` of its address, as it was sent."""
    second_port: bool = False
    """Whether it came to the port for health and metrics."""

    @property
    def declared_length(self) -> int:
        """Of the body, in bytes; 0 if the head does not say."""
        declared = self.headers.get(b"content-length", b"")
        return int(declared) if declared.isdigit() else 0


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    headers: Fields
    """Without the length of the body, which an adapter adds."""
    body: bytes
