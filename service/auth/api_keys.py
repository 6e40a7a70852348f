"""API keys: the file that holds them as salted hashes, and the store that a running service reads it into.

Leaves out how a request is authenticated (authenticator.py) and the command that makes a key (commands.py).
"""

import hashlib
import hmac
import json
import logging
import os
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

logger = logging.getLogger("textloom.keys")

MAX_KEYS = 10_000
"""In a file, those that are revoked included."""
CHECK_SECONDS = 1.0
"""Between two checks whether the file has changed."""

Quota = Annotated[int, Field(ge=1)] | None


class ApiKey(BaseModel):
    """One key, of which the file holds everything but the secret.

    A caller's key is `tl-NUMBER-SECRET`: the number finds the entry, so that one hash is enough.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    number: Annotated[int, Field(ge=1, le=MAX_KEYS)]
    label: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
    """What logs and metrics call it."""
    salt: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    made: AwareDatetime
    expires: AwareDatetime | None = None
    revoked: AwareDatetime | None = None
    rate: Quota = None
    """Requests in a minute."""
    concurrency: Quota = None
    """Requests at once."""
    characters: Quota = None
    """Characters of texts in a minute."""

    @property
    def state(self) -> str:
        """`good`, `expired` or `revoked`."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires and self.expires <= datetime.now(UTC) else "good"

    def matches(self, secret: bytes) -> bool:
        return hmac.compare_digest(_hash(secret, self.salt), self.hash)


class KeyFile(BaseModel):
    """What the file holds, as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: list[ApiKey] = []

    @model_validator(mode="after")
    def _numbers_differ(self) -> "KeyFile":
        if len({key.number for key in self.keys}) < len(self.keys):
            raise ValueError("two keys have the same number")
        return self


def read(path: Path) -> KeyFile:
    """Raises OSError, or ValueError with one line that says what is wrong with the file."""
    try:
        return KeyFile.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = "".join(f"/{part}" for part in first["loc"])
        raise ValueError(f"{path}: {place or 'it'}: {first['msg']}") from None


def write(path: Path, keys: Sequence[ApiKey]) -> None:
    """A reader sees the file before or after, never half of it."""
    new = path.with_name(f".{path.name}.new")
    document = KeyFile(keys=list(keys)).model_dump(mode="json", exclude_none=True)
    new.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    new.replace(path)


def make(
    number: int,
    label: str,
    *,
    expires: datetime | None = None,
    rate: int | None = None,
    concurrency: int | None = None,
    characters: int | None = None,
) -> tuple[ApiKey, str]:
    """A new key, and what its caller must send. Raises ValidationError."""
    secret, salt = secrets.token_urlsafe(32), secrets.token_hex(16)
    key = ApiKey(
        number=number,
        label=label,
        salt=salt,
        hash=_hash(secret.encode(), salt),
        made=datetime.now(UTC).replace(microsecond=0),
        expires=expires,
        rate=rate,
        concurrency=concurrency,
        characters=characters,
    )
    return key, f"tl-{number}-{secret}"


def _hash(secret: bytes, salt: str) -> str:
    """A fast hash, on purpose. Slow ones (scrypt) protect passwords, which people choose and others can guess;
    256 random bits cannot be guessed, and each request pays for the hash."""
    return hashlib.blake2b(secret, salt=bytes.fromhex(salt), digest_size=32).hexdigest()


_NO_KEY, _ = make(1, "nobody")


class KeyStore:
    """The keys of a file, read again when it has changed."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, ValueError."""
        self._path = path
        self._seen = _signature(path)
        self._by_number = {key.number: key for key in read(path).keys}
        self._next_check = 0.0

    @property
    def keys(self) -> list[ApiKey]:
        """All of them, whatever their states."""
        self._reload_if_changed()
        return list(self._by_number.values())

    def find(self, presented: bytes) -> ApiKey | None:
        """The key that a caller has sent, whatever its state; None if there is no such key."""
        self._reload_if_changed()
        prefix, _, rest = presented.partition(b"-")
        number, _, secret = rest.partition(b"-")
        key = None
        if prefix == b"tl" and len(number) <= 5 and number.isdigit():
            key = self._by_number.get(int(number))
        # hashed in any case, so that the time does not reveal which numbers exist
        matches = (key or _NO_KEY).matches(secret)
        return key if matches else None

    def _reload_if_changed(self) -> None:
        now = time.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + CHECK_SECONDS
        seen = _signature(self._path)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._by_number = {key.number: key for key in read(self._path).keys}
        except (OSError, ValueError) as error:
            logger.error("the keys stay as they were: %s", error)
        else:
            logger.info("%d keys read again", len(self._by_number))


def _signature(path: Path) -> tuple[int, ...] | None:
    """Changes when the file does; None if it is gone."""
    try:
        found = os.stat(path)  # noqa: PTH116  half the time of Path.stat
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
