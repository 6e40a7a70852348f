"""`python -m service models`: lists what a model repository holds, checks bundles, and pins versions.

Works on the folder alone: a service that runs on it, on whatever machine, sees a change at its next scan.
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from service import tasks
from service.errors import BundleError
from service.registry import bundle, repository, signatures
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
        "check", help="hashes and golden examples of every version, or these"
    )
    check.add_argument("bundles", nargs="*", metavar="NAME=VERSION")
    sign = commands.add_parser("sign", help="vouch for these versions with a private key")
    sign.add_argument("--key", type=Path, required=True, help="of Ed25519, a PEM file")
    sign.add_argument("bundles", nargs="+", metavar="NAME=VERSION")
    pin = commands.add_parser("pin", help="have this version served, whatever others there are")
    pin.add_argument("bundle", metavar="NAME=VERSION")
    unpin = commands.add_parser("unpin", help="have the highest version served again")
    unpin.add_argument("name", metavar="NAME")
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
    except BundleError as error:
        print(error.detail, file=sys.stderr)
        return 1
    _list(repository.scan(settings.models, settings.pins))
    return 0


def _list(stored_models: dict[str, StoredModel]) -> None:
    row = "{:18} {:>7} {:>7} {:>9}  {}"
    print(row.format("name", "serves", "pinned", "size", "versions"))
    for name, stored in stored_models.items():
        megabytes = sum(size for _, size, _ in stored.files) / 1e6
        versions = " ".join(map(str, stored.versions))
        pinned = stored.pin_error or stored.pinned or "-"
        print(row.format(name, stored.wanted, pinned, f"{megabytes:.1f} MB", versions))


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
