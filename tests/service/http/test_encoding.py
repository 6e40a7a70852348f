"""Compressed bodies: read within the limit on what comes out of them, or refused."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.http.encoding import decoded

from ..conftest import Serve
from ..helpers import compat_error, refusal

BODY = json.dumps({"text": "Ada Lovelace " * 20}).encode()
LIMIT = 10_000


@pytest.fixture(scope="module")
def served(serve: Serve, tiny_models: Path) -> Iterator[httpx.Client]:
    with serve(tiny_models, timeout_ms=600_000, max_body_bytes=LIMIT) as client:
        yield client


def post(client: httpx.Client, body: bytes, encoding: str) -> httpx.Response:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    return client.post("/ner", content=body, headers=headers)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(BODY, mtime=0)),
        ("GZIP", gzip.compress(BODY, mtime=0)),
        ("x-gzip", gzip.compress(BODY[:50], mtime=0) + gzip.compress(BODY[50:], mtime=0)),
        ("deflate", zlib.compress(BODY)),
        ("identity", BODY),
        ("", BODY),
    ],
)
def test_a_compressed_body_is_read(served: httpx.Client, encoding: str, body: bytes) -> None:
    answer = post(served, body, encoding)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["results"][0]["entities"]) == 20


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "aes128gcm"])
def test_another_encoding_is_415_and_says_which_are_served(
    served: httpx.Client, encoding: str
) -> None:
    refused = post(served, BODY, encoding)
    refusal(refused, 415, "unsupported_encoding")
    assert refused.headers["accept-encoding"] == "gzip, deflate"
    query = {"q": "a", "source": "fr", "target": "en"}
    path, headers = "/compat/libretranslate/translate", {"Content-Encoding": encoding}
    compat_error(served.post(path, json=query, headers=headers), 415)


def test_the_limit_holds_for_what_comes_out(served: httpx.Client) -> None:
    bomb = gzip.compress(b" " * 1_000_000)
    assert len(bomb) < LIMIT
    refusal(post(served, bomb, "gzip"), 413, "too_large")


@pytest.mark.parametrize("body", [b"", BODY, gzip.compress(BODY, mtime=0)[:-9], b"\x1f\x8b"])
def test_what_is_not_compressed_as_it_says_is_400(served: httpx.Client, body: bytes) -> None:
    assert post(served, body, "gzip").status_code == 400


def test_no_more_than_the_limit_is_ever_made() -> None:
    assert decoded(gzip.compress(b"a" * LIMIT), LIMIT) == b"a" * LIMIT
