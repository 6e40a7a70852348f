"""`python -m service models`: lists what a model repository holds, checks bundles, and pins versions.

Works on the folder alone: a service that runs on it, on whatever machine, sees a change at its next look.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from service import bundle, repository, tasks
from service.errors import BundleError
from service.repository import Shelf
from service.settings import Settings


def main(arguments: Sequence[str]) -> int:
    """Gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m service models", description="Without a command: list the models."
    )
    parser.add_argument("--models", type=Path, help="the repository (default: TEXTLOOM_MODELS)")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="")
    check = commands.add_parser(
        "check", help="hashes and golden examples of every version, or these"
    )
    check.add_argument("bundles", nargs="*", metavar="NAME=VERSION")
    pin = commands.add_parser("pin", help="have this version served, whatever others there are")
    pin.add_argument("bundle", metavar="NAME=VERSION")
    unpin = commands.add_parser("unpin", help="have the highest version served again")
    unpin.add_argument("name", metavar="NAME")
    given = parser.parse_args(arguments)

    settings = Settings() if given.models is None else Settings(models=given.models)
    shelves = repository.look(settings.models, settings.pins)
    try:
        if given.command == "check":
            return _check(shelves, given.bundles)
        if given.command == "pin":
            _pin(settings.models, shelves, given.bundle)
        elif given.command == "unpin":
            bundle.pin(settings.models, _shelf(shelves, given.name).path.name, None)
    except BundleError as error:
        print(error.detail, file=sys.stderr)
        return 1
    _list(repository.look(settings.models, settings.pins))
    return 0


def _list(shelves: dict[str, Shelf]) -> None:
    row = "{:18} {:>7} {:>7} {:>9}  {}"
    print(row.format("name", "serves", "pinned", "size", "versions"))
    for name, shelf in shelves.items():
        megabytes = sum(size for _, size, _ in shelf.files) / 1e6
        versions = " ".join(map(str, shelf.versions))
        pinned = shelf.trouble or shelf.pinned or "-"
        print(row.format(name, shelf.wanted, pinned, f"{megabytes:.1f} MB", versions))


def _check(shelves: dict[str, Shelf], bundles: Sequence[str]) -> int:
    chosen = [_split(shelves, each) for each in bundles] or [
        (shelf, version) for shelf in shelves.values() for version in shelf.versions
    ]
    status = 0
    for shelf, version in chosen:
        path = shelf.path / str(version)
        try:
            task = tasks.load(path)
        except BundleError as error:
            print(f"bad   {error.detail}")
            status = 1
        else:
            print(f"good  {path} {task.bundle.sha256}")
    return status


def _pin(models: Path, shelves: dict[str, Shelf], pair: str) -> None:
    """Raises BundleError if the version cannot be served."""
    shelf, version = _split(shelves, pair)
    tasks.load(shelf.path / str(version))
    bundle.pin(models, shelf.path.name, version)


def _split(shelves: dict[str, Shelf], pair: str) -> tuple[Shelf, int]:
    """`ner=2` as a shelf and a version of it. Raises BundleError if it is not there."""
    name, _, version = pair.partition("=")
    shelf = _shelf(shelves, name)
    if version not in map(str, shelf.versions):
        known = ", ".join(f"{name}={number}" for number in shelf.versions)
        raise BundleError(f"there is no {pair!r} in the repository; there is {known}")
    return shelf, int(version)


def _shelf(shelves: dict[str, Shelf], name: str) -> Shelf:
    if name not in shelves:
        known = ", ".join(shelves) or "nothing"
        raise BundleError(f"there is no {name!r} in the repository; there is {known}")
    return shelves[name]
