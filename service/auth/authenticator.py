"""The authenticator: checks the API key and the quotas of a request before its route, and what each port serves.

Every path that is not listed here as public needs a key, so a route that is added later needs one too. Leaves out
how a key is checked (api_keys.py) and how quotas are counted (quotas.py).
"""

import base64
import binascii
from urllib.parse import parse_qsl

from pydantic import BaseModel

from service.auth.api_keys import ApiKey, KeyStore
from service.auth.quotas import Quotas
from service.errors import NotFound, RateExceeded, TooManyRequests, Unauthorized
from service.http.limits import BodyReader
from service.http.messages import HttpRequest
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


class Authenticator:
    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        """Raises OSError or ValueError if the file of keys cannot be read."""
        self._keys = KeyStore(settings.keys) if settings.keys else None
        self._second_port = bool(settings.admin)
        self._metrics = metrics
        self.quotas = Quotas(settings.processes)

    async def identify(self, request: HttpRequest, body: BodyReader) -> ApiKey | None:
        """The key of a request, whatever its state; None where none is needed.

        Reads the body where clients send their key in it, and nowhere else. Raises NotFound, Unauthorized, and
        what reading does.
        """
        if self._second_port and (request.path in ADMIN) is not request.second_port:
            raise NotFound("there is nothing at this path of this port")
        if self._keys is None or request.second_port or request.path in HEALTH:
            return None
        presented = _in_header(request.headers.get(b"authorization", b""))
        if not presented and request.path.startswith(KEY_IN_BODY):
            presented = _in_body(await body.whole(), request.headers.get(b"content-type", b""))
        if not presented:
            self._metrics.key_request(NO_LABEL, "missing")
            raise Unauthorized("send a key: `Authorization: Bearer tl-...`")
        key = self._keys.find(presented)
        if key is None:
            self._metrics.key_request(NO_LABEL, "wrong")
            raise Unauthorized("there is no such key")
        return key

    def check(self, key: ApiKey) -> None:
        """Raises Unauthorized for a key that has expired or been revoked."""
        if key.state != "good":
            self._metrics.key_request(key.label, key.state)
            raise Unauthorized(f"this key is {key.state}")

    def acquire(self, key: ApiKey) -> None:
        """Counts a request that begins; `quotas.release` when it is over. Raises TooManyRequests."""
        try:
            self.quotas.acquire(key)
        except TooManyRequests as error:
            self._metrics.key_request(key.label, error.code)
            raise
        self._metrics.key_request(key.label, "admitted")

    def charge(self, key: ApiKey, characters: int) -> None:
        """Counts the characters of a request. Raises RateExceeded, TooLarge."""
        try:
            self.quotas.charge(key, characters)
        except RateExceeded as error:
            self._metrics.key_request(key.label, error.code)
            raise


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
