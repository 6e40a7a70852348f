"""Requests as nobody should send them: valid ones, as bytes, with something changed.

Leaves out what becomes of them (fuzz.py).
"""

import json
import random
import re
from collections.abc import Callable


def request(path: str, body: bytes = b"", *, kind: str = "application/json") -> bytes:
    """A valid request: POST if there is a body, else GET."""
    if not body:
        return f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def query(**fields: object) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode()


_LIBRE = "/compat/libretranslate"
_TEXT = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["Ada Lovelace"]}

SEEDS = [
    request("/ner", query(text="Ada Lovelace lived in London.", labels=["PER"], min_score=0.5)),
    request("/ner", query(text=["Ada 😀", "é"], offsets="utf16")),
    request("/sentiment", query(text="A good table. An awful one.", sentences=True)),
    request("/translate", query(text="The cat.", source="en", target="fr", alternatives=1)),
    request("/translate", query(inputs=["<b>a</b> b"], source="auto", target="fr", format="html")),
    request(f"{_LIBRE}/translate", query(q="a cat", source="en", target="fr", format="html")),
    request(
        f"{_LIBRE}/translate",
        b"q=a+cat&source=en&target=fr",
        kind="application/x-www-form-urlencoded",
    ),
    request(
        f"{_LIBRE}/translate",
        b'--b\r\nContent-Disposition: form-data; name="q"\r\n\r\na\r\n--b--\r\n',
        kind="multipart/form-data; boundary=b",
    ),
    request(f"{_LIBRE}/detect", query(q="le chat")),
    request("/v2/models/ner/infer", query(inputs=[_TEXT])),
    request("/health/ready"),
    request("/models/ner"),
    request("/openapi.json").replace(b"\r\n\r\n", b"\r\nAccept-Encoding: gzip\r\n\r\n"),
    b"POST /ner HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'f\r\n{"text": "Ada"}\r\n0\r\n\r\n',
]

_PARTS = [
    b"\r\n", b"\n", b"\0", b"\xff", b"\xed\xa0\x80", b":", b" ", b"%00", b"../", b"//", b"?", b"#", b'"',
    b"\\ud800",
    b"[" * 500, b"{", b"-1", b"1e999", b"99999999999999999999", b"null", b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 5\r\n", b"Content-Encoding: gzip\r\n", b"Expect: 100-continue\r\n", b"Upgrade: h2c\r\n",
    b"Host: b\r\n", b"X-Request-Timeout-Ms: 1\r\n", b"X-Request-ID: \x7f\r\n", b"HTTP/1.1", b"HTTP/0.9",
    b"PRI * HTTP/2.0",
]  # fmt: skip


def mutated(chance: random.Random) -> bytes:
    """One of SEEDS with one to four changes; in every other one the length that it says is right again."""
    made = chance.choice(SEEDS)
    for _ in range(chance.choice((1, 1, 2, 4))):
        made = chance.choice(_CHANGES)(made, chance)
    if chance.random() < 0.5:
        head, end, body = made.partition(b"\r\n\r\n")
        said = b"Content-Length: %d" % len(body)
        made = re.sub(rb"Content-Length: [0-9]+", said, head, count=1) + end + body
    return made


def _range(data: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randint(0, len(data))
    return start, min(len(data), start + int(40 * chance.random() ** 2))


def _flip(data: bytes, chance: random.Random) -> bytes:
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    start, end = _range(data, chance)
    return data[:start] + data[end:]


def _end(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randint(0, len(data))]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    start, end = _range(data, chance)
    return data[:end] + data[start:end] * chance.choice((1, 1, 3, 50)) + data[end:]


def _put(data: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice(_PARTS) + data[at:]


def _put_header(data: bytes, chance: random.Random) -> bytes:
    return data.replace(b"\r\n", b"\r\n" + chance.choice(_PARTS), 1)


def _splice(data: bytes, chance: random.Random) -> bytes:
    other = chance.choice(SEEDS)
    return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]


def _follow(data: bytes, chance: random.Random) -> bytes:
    return data + chance.choice(SEEDS)


_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_flip, _cut, _end, _repeat, _put, _put, _put_header, _splice, _follow),
)
