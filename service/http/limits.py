"""Limits of a request: its deadline, the size and the time of its body, and the size of its texts.

Leaves out the limits of a head, which a connection checks (protocol.py), and quotas of keys (auth/quotas.py).
"""

import asyncio
import re
import time

from service.errors import FieldError, InvalidInput, TooLarge, TooSlow
from service.http.messages import Headers, HttpRequest
from service.settings import Settings

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


class BodyReader:
    """Reads the body of a request within the limits, at the latest moment, and once."""

    def __init__(self, request: HttpRequest, settings: Settings) -> None:
        self._request, self._settings = request, settings
        self._whole: bytes | None = None
        self._began = time.monotonic()

    async def whole(self) -> bytes:
        """Raises TooLarge, TooSlow, CallerLeft."""
        if self._whole is None:
            if self._request.declared_length > self._settings.max_body_bytes:
                raise self._too_large()
            seconds = self._settings.read_seconds
            if seconds:
                try:
                    async with asyncio.timeout(self._began + seconds - time.monotonic()):
                        self._whole = await self._read()
                except TimeoutError:
                    raise TooSlow(f"the body must come within {seconds:g} s") from None
            else:
                self._whole = await self._read()
        return self._whole

    async def _read(self) -> bytes:
        parts, size = [], 0
        while part := await self._request.body.read():
            parts.append(part)
            size += len(part)
            if size > self._settings.max_body_bytes:
                raise self._too_large()
        return b"".join(parts)

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the body is over {self._settings.max_body_bytes} bytes; send it in parts")
