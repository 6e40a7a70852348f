"""A canary: a second version of a model, which answers a share of its requests beside the one that serves.

Which request it answers is decided by the request's id, so that a retry meets the same version, and a larger share
holds every request of a smaller one. Leaves out how it is loaded (registry.py).
"""

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from service.errors import BundleError, InvalidInput

FILE = "canary"
"""Beside the versions of a model: the version and its share, such as `3 5%`."""

HEADER = b"x-canary"
"""1: have the canary answer, if there is one. 0: have the other version answer."""

_CONTENTS = re.compile(r"([1-9][0-9]{0,8}) ([0-9]{1,3}(?:\.[0-9]{1,4})?)%\n?")


class Canary(NamedTuple):
    version: int
    percent: float
    """Of the requests that do not say which version they want."""


def read(repository: Path, name: str) -> Canary | None:
    """The canary of a model, None if there is none. Raises BundleError."""
    path = repository / name / FILE
    try:
        text = path.read_bytes()[:64].decode("ascii", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from error
    found = _CONTENTS.fullmatch(text)
    if not found or float(found[2]) > 100:
        raise BundleError(f"{path} must hold a version and a share, such as `3 5%`")
    return Canary(int(found[1]), float(found[2]))


def write(repository: Path, name: str, canary: Canary | None) -> None:
    """None: there is none from now on."""
    path = repository / name / FILE
    if canary is None:
        path.unlink(missing_ok=True)
        return
    written = path.with_name(f".{FILE}")
    written.write_text(f"{canary.version} {canary.percent:g}%\n", encoding="ascii")
    written.rename(path)


def asked_for(header: bytes | None) -> bool | None:
    """Which version a request wants: the canary, the other, or either. Raises InvalidInput."""
    if header not in (None, b"0", b"1"):
        raise InvalidInput("X-Canary must be 1, for the new version, or 0, for the other")
    return None if header is None else header == b"1"


def answers(canary: Canary, request_id: str) -> bool:
    """Whether the canary answers a request that wants neither version.

    >>> [answers(Canary(2, percent), "some-id") for percent in (0, 100)]
    [False, True]
    """
    digest = hashlib.blake2b(request_id.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") * 100 < canary.percent * 2**64
