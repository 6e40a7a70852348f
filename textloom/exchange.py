"""How the client makes a request, repeats it and reads its answer, once for both clients.

An exchange is a generator that yields a request to send, or seconds to wait, and leaves both to the client.
"""

import logging
import os
import random
import re
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel

from textloom.answers import ModelInfo
from textloom.errors import Refused, Unreachable

logger = logging.getLogger("textloom")

TEXTS_EACH, CHARACTERS_EACH = 256, 100_000
"""Most texts, and about the most characters, in one request."""

BUSY = {429, 502, 503}
"""Statuses of a server, or of a proxy before it, that may answer later."""

R = TypeVar("R", bound=BaseModel)
Exchange = Generator[httpx.Request | float, httpx.Response | httpx.TransportError, Any]
"""Yields a request to send, or seconds to wait; is sent the response; returns the answer."""


class Exchanges:
    """Makes the requests of a client and reads their answers."""

    def __init__(self, url: str, timeout: float, retries: int, key: str | None) -> None:
        self._url = _address(url)
        key = key or os.environ.get("TEXTLOOM_KEY")
        self._key = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout = timeout
        self._retries = retries

    def post(
        self, task: str, texts: Sequence[str], options: dict[str, Any], kind: type[R]
    ) -> Exchange:
        query = {
            "text": texts,
            **{key: value for key, value in options.items() if value is not None},
        }
        # the server need not go on for longer than we listen
        headers = {"X-Request-Timeout-Ms": str(max(1, round(self._timeout * 1000)))}
        body = yield from self._exchange("POST", task, json=query, headers=headers)
        return [kind.model_validate(result) for result in body["results"]]

    def models(self) -> Exchange:
        body = yield from self.get("models")
        # what is not known yet is null
        known = [
            {key: value for key, value in each.items() if value is not None}
            for each in body["models"]
        ]
        return [ModelInfo.model_validate(model) for model in known]

    def get(self, path: str) -> Exchange:
        return self._exchange("GET", path)

    def _exchange(self, method: str, path: str, **content: Any) -> Exchange:
        request = httpx.Request(method, self._url.join(path), **content)
        request.headers.update(self._key)
        request.extensions["timeout"] = httpx.Timeout(self._timeout).as_dict()
        for attempt in range(self._retries + 1):
            got = yield request
            last = attempt == self._retries
            if isinstance(got, httpx.TransportError):
                problem = str(got) or type(got).__name__
                if last or isinstance(got, httpx.ReadTimeout):
                    raise Unreachable(f"{request.url}: {problem}") from got
                yield self._wait(request, problem, attempt, _backoff(attempt))
            elif got.status_code in BUSY and not last:
                problem = f"{got.status_code} {got.reason_phrase}"
                named = retry_after(got.headers.get("Retry-After", ""))
                yield self._wait(request, problem, attempt, named or _backoff(attempt))
            elif got.is_success:
                return got.json()
            else:
                raise Refused(got.status_code, _problem(got))
        raise AssertionError

    def _wait(self, request: httpx.Request, problem: str, attempt: int, seconds: float) -> float:
        """Logs that a request is repeated; gives the seconds until then."""
        times = f"{attempt + 1} of {self._retries}"
        logger.warning("%s: %s; retry %s in %.1f s", request.url, problem, times, seconds)
        return seconds


def _address(url: str) -> httpx.URL:
    """Raises ValueError."""
    if not re.match(r"https?://[^/]", url, re.IGNORECASE):
        raise ValueError(f"{url!r} is not a server address; write it as http://127.0.0.1:8000")
    try:
        return httpx.URL(url.rstrip("/") + "/")
    except httpx.InvalidURL as error:
        raise ValueError(f"{url!r} is not a server address: {error}") from error


def split(texts: list[str]) -> Iterator[list[str]]:
    """Parts that the server accepts in one request.

    >>> [len(part) for part in split(["a"] * 300)]
    [256, 44]
    """
    part: list[str] = []
    characters = 0
    for text in texts:
        if part and (len(part) == TEXTS_EACH or characters + len(text) > CHARACTERS_EACH):
            yield part
            part, characters = [], 0
        part.append(text)
        characters += len(text)
    if part:
        yield part


def _backoff(attempt: int) -> float:
    """Seconds: about a half, then twice as long each time, spread so that many clients do not return at once."""
    return min(30.0, 0.5 * 2.0**attempt) * random.uniform(0.75, 1.25)


def retry_after(header: str) -> float:
    """Seconds that a `Retry-After` asks for, as a number or as a date; 0 if it says nothing."""
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        then = parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    return max(0.0, (then - datetime.now(UTC)).total_seconds())


def _problem(response: httpx.Response) -> dict[str, Any]:
    """The problem document of an error, or what little a proxy says in its place."""
    try:
        problem = response.json()
    except ValueError:
        problem = None
    if isinstance(problem, dict) and "detail" in problem:
        return problem
    return {"title": response.reason_phrase, "detail": response.text[:200]}
