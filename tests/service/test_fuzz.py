"""Mutated requests get no server error, and harm no valid one; what would be wrong is found."""

import json
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from benchmarks import fuzz, mutations

from .conftest import running


@pytest.fixture(scope="module")
def service(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    arguments = ("--models", str(tiny_models), "--workers", "1")
    with running(tmp_path_factory.mktemp("fuzz") / "log", *arguments) as (_, client):
        yield client


def test_twenty_thousand_mutated_requests_harm_no_valid_one(service: httpx.Client) -> None:
    port = service.base_url.port or 80
    valid = fuzz.Valid("127.0.0.1", port)
    seen = fuzz.raw("127.0.0.1", port, 20_000, valid, seed=1)
    assert valid.asked == 200
    # else it would be worth little: some are still valid, and most are wrong in many ways
    assert seen[200] > 1000
    assert seen.keys() >= {400, 404, 415, 422}
    valid.close()


def test_a_seed_gives_the_same_requests() -> None:
    first, second = ([mutations.mutated(random.Random(seed)) for _ in range(9)] for seed in (7, 7))
    assert first == second
    assert first[0] not in mutations.SEEDS


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A server that knows one answer; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 500 Oh\r\n\r\n", b"no HTTP"])
def test_what_is_wrong_is_found(service: httpx.Client, answer: bytes) -> None:
    valid = fuzz.Valid("127.0.0.1", service.base_url.port or 80)
    with answering(answer) as port, pytest.raises(fuzz.Wrong, match=answer[:7].decode()):
        fuzz.raw("127.0.0.1", port, 100, valid, seed=1)
    valid.close()


def test_another_answer_than_first_is_found(service: httpx.Client) -> None:
    valid = fuzz.Valid("127.0.0.1", service.base_url.port or 80)
    valid.check()
    valid._answers[1] = json.dumps({"results": []}).encode()
    with pytest.raises(fuzz.Wrong, match="instead of"):
        valid.check()
    valid.close()
