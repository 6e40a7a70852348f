"""What the adapters and the handler pass each other: a request whose body is still to be read, and an answer.

Leaves out how they come over a connection (asgi.py, protocol.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
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
    peer: str = ""
    """The address that the connection came from; empty if it has none."""

    @property
    def declared_length(self) -> int:
        """Of the body, in bytes; 0 if the head does not say."""
        declared = self.headers.get(b"content-length", b"")
        return int(declared) if declared.isdigit() else 0


@lru_cache(maxsize=4096)
def network(address: str) -> str:
    """Whose address this is, for sharing fairly: one of IPv6 stands for its /64, which one caller has to himself.

    >>> network("2001:db8:1:2:3::4"), network("192.0.2.7"), network("")
    ('2001:db8:1:2::/64', '192.0.2.7', '')
    """
    if ":" not in address:
        return address
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ip_network((found, 64), strict=False))


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    headers: Fields
    """Without the length of the body, which an adapter adds."""
    body: bytes
