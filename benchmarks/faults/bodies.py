"""Bodies that are hard on what reads them, and on what writes an error about them."""

import http.client
import threading
from collections import Counter
from collections.abc import Callable, Sequence

from benchmarks import traffic
from benchmarks.mutations import query

LIBRE = "/compat/libretranslate/translate"

Fault = Callable[[int], str]


def send(
    port: int,
    requests: Sequence[tuple[str, bytes]],
    *,
    caller: str = "127.0.0.1",
    timeout_ms: int = 300_000,
) -> str:
    """Sends all at once, from this address. Says which statuses came back, and how long the longest error was."""
    statuses, longest = Counter[str](), [0]

    def post(path: str, body: bytes) -> None:
        connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=600, source_address=(caller, 0)
        )
        headers = {
            "Content-Type": "application/json",
            "X-Request-Timeout-Ms": str(timeout_ms),
        }
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            statuses["closed"] += 1
        else:
            statuses[str(response.status)] += 1
            if response.status >= 400:
                longest[0] = max(longest[0], len(content))
        finally:
            connection.close()

    threads = [threading.Thread(target=post, args=each) for each in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    return said + (f"; longest error {longest[0]:,} bytes" if longest[0] else "")


def _html(part: str, times: int) -> bytes:
    return query(q=part * times, source="en", target="fr", format="html")


NAMES = "Angela Merkel met Barack Obama in Berlin, and John Smith of Microsoft flew to Toronto. "

_BODIES: dict[str, list[tuple[str, bytes]]] = {
    "`<` 50,000 times, as HTML": [(LIBRE, _html("<", 50_000))],
    "`« ` 50,000 times, by sentence": [
        ("/sentiment", query(text="« " * 50_000, sentences=True)),
    ],
    "`shape` with 300,000 dimensions": [
        (
            "/v2/models/ner/infer",
            query(inputs=[{"name": "t", "datatype": "BYTES", "shape": [2] * 300_000, "data": []}]),
        )
    ],
    "2 million numbers in place of texts": [("/ner", b'{"text": [' + b"1," * 2_000_000 + b"1]}")],
    "50,000 lists, each with half a character": [
        ("/ner", b'{"text": [' + b'["\\ud800"],' * 50_000 + b"1]}")
    ],
    "100,000 unknown labels": [("/ner", query(text="a", labels=["PRE"] * 100_000))],
    "400,000 times a known label": [("/ner", query(text="London " * 9_000, labels=["LOC"] * 400_000))],
    "300,000 unknown fields": [
        ("/ner", b"{" + b",".join(b'"k%d":1' % number for number in range(300_000)) + b"}")
    ],
    "4 million brackets": [("/ner", b"[" * 4_000_000)],
    "`&#` and 5,000 digits": [(LIBRE, _html("&#" + "9" * 5_000 + ";", 1))],
    "three texts of 1 million characters full of names, at once": [
        ("/ner", query(text=(NAMES * 12_000)[:1_000_000]))
    ]
    * 3,
}  # fmt: skip


def _sends(requests: list[tuple[str, bytes]]) -> Fault:
    return lambda port: send(port, requests)


def documents(port: int) -> str:
    """Of one caller, with a deadline of a day."""
    text = traffic.Words(1).take(9_000)
    body = query(text=text, source="en", target="fr")
    return send(port, [("/translate", body)] * 6, caller="127.0.0.2", timeout_ms=86_400_000)


FAULTS: dict[str, Fault] = {name: _sends(requests) for name, requests in _BODIES.items()} | {
    "six documents of 45 kB to translate from one caller, deadline a day": documents,
}
