"""Limits of a request: its deadline, and the size and the time of its body.

Leaves out the limits of a head, which a connection checks (protocol.py), and quotas of keys (auth/quotas.py).
"""

import asyncio
import re
import time
from collections.abc import Mapping

from starlette.types import Message, Receive

from service.errors import FieldError, InvalidInput, TooLarge, TooSlow
from service.settings import Settings

MAX_TIMEOUT_MS = 24 * 60 * 60 * 1000

_TIMEOUT = re.compile(rb"[0-9]{1,8}")


def deadline(headers: Mapping[bytes, bytes], settings: Settings) -> float:
    """When the request must be answered, in the time of `time.monotonic()`. Raises InvalidInput."""
    given = headers.get(b"x-request-timeout-ms")
    timeout = settings.timeout_ms
    if given is not None:
        if not _TIMEOUT.fullmatch(given) or not 1 <= int(given) <= MAX_TIMEOUT_MS:
            raise InvalidInput(
                f"X-Request-Timeout-Ms must be a whole number from 1 to {MAX_TIMEOUT_MS}"
            )
        timeout = int(given)
    return time.monotonic() + timeout / 1000


def check_size(text: str | list[str], settings: Settings) -> None:
    """Raises TooLarge for more texts or characters than the settings allow."""
    texts = [text] if isinstance(text, str) else text
    if len(texts) > settings.max_texts:
        detail = f"{len(texts)} texts; at most {settings.max_texts} in a request"
        raise TooLarge(detail, errors=[FieldError("/text", detail)])
    characters = sum(map(len, texts))
    if characters > settings.max_characters:
        detail = f"{characters} characters; at most {settings.max_characters} in a request"
        raise TooLarge(detail, errors=[FieldError("/text", detail)])


def receive_limited(limit: int, headers: Mapping[bytes, bytes], receive: Receive) -> Receive:
    """`receive`, which raises TooLarge once more than `limit` bytes have come or are declared."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) <= limit:
        return receive  # the server reads no more than that
    over = declared.isdigit()
    received = 0

    async def receive_limited() -> Message:
        nonlocal received, over
        message: Message = {} if over else await receive()
        received += len(message.get("body", b""))
        over = over or received > limit
        if over:
            raise too_large(limit)
        return message

    return receive_limited


def too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is over {limit} bytes; send it in parts")


def receive_in_time(seconds: float, receive: Receive) -> Receive:
    """`receive`, which raises TooSlow if the body has not come in that time."""
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
