"""`python -m service models`: lists what a model repository holds, checks bundles, pins and tries versions.

Works on the folder alone: a service that runs on it, on whatever machine, sees a change at its next scan.
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from service import tasks
from service.errors import BundleError
from service.registry import bundle, canary, repository, signatures
from service.registry.canary import Canary
from service.registry.repository import StoredModel
from service.settings import Settings


def main(arguments: Sequence[str], *, program: str = "python -m service models") -> int:
    """Gives the exit status."""
    parser = argparse.ArgumentParser(
        prog=program, description="Without a command: list the models."
    )
    parser.add_argument("--models", type=Path, help="the repository (default: TEXTLOOM_MODELS)")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="")
    check = commands.add_parser(
        "check", help="verify the hashes and golden examples of these versions, or of all"
    )
    check.add_argument("bundles", nargs="*", metavar="NAME=VERSION")
    sign = commands.add_parser("sign", help="sign these versions with a private key")
    sign.add_argument("--key", type=Path, required=True, help="private Ed25519 key, a PEM file")
    sign.add_argument("bundles", nargs="+", metavar="NAME=VERSION")
    pin = commands.add_parser("pin", help="serve this version, even if there is a higher one")
    pin.add_argument("bundle", metavar="NAME=VERSION")
    unpin = commands.add_parser("unpin", help="serve the highest version again")
    unpin.add_argument("name", metavar="NAME")
    canary_parser = commands.add_parser(
        "canary", help="have this version answer a share of the requests"
    )
    canary_parser.add_argument("bundle", metavar="NAME=VERSION")
    canary_parser.add_argument(
        "--percent", type=float, default=5.0, help="share of the requests (default: 5)"
    )
    promote = commands.add_parser("promote", help="serve the canary instead of the other version")
    promote.add_argument("name", metavar="NAME")
    drop = commands.add_parser(
        "drop", help="remove the canary; the other version answers all requests"
    )
    drop.add_argument("name", metavar="NAME")
    given = parser.parse_args(arguments)

    settings = Settings() if given.models is None else Settings(models=given.models)
    stored_models = repository.scan(settings.models, settings.pins)
    try:
        if given.command == "check":
            return _check(stored_models, given.bundles, settings.trusted_keys)
        if given.command == "sign":
            return _sign(stored_models, given.bundles, given.key)
        if given.command == "pin":
            _pin(settings, stored_models, given.bundle)
        elif given.command == "unpin":
            bundle.pin(settings.models, _stored_model(stored_models, given.name).path.name, None)
        elif given.command == "canary":
            _canary(settings, stored_models, given.bundle, given.percent)
        elif given.command in ("promote", "drop"):
            stored = _stored_model(stored_models, given.name)
            _end_canary(settings.models, stored, promote=given.command == "promote")
    except BundleError as error:
        print(error.detail, file=sys.stderr)
        return 1
    _list(repository.scan(settings.models, settings.pins))
    return 0


def _list(stored_models: dict[str, StoredModel]) -> None:
    row = "{:18} {:>7} {:>7} {:>8} {:>9}  {}"
    print(row.format("name", "serves", "pinned", "canary", "size", "versions"))
    for name, stored in stored_models.items():
        megabytes = sum(size for _, size, _ in stored.files) / 1e6
        versions = " ".join(map(str, stored.versions))
        pinned = stored.pin_error or stored.pinned or "-"
        tried = f"{stored.canary.version} {stored.canary.percent:g}%" if stored.canary else "-"
        tried = stored.canary_error or tried
        size = f"{megabytes:.1f} MB"
        print(row.format(name, stored.wanted, pinned, tried, size, versions))


def _check(
    stored_models: dict[str, StoredModel], bundles: Sequence[str], trusted_keys: Path | None
) -> int:
    chosen = [_split(stored_models, each) for each in bundles] or [
        (stored, version) for stored in stored_models.values() for version in stored.versions
    ]
    status = 0
    for stored, version in chosen:
        path = stored.path / str(version)
        try:
            task = tasks.load(path, trusted_keys)
        except BundleError as error:
            print(f"bad   {error.detail}")
            status = 1
        else:
            print(f"good  {path} {task.bundle.sha256}")
    return status


def _sign(stored_models: dict[str, StoredModel], bundles: Sequence[str], key: Path) -> int:
    """Raises BundleError if one of them cannot be served: nobody should vouch for it."""
    for stored, version in [_split(stored_models, each) for each in bundles]:
        path = stored.path / str(version)
        tried = tasks.load(path).bundle
        manifest = bundle.manifest_bytes(path)
        if hashlib.sha256(manifest).hexdigest() != tried.manifest_sha256:
            raise BundleError(f"{path}: its manifest has just changed")
        print(f"signed {path} {tried.sha256} by key {signatures.sign(path, manifest, key)}")
    return 0


def _pin(settings: Settings, stored_models: dict[str, StoredModel], pair: str) -> None:
    """Raises BundleError if the version cannot be served."""
    stored, version = _split(stored_models, pair)
    tasks.load(stored.path / str(version), settings.trusted_keys)
    bundle.pin(settings.models, stored.path.name, version)


def _canary(
    settings: Settings, stored_models: dict[str, StoredModel], pair: str, percent: float
) -> None:
    """Raises BundleError if the version cannot be served, or is the only one that can."""
    stored, version = _split(stored_models, pair)
    if not 0 <= percent <= 100:
        raise BundleError("--percent must be from 0 to 100")
    if version == stored.pinned or len(stored.versions) == 1:
        raise BundleError(f"{pair} serves; a canary is a version beside the one that serves")
    tasks.load(stored.path / str(version), settings.trusted_keys)
    canary.write(settings.models, stored.path.name, Canary(version, percent))


def _end_canary(models: Path, stored: StoredModel, *, promote: bool) -> None:
    """Pins the version that serves from now on, unless it is the highest and none was pinned.

    Raises BundleError if there is no canary.
    """
    if stored.canary is None:
        raise BundleError(stored.canary_error or f"{stored.path.name} has no canary")
    chosen = stored.canary.version if promote else stored.wanted
    if stored.pinned or chosen != stored.versions[-1]:
        bundle.pin(models, stored.path.name, chosen)
    canary.write(models, stored.path.name, None)


def _split(stored_models: dict[str, StoredModel], pair: str) -> tuple[StoredModel, int]:
    """`ner=2` as a stored model and a version of it. Raises BundleError if it is not there."""
    name, _, version = pair.partition("=")
    stored = _stored_model(stored_models, name)
    if version not in map(str, stored.versions):
        known = ", ".join(f"{name}={number}" for number in stored.versions)
        raise BundleError(f"there is no {pair!r} in the repository; there is {known}")
    return stored, int(version)


def _stored_model(stored_models: dict[str, StoredModel], name: str) -> StoredModel:
    if name not in stored_models:
        known = ", ".join(stored_models) or "nothing"
        raise BundleError(f"there is no {name!r} in the repository; there is {known}")
    return stored_models[name]
