"""Signatures of bundles: who signs one vouches for its manifest, and by the hashes in it for every file.

Ed25519 (RFC 8032) by `cryptography`, which only signing and verifying need (requirements/signatures.txt). A bundle
may have several, in a file beside the manifest: a line each, the number of the key and the signature in base64.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.errors import BundleError
from service.registry.files import contents

FILE = "manifest.sig"
MAX_BYTES = 16 * 1024
MAX_KEY_BYTES = 64 * 1024
MISSING = "Signatures need more: pip install --require-hashes -r requirements/signatures.txt"

_CONTEXT = b"textloom bundle 1\n"
"""What is signed starts with it, so that the signature means nothing elsewhere."""
_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


def read_keys(path: Path) -> dict[str, Any]:
    """The public keys of a file, PEM after PEM, by their numbers: each an Ed25519PublicKey.

    Raises ValueError if `cryptography` is missing, or the file cannot be read or holds anything but such keys.
    """
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ModuleNotFoundError:
        raise ValueError(MISSING) from None
    keys = {}
    try:
        for pem in _PEM.findall(contents(path, MAX_KEY_BYTES)):
            key = load_pem_public_key(pem)
            if not isinstance(key, Ed25519PublicKey):
                raise ValueError("it holds a key that is none of Ed25519")
            keys[_number(key)] = key
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"{path}: {error}") from error
    if not keys:
        raise ValueError(f"{path} holds no public key: -----BEGIN PUBLIC KEY-----")
    return keys


def verify(folder: Path, manifest: bytes, trusted_keys: Path) -> None:
    """Raises BundleError unless one of these keys signed the manifest that the bundle in `folder` has.

    The keys are read each time, so that one which is taken out of the file counts no longer.
    """
    from cryptography.exceptions import InvalidSignature

    try:
        keys = read_keys(trusted_keys)
        signatures = dict(_signatures(contents(folder / FILE, MAX_BYTES)))
    except FileNotFoundError:
        raise BundleError(f"{folder}: it is not signed: there is no {FILE}") from None
    except OSError as error:
        raise BundleError(f"{folder}: no readable {FILE}: {error.strerror}") from error
    except ValueError as error:
        raise BundleError(f"{folder}: its signatures cannot be verified: {error}") from error
    known = keys.keys() & signatures.keys()
    if not known:
        raise BundleError(f"{folder}: it is not signed by a trusted key")
    for number in sorted(known):
        try:
            keys[number].verify(signatures[number], _CONTEXT + manifest)
        except InvalidSignature:
            message = f"{folder}: the signature of key {number} is not one of this manifest"
            raise BundleError(message) from None


def sign(folder: Path, manifest: bytes, private_key: Path) -> str:
    """Adds a signature by the key in this file, PEM, and gives the key's number.

    Raises BundleError if that is no key of Ed25519, or `cryptography` is missing.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ModuleNotFoundError:
        raise BundleError(MISSING) from None
    try:
        key = load_pem_private_key(contents(private_key, MAX_KEY_BYTES), None)
        old = contents(folder / FILE, MAX_BYTES) if (folder / FILE).exists() else b""
        signatures = dict(_signatures(old))
    except OSError as error:
        raise BundleError(
            f"{error.filename or private_key} cannot be read: {error.strerror}"
        ) from error
    except (ValueError, TypeError) as error:  # a key with a password, for one
        raise BundleError(f"{private_key}: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleError(f"{private_key}: this key is none of Ed25519")
    number = _number(key.public_key())
    signatures[number] = key.sign(_CONTEXT + manifest)
    lines = [f"{name} {base64.b64encode(each).decode()}\n" for name, each in signatures.items()]
    written = folder.parent / f".{folder.name}.{FILE}"
    written.write_text("".join(lines), encoding="ascii")
    written.rename(folder / FILE)
    return number


def _signatures(file: bytes) -> Iterator[tuple[str, bytes]]:
    """Raises ValueError."""
    for line in file.decode("ascii").splitlines():
        number, _, signature = line.partition(" ")
        try:
            yield number, base64.b64decode(signature, validate=True)
        except binascii.Error as error:
            raise ValueError(f"{FILE}: {error}") from error


def _number(key: Any) -> str:
    """The first 16 digits of the SHA-256 of a key."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]
