"""`python -m benchmarks.fuzz`: sends mutated requests and requests made from the OpenAPI document, for an hour.

Valid requests go between them, over a connection of their own, and each must get the answer that it got
beforehand; nothing may be answered by a 5xx but 503 and 504. Ends with status 1, and prints the request, if
something is wrong.
"""

import argparse
import http.client
import json
import random
import re
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

from benchmarks import mutations, servers

TOGETHER = 100
"""Mutated requests at once, each over a connection of its own."""
PATIENCE = 0.05
"""Seconds without an answer after which connections are closed, once half have one: most others were cut short."""
MOST_PATIENCE = 5.0
"""The same if fewer have one, on a busy machine."""
RAW_TO_SCHEMA = 7
"""Mutated requests for each that is made from the document."""

_STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")

VALID = [
    ("/ner", mutations.query(text="Ada Lovelace lived in London.")),
    ("/sentiment", mutations.query(text=["a good table", "an awful table"], sentences=True)),
    ("/translate", mutations.query(text="The cat sleeps.", source="en", target="fr")),
    (
        "/compat/libretranslate/translate",
        mutations.query(q="The <b>cat</b>.", source="en", target="fr", format="html"),
    ),
]


class Wrong(Exception):
    """What the service should not have done, and after which request."""


class Valid:
    """Valid requests over a connection that stays open, and the answers that they got first."""

    def __init__(self, host: str, port: int, key: str = "") -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=120)
        self._headers = {"Content-Type": "application/json", "X-Request-Timeout-Ms": "100000"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._answers = [self._ask(*each) for each in VALID]
        self.asked = 0

    def check(self) -> None:
        """Asks the next one. Raises Wrong unless it gets the answer that it got first."""
        which = self.asked % len(VALID)
        answer = self._ask(*VALID[which])
        if answer != self._answers[which]:
            raise Wrong(f"{VALID[which]} got {answer[:2000]!r} instead of {self._answers[which]!r}")
        self.asked += 1

    def close(self) -> None:
        self._connection.close()

    def _ask(self, path: str, body: bytes) -> bytes:
        self._connection.request("POST", path, body, self._headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise Wrong(f"{path} got {response.status}: {content[:2000]!r}")
        return content


def raw(host: str, port: int, requests: int, valid: Valid, seed: int) -> Counter[int]:
    """Sends so many mutated requests, with a valid one after each TOGETHER. How many answers had which status.

    Raises Wrong.
    """
    chance, seen = random.Random(seed), Counter[int]()
    for _ in range(0, requests, TOGETHER):
        sent = [mutations.mutated(chance) for _ in range(TOGETHER)]
        for made, answer in zip(sent, answers(host, port, sent), strict=True):
            if answer and not answer.startswith(b"HTTP/1.1 "):
                raise Wrong(f"{made!r} got {answer[:2000]!r}")
            statuses = [int(each) for each in _STATUS.findall(answer)]
            seen.update(statuses)
            if any(status >= 500 and status not in (503, 504) for status in statuses):
                raise Wrong(f"{made!r} got {answer[:2000]!r}")
        valid.check()
    return seen


def answers(host: str, port: int, requests: list[bytes]) -> list[bytes]:
    """What comes back for each, as far as it comes without waiting for long."""
    connections = [socket.create_connection((host, port), timeout=60) for _ in requests]
    answers = {each.fileno(): b"" for each in connections}
    by_number = {each.fileno(): each for each in connections}
    poll = select.poll()
    for connection, made in zip(connections, requests, strict=True):
        with suppress(ConnectionError):  # it is answered and closed already
            connection.sendall(made)
        poll.register(connection, select.POLLIN)
    silent, began = set(answers), time.monotonic()
    while silent:
        ready = poll.poll(1000 * PATIENCE)
        late = time.monotonic() - began > MOST_PATIENCE
        if not ready and (late or 2 * sum(map(bool, answers.values())) >= len(answers)):
            break
        for number, _ in ready:
            part = b""
            with suppress(ConnectionError):
                part = by_number[number].recv(1 << 20)
            answers[number] += part
            if not part:
                poll.unregister(number)
                silent.discard(number)
    for connection in connections:
        connection.close()
    return list(answers.values())


def by_schema(
    operation: Any,
    mode: Any,
    examples: int,
    base_url: str,
    valid: Valid,
    seed: int | None = None,
) -> Counter[int]:
    """Sends so many requests made from a part of the document, with a valid one after each ten.

    operation: of schemathesis; mode: whether they are right by the document; seed: none for the same
    ones each time. How many answers had which status. Raises Wrong, and what schemathesis raises for an
    undocumented answer.
    """
    from hypothesis import HealthCheck, given, settings
    from hypothesis import seed as seeded
    from schemathesis.checks import positive_data_acceptance

    seen, number = Counter[int](), count()
    # a language or label may be right by the schema and yet not be served
    unmeant = [positive_data_acceptance]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=seed is None,
        suppress_health_check=list(HealthCheck),
    )
    def run(case: Any) -> None:
        response = case.call_and_validate(base_url=base_url, timeout=180, excluded_checks=unmeant)
        seen[response.status_code] += 1
        if next(number) % 10 == 0:
            valid.check()

    (run if seed is None else seeded(seed)(run))()
    return seen


def described(document: dict[str, Any]) -> Any:
    """The document for schemathesis, less the one header with which a caller asks for a 504."""
    import schemathesis

    for methods in document["paths"].values():
        for operation in methods.values():
            operation["parameters"] = [
                parameter
                for parameter in operation["parameters"]
                if parameter["name"] != "X-Request-Timeout-Ms"
            ]
    return schemathesis.openapi.from_dict(document)


def _for_seconds(port: int, seconds: float, seed: int) -> Counter[int]:
    from schemathesis import GenerationMode

    document = json.loads(servers.page(port, "/openapi.json"))
    operations = [(path, method) for path, each in document["paths"].items() for method in each]
    schema, host, end = described(document), "127.0.0.1", time.monotonic() + seconds
    total, sent, valid = Counter[int](), Counter[str](), Valid(host, port)
    for number in count(seed):
        path, method = operations[number % len(operations)]
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            seen = _if_any(
                partial(
                    by_schema,
                    schema[path][method],
                    mode,
                    50,
                    f"http://{host}:{port}",
                    valid,
                    number,
                )
            )
            sent["schema-aware"] += seen.total()
            total += seen
        sent["raw"] += 100 * RAW_TO_SCHEMA
        total += raw(host, port, 100 * RAW_TO_SCHEMA, valid, number)
        sent["valid"] = valid.asked
        print(f"seed {number}: {dict(sent)}", file=sys.stderr, flush=True)
        if time.monotonic() > end:
            break
    return total


def _if_any(run: Callable[[], Counter[int]]) -> Counter[int]:
    """A path without parameters cannot be asked wrongly."""
    from hypothesis.errors import Unsatisfiable
    from schemathesis.core.errors import SchemathesisError

    try:
        return run()
    except (Unsatisfiable, SchemathesisError):
        return Counter()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600, help="default: an hour")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    options = parser.parse_args()
    with servers.service() as port:
        try:
            seen = _for_seconds(port, options.seconds, options.seed)
        except Exception as error:  # noqa: BLE001  of whatever kind, it is what was looked for
            print(f"{type(error).__name__}: {error}")
            return 1
    print("answers by status:", dict(sorted(seen.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
