"""Limits of a request: its deadline, the size and the time of its body, the size of its texts, and all long ones.

Leaves out the limits of a head, which a connection checks (protocol.py), and quotas of keys (auth/quotas.py).
"""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from service.errors import (
    FieldError,
    InvalidInput,
    Overloaded,
    QueueFull,
    TooLarge,
    TooSlow,
)
from service.http.encoding import content_encoding, decoded
from service.http.in_flight import SMALL_BYTES, InFlight
from service.http.messages import Headers, HttpRequest
from service.settings import Settings

LONG_CHARACTERS = 20_000
"""A request with more is long."""

MAX_TIMEOUT_MS = 24 * 60 * 60 * 1000

_TIMEOUT = re.compile(rb"[0-9]{1,8}")


def deadline(headers: Headers, settings: Settings) -> float:
    """When the request must be answered, in the time of `time.monotonic()`. Raises InvalidInput."""
    given = headers.get(b"x-request-timeout-ms")
    timeout = settings.timeout_ms
    if given is not None:
        if not _TIMEOUT.fullmatch(given) or not 1 <= int(given) <= MAX_TIMEOUT_MS:
            raise InvalidInput(
                f"X-Request-Timeout-Ms must be a whole number from 1 to {MAX_TIMEOUT_MS}"
            )
        timeout = min(int(given), max(settings.max_timeout_ms, timeout))
    return time.monotonic() + timeout / 1000


def check_size(text: str | list[str], settings: Settings) -> int:
    """How many characters there are. Raises TooLarge for more, or more texts, than the settings allow."""
    texts = [text] if isinstance(text, str) else text
    if len(texts) > settings.max_texts:
        detail = f"{len(texts)} texts; at most {settings.max_texts} in a request"
        raise TooLarge(detail, errors=[FieldError("/text", detail)])
    characters = sum(map(len, texts))
    if characters > settings.max_characters:
        detail = f"{characters} characters; at most {settings.max_characters} in a request"
        raise TooLarge(detail, errors=[FieldError("/text", detail)])
    return characters


class LongRequests:
    """Bounds the characters of all long requests that a process answers at once: in work they take many times the
    memory of their bodies. The fair share of each is the batcher's concern."""

    def __init__(self, most: int) -> None:
        """most: characters; a single request may have more."""
        self._most = most
        self._total = 0

    @contextmanager
    def hold(self, characters: int) -> Iterator[None]:
        """While a request with so many characters is answered. Raises QueueFull; never for a short one."""
        counted = characters if characters > LONG_CHARACTERS else 0
        if counted and self._total and self._total + counted > self._most:
            raise QueueFull(
                "too many long texts are being answered; try again later", retry_after=1
            )
        self._total += counted
        try:
            yield
        finally:
            self._total -= counted


class BodyReader:
    """Reads the body of a request within the limits, at the latest moment, and once. To be closed."""

    def __init__(self, request: HttpRequest, settings: Settings, in_flight: InFlight) -> None:
        self._request, self._settings, self._in_flight = request, settings, in_flight
        self._whole: bytes | None = None
        self._began = time.monotonic()
        self._timeout: asyncio.Timeout | None = None
        self._gave_way = False

    async def whole(self, most: int | None = None) -> bytes:
        """The body, decompressed. Raises TooLarge if it has more bytes than `most`, or else than the settings
        allow; TooSlow; UnsupportedEncoding; BadRequest; Overloaded; CallerLeft."""
        if self._whole is None:
            most = min(most or self._settings.max_body_bytes, self._settings.max_body_bytes)
            if self._request.declared_length > most:
                raise _too_large(most)
            encoding = content_encoding(self._request.headers)
            if self._request.body.complete:  # most are, and no timer is needed
                self._whole = await self._read(most)
            else:
                self._whole = await self._in_time(most)
            if encoding:
                self._whole = await asyncio.to_thread(decoded, self._whole, most)
            self._in_flight.keep(self)
        return self._whole

    def close(self) -> None:
        """The request is answered."""
        self._in_flight.release(self)

    async def _in_time(self, most: int) -> bytes:
        seconds = self._settings.read_seconds
        left = self._began + seconds - time.monotonic() if seconds else None
        try:
            async with asyncio.timeout(left) as self._timeout:
                return await self._read(most)
        except TimeoutError:
            if self._gave_way:
                raise Overloaded("this body gave way to others", retry_after=1) from None
            raise TooSlow(f"the body must come within {seconds:g} s") from None

    async def _read(self, most: int) -> bytes:
        parts, size = [], 0
        while part := await self._request.body.read():
            parts.append(part)
            size += len(part)
            if size > most:
                raise _too_large(most)
            if size > SMALL_BYTES:
                self._in_flight.hold(self, size, self._give_way)
        return b"".join(parts)

    def _give_way(self) -> None:
        if self._timeout:
            self._gave_way = True
            self._timeout.reschedule(asyncio.get_running_loop().time())


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"the body is over {most} bytes; send it in parts")
