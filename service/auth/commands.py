"""`python -m service keys`: makes, revokes and lists the keys of callers.

Works on the file alone: a service that runs with it sees a change within a second.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from service.auth import api_keys
from service.auth.api_keys import MAX_KEYS, ApiKey
from service.settings import PREFIX


def main(arguments: Sequence[str], *, program: str = "python -m service keys") -> int:
    """Gives the exit status."""
    parser = argparse.ArgumentParser(prog=program, description="Without a command: list the keys.")
    file = os.environ.get(f"{PREFIX}KEYS")
    parser.add_argument("--keys", type=Path, default=file, help=f"key file (default: {PREFIX}KEYS)")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="")
    make = commands.add_parser(
        "make", help="create a key and print it; the file gets only its hash"
    )
    make.add_argument("label", help="name of the key in logs and metrics")
    make.add_argument("--days", type=float, help="days until the key expires (default: never)")
    make.add_argument("--rate", type=int, help="requests per minute (default: unlimited)")
    make.add_argument("--concurrency", type=int, help="concurrent requests (default: unlimited)")
    make.add_argument("--characters", type=int, help="characters per minute (default: unlimited)")
    revoke = commands.add_parser("revoke", help="revoke a key")
    revoke.add_argument("label")
    given = parser.parse_args(arguments)

    try:
        path = given.keys
        if path is None:
            raise ValueError(f"name the file: --keys FILE, or the variable {PREFIX}KEYS")
        if not path.exists() and given.command != "make":
            raise ValueError(f"there is no file {path}; `keys make` creates it")
        held = api_keys.read(path).keys if path.exists() else []
        if given.command == "make":
            _make(path, held, given)
        elif given.command == "revoke":
            _revoke(path, held, given.label)
        else:
            _list(held)
    except (OSError, ValueError) as error:
        print(_line(error), file=sys.stderr)
        return 1
    return 0


def _make(path: Path, held: list[ApiKey], given: argparse.Namespace) -> None:
    """Raises ValueError."""
    if any(key.label == given.label and not key.revoked for key in held):
        raise ValueError(f"there is a key {given.label!r} already; revoke it first")
    number = max((key.number for key in held), default=0) + 1
    if number > MAX_KEYS:
        raise ValueError(f"the file is full: {MAX_KEYS} keys; begin another")
    expires = None
    if given.days is not None:
        expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=given.days)
    made, sent = api_keys.make(
        number,
        given.label,
        expires=expires,
        rate=given.rate,
        concurrency=given.concurrency,
        characters=given.characters,
    )
    api_keys.write(path, [*held, made])
    print("It is shown this once. Callers send it as `Authorization: Bearer ...`:", file=sys.stderr)
    print(sent)


def _revoke(path: Path, held: list[ApiKey], label: str) -> None:
    """Raises ValueError. The entry stays, so that callers who still use the key are told why."""
    if not any(key.label == label and not key.revoked for key in held):
        known = ", ".join(key.label for key in held if not key.revoked) or "none"
        raise ValueError(f"there is no key {label!r} to revoke; there is {known}")
    now = datetime.now(UTC).replace(microsecond=0)
    api_keys.write(
        path,
        [
            key.model_copy(update={"revoked": now})
            if key.label == label and not key.revoked
            else key
            for key in held
        ],
    )


def _list(held: list[ApiKey]) -> None:
    row = "{:>6}  {:20} {:8} {:>12} {:>8} {:>12} {:>12}  {}"
    heads = ("number", "label", "state", "made", "rate", "concurrency", "characters", "expires")
    print(row.format(*heads))
    for key in held:
        expires = str(key.expires.date()) if key.expires else "never"
        quotas = (key.rate or "any", key.concurrency or "any", key.characters or "any")
        print(row.format(key.number, key.label, key.state, str(key.made.date()), *quotas, expires))


def _line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{first['loc'][0]}: {first['msg']}, not {first['input']!r}"
    return str(error)
