"""Short requests beside another caller's documents: how many are answered in time, and how fast."""

import http.client
import json
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import open_loop, servers, traffic
from benchmarks.rows import Plan, Row, ratio

IN_TIME = 0.5
"""Seconds within which a short request is to be answered."""
RATE = 20
"""Short requests a second, for each task in turn."""
DOCUMENTS = 6
"""Sent at once and again and again, by a caller of his own."""
DOCUMENT_WORDS = 9000
"""About 45 kB."""
DOCUMENT_CALLER = "127.0.0.2"

SHORT: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("/ner", "Ada Lovelace met Charles Babbage in London.", {}),
    ("/sentiment", "What a wonderful film!", {}),
    ("/translate", "The soup was cold, and the waiter was rude.", {"source": "en", "target": "fr"}),
)


def fairness(plan: Plan) -> Iterator[Row]:
    """Short requests for each task, alone and beside documents to translate, by turns."""
    shares: tuple[list[float], list[float]] = ([], [])
    slowest: tuple[list[float], list[float]] = ([], [])
    with servers.service() as port:
        _short(port, plan.seconds)  # so that the service knows how long a batch takes
        for _ in range(plan.repeats):
            for index in (0, 1):
                if index:
                    answers = _short(port, plan.seconds)
                else:
                    with _documents(port):
                        answers = _short(port, plan.seconds)
                latencies = sorted(
                    answer.latency if answer.status == 200 else math.inf for answer in answers
                )
                in_time = sum(latency <= IN_TIME for latency in latencies)
                shares[index].append(in_time / len(latencies))
                slowest[index].append(1000 * latencies[int(0.99 * len(latencies))])
    yield Row(
        "fairness-goodput",
        f"short requests of all tasks answered within {1000 * IN_TIME:g} ms beside another caller's documents of "
        "45 kB, against without them",
        ratio(*shares),
        "x",
        0.95,
        1.0,
        True,
        *shares,
    )
    yield Row(
        "fairness-p99",
        "p99 of the short requests beside those documents",
        sorted(slowest[0])[len(slowest[0]) // 2],
        "ms",
        1000 * IN_TIME,
        1000 * IN_TIME / 2,
        False,
        *slowest,
    )


def _short(port: int, seconds: float) -> list[open_loop.Answer]:
    found: list[open_loop.Answer] = []
    for path, text, options in SHORT:
        bodies = traffic.bodies([[text]], **options)
        found += open_loop.run(port, path, bodies, rate=RATE, seconds=seconds)
    return found


@contextmanager
def _documents(port: int) -> Iterator[None]:
    """Inside, a caller has documents translated, whatever becomes of them."""
    text = traffic.Words(1).take(DOCUMENT_WORDS)
    body = json.dumps({"text": text, "source": "en", "target": "fr"})
    ended, started = threading.Event(), threading.Barrier(DOCUMENTS + 1)

    def send() -> None:
        connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=120, source_address=(DOCUMENT_CALLER, 0)
        )
        started.wait()
        while not ended.is_set():
            connection.request("POST", "/translate", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                ended.wait(0.2)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(DOCUMENTS)]
    for thread in threads:
        thread.start()
    started.wait()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()
