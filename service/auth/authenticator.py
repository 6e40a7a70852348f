"""The authenticator: checks the API key and the quotas of a request before its route, and what each port serves.

Every path that is not listed here as public needs a key, so a route that is added later needs one too. Leaves out
how a key is checked (api_keys.py) and how quotas are counted (quotas.py).
"""

import base64
import binascii
from collections import Counter

from pydantic import BaseModel

from service.auth.api_keys import ApiKey, KeyStore
from service.auth.quotas import Quotas
from service.errors import (
    BadForm,
    NotFound,
    RateExceeded,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
)
from service.http.forms import media_type, read_form
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
KEY_IN_BODY_BYTES = 64 * 1024
"""A longer body needs its key in `Authorization`."""
DOWNLOADS = "/compat/libretranslate/download_file/"
"""Public: the name of a file is a secret that only its owner was told."""
NO_LABEL = "-"
"""For a request without a valid key; no key can have this label."""


class Authenticator:
    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        """Raises OSError or ValueError if the file of keys cannot be read."""
        self._keys = KeyStore(settings.keys) if settings.keys else None
        self._second_port = bool(settings.admin)
        self._metrics = metrics
        self.quotas = Quotas(settings.processes)
        self._limited: set[tuple[str, str]] = set()
        """Labels and quotas that the metrics have."""
        metrics.before_page(self._record_quotas)

    async def identify(self, request: HttpRequest, body: BodyReader) -> ApiKey | None:
        """The key of a request, whatever its state; None where none is needed.

        Reads the body where clients send their key in it, and nowhere else. Raises NotFound, Unauthorized, and
        what reading does.
        """
        if self._second_port and (request.path in ADMIN) is not request.second_port:
            raise NotFound("there is nothing at this path of this port")
        if self._keys is None or request.second_port or request.path in HEALTH:
            return None
        if request.path.startswith(DOWNLOADS):
            return None
        presented = _in_header(request.headers.get(b"authorization", b""))
        if not presented and request.path.startswith(KEY_IN_BODY):
            presented = await self._in_body(request, body)
        if not presented:
            self._metrics.key_request(NO_LABEL, "missing")
            raise Unauthorized("send a key: `Authorization: Bearer tl-...`")
        key = self._keys.find(presented)
        if key is None:
            self._metrics.key_request(NO_LABEL, "wrong")
            raise Unauthorized("there is no such key")
        return key

    async def _in_body(self, request: HttpRequest, body: BodyReader) -> bytes:
        """The key in a short body: of a long one nothing is read for a caller who has shown none."""
        try:
            content = await body.whole(KEY_IN_BODY_BYTES)
        except TooLarge:
            self._metrics.key_request(NO_LABEL, "missing")
            raise Unauthorized(
                f"send the key of a body over {KEY_IN_BODY_BYTES} bytes as `Authorization: Bearer tl-...`",
                headers={"connection": "close"},
            ) from None
        content_type = request.headers.get(b"content-type", b"")
        return _in_form_or_json(content, content_type, request.query)

    def check(self, key: ApiKey) -> None:
        """Raises Unauthorized for a key that has expired or been revoked."""
        if key.state != "good":
            self._metrics.key_request(key.label, key.state)
            raise Unauthorized(f"this key is {key.state}")

    def _record_quotas(self) -> None:
        """What may be sent and is left under the label of each good key, for the metrics; else 0."""
        left: Counter[tuple[str, str]] = Counter()
        limits = Counter(dict.fromkeys(self._limited, 0))
        for key in self._keys.keys if self._keys else ():
            if key.state == "good":
                for quota, (limit, remaining) in self.quotas.remaining(key).items():
                    limits[key.label, quota] += limit
                    left[key.label, quota] += remaining
        self._limited |= limits.keys()
        for labels, limit in limits.items():
            self._metrics.key_quota.labels(*labels).set(limit)
            self._metrics.key_quota_remaining.labels(*labels).set(left[labels])

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


def _in_form_or_json(body: bytes, content_type: bytes, query: str) -> bytes:
    """The field `api_key` of a body that is JSON or a form, or of the query in the address."""
    if media_type(content_type) == b"application/json":
        try:
            return _Body.model_validate_json(body).api_key.encode()
        except ValueError:
            return b""
    try:
        return read_form(body, content_type, query).fields.get("api_key", "").encode()
    except (BadForm, UnsupportedMediaType):
        return b""
