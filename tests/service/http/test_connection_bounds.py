"""Connections, and the bytes on their way over them, are bounded; so is the time for which they may be."""

import json
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from service.http.server import Adapter

from ..conftest import running, serving
from ..helpers import until, value
from ..subprocesses import logged, process, status, workers
from .test_hostile_bodies import processor_seconds
from .test_protocol import BODY, HEAD, WHOLE, connected, everything, until_seen

LONG = json.dumps({"text": "Ada Lovelace " * 12_000}).encode()


def head(length: int) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % length


@pytest.fixture(scope="module")
def few(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    arguments = ["--models", str(tiny_models), "--workers", "1", "--max-connections", "4"]
    arguments += ["--max-inflight-bytes", "250000", "--write-seconds", "2"]
    with running(tmp_path_factory.mktemp("few") / "log", *arguments) as (_, client):
        yield client


def test_for_another_connection_the_one_that_is_idle_for_longest_is_closed(
    few: httpx.Client,
) -> None:
    with ExitStack() as opened:
        idle = [opened.enter_context(connected(few)) for _ in range(6)]
        assert everything(idle[0]) == b""
        idle[-1].sendall(WHOLE)
        until_seen(idle[-1], b'"usage"')


def test_if_none_is_idle_another_connection_is_503(few: httpx.Client) -> None:
    with ExitStack() as opened:
        for _ in range(4):
            busy = opened.enter_context(connected(few))
            busy.sendall(head(100) + b"{")
            time.sleep(0.1)
        refused = everything(opened.enter_context(connected(few)))
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b'"code":"overloaded"' in refused
        assert b"connection: close" in refused


@pytest.mark.parametrize("adapter", ["protocol", "asgi"])
def test_a_body_that_is_on_its_way_for_long_gives_way_to_another(
    adapter: Adapter, tiny_models: Path
) -> None:
    with (
        serving(tiny_models, adapter=adapter, max_inflight_bytes=250_000) as client,
        ExitStack() as opened,
    ):
        slow = opened.enter_context(connected(client))
        slow.sendall(head(len(LONG)) + LONG[:-1])
        until(lambda: value(client, "textloom_http_requests_total", route="/metrics") >= 1)
        time.sleep(0.5)
        answer = client.post("/ner", content=LONG, headers={"Content-Type": "application/json"})
        assert answer.status_code == 200
        refused = everything(slow)
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"gave way" in refused
        for _ in range(3):  # nothing is left of them
            again = client.post("/ner", content=LONG, headers={"Content-Type": "application/json"})
            assert again.status_code == 200


def test_who_does_not_take_an_answer_in_time_loses_it(few: httpx.Client) -> None:
    body = json.dumps({"text": ["Ada Lovelace London " * 40] * 300}).encode()
    with connected(few) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(head(len(body)) + body)
        until_seen(connection, b"200 OK")
        time.sleep(4)
        received = 0
        try:
            while part := connection.recv(65536):
                received += len(part)
        except ConnectionResetError:
            pass
    assert 0 < received < 12_000_000
    assert few.get("/health/live").status_code == 200


def test_over_thirty_two_requests_on_a_connection_are_too_many(few: httpx.Client) -> None:
    with connected(few) as connection:
        connection.sendall(WHOLE * 100)
        answers = everything(connection).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers[-2:]] == [b"200", b"400"]
    assert len(answers) <= 40


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /health/live HTTP/1.1\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
    ],
    ids=["no Host", "two", "gzip"],
)
def test_a_head_that_is_wrong_is_400_after_the_answer_to_what_came_before(
    few: httpx.Client, request_: bytes
) -> None:
    with connected(few) as connection:
        connection.sendall(WHOLE + request_ + WHOLE)
        answers = everything(connection).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200", b"400"]
    assert b"connection: close" in answers[-1]


def test_connections_that_are_reset_are_no_error_of_ours(tiny_models: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    arguments = ("--models", str(tiny_models), "--workers", "1", "--log-format", "json")
    with running(log, *arguments) as (_, client):
        for number in range(200):
            with connected(client) as connection:
                linger = b"\x01\0\0\0\0\0\0\0"  # closing sends a reset
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                connection.sendall((WHOLE * 5 + HEAD)[: len(WHOLE) * (number % 7)])
        assert client.get("/health/live").status_code == 200
    lines = log.read_text().splitlines()
    assert [line for line in lines if '"level":"error"' in line or "Traceback" in line] == []


@pytest.mark.timeout(300)
def test_without_descriptors_accepting_pauses_and_goes_on_later(tiny_models: Path) -> None:
    with process("--models", str(tiny_models), "--workers", "2") as (started, client):
        until(lambda: status(client, "/health/ready") == 200)
        pids = workers(started)
        limits = resource.prlimit(pids[0], resource.RLIMIT_NOFILE)
        for pid in pids:
            used = len(list(Path(f"/proc/{pid}/fd").iterdir()))
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 2, limits[1]))
        address = (client.base_url.host, client.base_url.port or 80)
        began = sum(map(processor_seconds, pids))
        with ExitStack() as opened:
            for _ in range(20):
                opened.enter_context(socket.create_connection(address, timeout=60))
            time.sleep(4)
        spent = sum(map(processor_seconds, pids)) - began
        lines = logged(started).count("connections cannot be accepted")
        for pid in pids:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        assert 0 < lines <= 16
        assert spent < 2
        until(lambda: status(client, "/health/live") == 200)
