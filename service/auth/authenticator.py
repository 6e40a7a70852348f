"""The authenticator: checks the API key and the quotas of a request before its route, and what each port serves.

Every path that is not listed here as public needs a key, so a route that is added later needs one too. Leaves out
how a key is checked (api_keys.py) and how quotas are counted (quotas.py).
"""

import base64
import binascii
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from pydantic import BaseModel
from starlette.types import Message, Receive, Scope, Send

from service.auth.api_keys import ApiKey, KeyStore
from service.auth.quotas import Quotas
from service.errors import NotFound, TextLoomError, TooManyRequests, Unauthorized
from service.http.parsing import whole_body
from service.http.problems import NOTHING_HERE, problem_response
from service.settings import Settings
from service.telemetry.metrics import Metrics

HEALTH = ("/health/live", "/health/ready")
"""Public: probes have no key, and the answers hold names of models at most."""
ADMIN = (*HEALTH, "/metrics")
"""Served at the second port only, if there is one."""
KEY_IN_BODY = "/compat/libretranslate/"
"""Below this path clients send their key as `api_key`."""
NO_LABEL = "-"
"""For a request without a valid key; no key can have this label."""

Serve = Callable[[Scope, Receive, Send], Awaitable[None]]


class Authenticator:
    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        """Raises OSError or ValueError if the file of keys cannot be read."""
        self._keys = KeyStore(settings.keys) if settings.keys else None
        self._second_port = bool(settings.admin)
        self._metrics = metrics
        self.quotas = Quotas(settings.processes)

    async def serve(self, route: Serve, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on to its route, or refuses it. scope["key"] is then the label of its key."""
        try:
            receive, key = await self._authenticate(scope, receive)
        except TextLoomError as error:
            return await problem_response(scope, error)(scope, receive, send)
        if key is None:
            return await route(scope, receive, send)
        try:
            self.quotas.acquire(key)
        except TooManyRequests as error:
            self._metrics.key_request(key.label, error.code)
            answer = problem_response(scope, error)
            answer.raw_headers += self.quotas.headers(key)
            return await answer(scope, receive, send)
        self._metrics.key_request(key.label, "admitted")
        quotas = self.quotas.headers(key)

        async def send_with_quotas(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *quotas]
            await send(message)

        try:
            await route(scope, receive, send_with_quotas if quotas else send)
        finally:
            self.quotas.release(key)

    async def _authenticate(self, scope: Scope, receive: Receive) -> tuple[Receive, ApiKey | None]:
        """The `receive` from which the route reads, and the key of the request, None where none is needed.

        Raises NotFound, Unauthorized, and what `receive` raises.
        """
        path = scope["path"]
        second_port = "second_port" in scope
        if self._second_port and (path in ADMIN) is not second_port:
            raise NotFound(NOTHING_HERE)
        if self._keys is None or second_port or path in HEALTH:
            return receive, None
        presented = _in_header(scope["headers_by_name"].get(b"authorization", b""))
        if not presented and path.startswith(KEY_IN_BODY):
            body = await whole_body(receive)
            presented = _in_body(body, scope["headers_by_name"].get(b"content-type", b""))
            receive = _replayed(body, receive)
        if not presented:
            self._metrics.key_request(NO_LABEL, "missing")
            raise Unauthorized("send a key: `Authorization: Bearer tl-...`")
        key = self._keys.find(presented)
        if key is None:
            self._metrics.key_request(NO_LABEL, "wrong")
            raise Unauthorized("there is no such key")
        scope["key"] = key.label
        if key.state != "good":
            self._metrics.key_request(key.label, key.state)
            raise Unauthorized(f"this key is {key.state}")
        return receive, key


class _Body(BaseModel):
    api_key: str = ""


def _in_header(given: bytes) -> bytes:
    """The key in `Authorization`: as the token of Bearer, or the password of Basic."""
    scheme, _, rest = given.partition(b" ")
    if scheme.lower() == b"bearer":
        return rest.strip()
    if scheme.lower() == b"basic":
        try:
            return base64.b64decode(rest).partition(b":")[2]
        except binascii.Error:
            pass
    return b""


def _in_body(body: bytes, content_type: bytes) -> bytes:
    """The field `api_key` of a body that is JSON or a form."""
    if content_type.partition(b";")[0].strip().lower() == b"application/json":
        try:
            return _Body.model_validate_json(body).api_key.encode()
        except ValueError:
            return b""
    return dict(parse_qsl(body)).get(b"api_key", b"")


def _replayed(body: bytes, receive: Receive) -> Receive:
    """`receive`, as it was before `body` was read."""
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_replayed() -> Message:
        return unread.pop() if unread else await receive()

    return receive_replayed
