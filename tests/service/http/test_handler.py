"""What holds for every request: limits, deadlines, overload, callers who leave, and shutting down."""

import itertools
import json
import logging
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.tasks.ner.task import Ner
from service.tasks.session import Session
from service.telemetry.logs import Lines

from ..conftest import Serve
from ..helpers import TASKS, Brake, keep_busy, refusal, until, value

JSON = {"Content-Type": "application/json"}


def fill_queue(
    brake: Brake, client: httpx.Client, threads: ThreadPoolExecutor
) -> list[Future[httpx.Response]]:
    """`keep_busy`, and one request more, which leaves no room in a queue of ten tokens."""
    busy = keep_busy(brake, client, threads)
    second = threads.submit(client.post, "/ner", json={"text": "waits " * 8})
    until(lambda: 'textloom_queue_depth{model="ner"} 1.0' in client.get("/metrics").text)
    return [*busy, second]


def raw(client: httpx.Client, request: bytes) -> bytes:
    """The first piece of an answer to bytes that no well-behaved client would send."""
    url = client.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=60) as connection:
        connection.sendall(request)
        return connection.recv(65536)


@pytest.fixture(scope="module")
def narrow(serve: Serve, tiny_models: Path) -> Iterator[httpx.Client]:
    limits: dict[str, Any] = {"max_body_bytes": 1000, "max_texts": 3, "max_characters": 100}
    with serve(tiny_models, **limits) as client:
        yield client


@pytest.mark.parametrize(
    "text", [["a"] * 4, "a" * 101, ["a" * 50, "b" * 51], "é" * 101], ids=lambda text: str(len(text))
)
def test_texts_over_a_limit_are_413(narrow: httpx.Client, text: Any) -> None:
    problem = refusal(narrow.post("/ner", json={"text": text}), 413, "too_large")
    assert problem["errors"][0]["pointer"] == "/text"
    assert "at most" in problem["detail"]


@pytest.mark.parametrize("text", [["a"] * 3, "a" * 100, ["a" * 50, "b" * 50]], ids=len)
def test_texts_at_a_limit_are_fine(narrow: httpx.Client, text: Any) -> None:
    assert narrow.post("/ner", json={"text": text}).status_code == 200


def test_a_body_over_the_limit_is_413(narrow: httpx.Client) -> None:
    response = narrow.post("/ner", content=b" " * 1001, headers=JSON)
    refusal(response, 413, "too_large")
    assert response.headers["connection"] == "close"
    assert (
        narrow.post("/ner", content=b'{"text": "a"}'.ljust(1000), headers=JSON).status_code == 200
    )


def test_a_declared_body_over_the_limit_is_413_before_any_of_it_came(
    narrow: httpx.Client,
) -> None:
    head = b"POST /ner HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    answer = raw(narrow, head + b"Content-Length: 1000000000000\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413")


def test_a_chunked_body_over_the_limit_is_413_before_it_ends(narrow: httpx.Client) -> None:
    head = b"POST /ner HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    chunk = b"3e9\r\n" + b" " * 1001 + b"\r\n"
    assert raw(narrow, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk).startswith(
        b"HTTP/1.1 413"
    )


def test_a_caller_who_waits_to_be_told_to_send_a_body_is_told_so(narrow: httpx.Client) -> None:
    head = b"POST /ner HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\nExpect: 100-continue\r\n"
    length = b"Content-Length: 13\r\n\r\n"
    assert raw(narrow, head % b"application/json" + length) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert raw(narrow, head % b"text/plain" + length).startswith(b"HTTP/1.1 415 ")


def test_after_http_1_0_the_connection_is_closed(narrow: httpx.Client) -> None:
    url = narrow.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=60) as connection:
        connection.sendall(b"GET /health/live HTTP/1.0\r\n\r\n")
        seen = b""
        while piece := connection.recv(65536):
            seen += piece
    assert b"connection: close\r\n" in seen.lower()
    assert seen.endswith(b'{"status":"live"}')


def test_an_answer_to_head_has_no_body(narrow: httpx.Client) -> None:
    for _ in range(2):  # on one connection: a body would be taken for the next answer
        assert narrow.head("/ner").content == b""


def test_a_million_wrong_places_are_not_all_named(tiny_client: httpx.Client) -> None:
    response = tiny_client.post("/ner", json={"text": [1] * 1_000_000})
    refusal(response, 422, "invalid_input")
    assert len(response.content) < 1000


def test_a_text_as_long_as_allowed_is_read_while_others_are_answered(
    tiny_client: httpx.Client,
) -> None:
    text = "Ada Lovelace lived in London. " * 10_000
    headers = {"X-Request-Timeout-Ms": "600000"}
    with ThreadPoolExecutor() as threads:
        long = threads.submit(tiny_client.post, "/ner", json={"text": text}, headers=headers)
        waits = []
        while not long.done():
            began = time.monotonic()
            assert tiny_client.get("/health/live").status_code == 200
            waits.append(time.monotonic() - began)
        answer = long.result().json()
    assert len(answer["results"][0]["entities"]) == 20_000
    assert len(waits) > 5
    assert min(waits) < 0.5


def test_a_deadline_that_passes_is_504(serve: Serve, tiny_models: Path, brake: Brake) -> None:
    with serve(tiny_models, threads=2, timeout_ms=200) as client:
        brake.released.clear()
        began = time.monotonic()
        refusal(client.post("/ner", json={"text": "a"}), 504, "deadline_exceeded")
        assert time.monotonic() - began > 0.15
        headers = {"X-Request-Timeout-Ms": "20"}
        refusal(client.post("/ner", json={"text": "a"}, headers=headers), 504, "deadline_exceeded")
        brake.released.set()
        headers = {"X-Request-Timeout-Ms": "60000"}
        assert client.post("/ner", json={"text": "a"}, headers=headers).status_code == 200


def test_no_caller_gets_more_time_than_is_set(
    serve: Serve, tiny_models: Path, brake: Brake
) -> None:
    with serve(tiny_models, threads=2, timeout_ms=100, max_timeout_ms=200) as client:
        brake.released.clear()
        headers = {"X-Request-Timeout-Ms": "80000000"}
        refusal(client.post("/ner", json={"text": "a"}, headers=headers), 504, "deadline_exceeded")
        brake.released.set()


def test_what_one_caller_has_queued_is_not_held_against_another(
    serve: Serve, tiny_models: Path, brake: Brake
) -> None:
    with (
        serve(tiny_models, threads=2, queue_tokens=10, timeout_ms=600_000) as client,
        httpx.Client(
            base_url=client.base_url,
            transport=httpx.HTTPTransport(local_address="127.0.0.2"),
            timeout=180,
        ) as other,
        ThreadPoolExecutor() as threads,
    ):
        waiting = fill_queue(brake, client, threads)
        query = {"text": "one two three"}
        refusal(client.post("/ner", json=query), 503, "queue_full")
        waiting.append(threads.submit(other.post, "/ner", json=query))
        until(lambda: value(client, "textloom_queue_depth", model="ner") == 2)
        brake.released.set()
        assert {answer.result().status_code for answer in waiting} == {200}


def test_a_full_queue_is_503_and_says_when_to_retry(
    serve: Serve, tiny_models: Path, brake: Brake
) -> None:
    with (
        serve(tiny_models, threads=2, queue_tokens=10) as client,
        ThreadPoolExecutor() as threads,
    ):
        waiting = fill_queue(brake, client, threads)
        response = client.post("/ner", json={"text": "one two three"})
        refusal(response, 503, "queue_full")
        assert int(response.headers["retry-after"]) >= 1
        others = client.post(
            "/sentiment", json={"text": "too much"}, headers={"X-Request-Timeout-Ms": "50"}
        )
        refusal(others, 504, "deadline_exceeded")  # it shares the threads, but not the queue
        brake.released.set()
        assert {answer.result().status_code for answer in waiting} == {200}
        assert client.post("/ner", json={"text": "one two three"}).status_code == 200


def test_a_request_that_its_head_shows_to_be_late_is_refused_before_its_body_is_read(
    serve: Serve, tiny_models: Path, brake: Brake, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "textloom.access")
    head = b"POST /ner HTTP/1.1\r\nHost: a\r\nX-Request-ID: mine\r\nContent-Length: %d\r\n%s\r\n"
    body = b'{"text": "one two three'  # which is no JSON: parsing it would say so
    request = head % (len(body), b"") + body
    health = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
    with (
        serve(tiny_models, threads=2, queue_tokens=10) as client,
        ThreadPoolExecutor() as threads,
    ):
        assert raw(client, request).startswith(b"HTTP/1.1 415")  # there is room, so it is read
        waiting = fill_queue(brake, client, threads)

        answers = conversation(client, [request + health, request[:-5], request[-5:] + health])
        assert [answer.split()[1] for answer in answers] == [b"503", b"200", b"503", b"200"]
        fields, _, told = answers[0].partition(b"\r\n\r\n")
        assert b"x-request-id: mine" in fields
        assert b"retry-after: 1" in fields
        assert json.loads(told)["code"] == "queue_full"
        assert json.loads(told)["request_id"] == "mine"

        lines = [json.loads(Lines().format(record)) for record in caplog.records if record.args]
        refused = [line for line in lines if line.get("request_id") == "mine"][-2:]
        assert [(line["route"], line["status"]) for line in refused] == [("/ner", 503)] * 2

        # a long body may hold few characters, so it has to be read
        wrong = head % (len(body), b"X-Request-Timeout-Ms: soon\r\n") + body
        long = head % (9000, b"") + b" " * 9000
        for other, status in ((wrong, b"422"), (long, b"415")):
            assert raw(client, other).split()[1] == status

        page = client.get("/metrics").text
        assert 'textloom_http_requests_total{route="/ner",status="503",task="ner"} 2.0' in page
        assert 'textloom_rejected_total{model="ner",reason="queue_full"} 2.0' in page
        brake.released.set()
        assert {answer.result().status_code for answer in waiting} == {200}
        assert raw(client, request).startswith(b"HTTP/1.1 415")


def test_every_refusal_is_whole_and_has_its_own_id(
    serve: Serve, tiny_models: Path, brake: Brake
) -> None:
    body = b'{"text": "one two three"}'
    given = [b"", b"", b"b" * 32, b'"' * 32, b"-" * 32, b"\\"]
    requests = [
        b"POST /ner HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n%s"
        % (b"X-Request-ID: %s\r\n" % request_id if request_id else b"", len(body), body)
        for request_id in given
    ]
    with (
        serve(tiny_models, threads=2, queue_tokens=10) as client,
        ThreadPoolExecutor() as threads,
    ):
        waiting = fill_queue(brake, client, threads)
        answers = conversation(client, [b"".join(requests), *requests, *requests])
        brake.released.set()
        assert {answer.result().status_code for answer in waiting} == {200}
    found = []
    for answer in answers:
        fields, _, told = answer.partition(b"\r\n\r\n")
        assert fields.startswith(b"HTTP/1.1 503 ")
        assert b"content-length: %d" % len(told) in fields
        assert b"\r\ndate: " in fields
        request_id = re.search(rb"x-request-id: (.*?)\r\n", fields)
        assert request_id
        assert json.loads(told)["request_id"] == request_id[1].decode()
        found.append(request_id[1])
    made = [each for each in found if each not in given]
    assert [each for each in found if each in given] == given[2:] * 3
    assert len(set(made)) == 2 * 3
    assert all(re.fullmatch(b"[0-9a-f]{32}", each) for each in made)


def conversation(client: httpx.Client, parts: list[bytes]) -> list[bytes]:
    """The answers on one connection; each part is sent when all that ended before it is answered."""
    url, seen, asked = client.base_url, b"", 0
    with socket.create_connection((url.host, url.port or 80), timeout=60) as connection:
        for part, following in itertools.pairwise([*parts, b"POST "]):
            connection.sendall(part)
            asked += part.count(b"POST ") + part.count(b"GET ")
            whole = following.startswith((b"POST ", b"GET "))
            while whole and (seen.count(b"HTTP/1.1 ") < asked or not seen.endswith(b"}")):
                seen += connection.recv(65536)
    return [b"HTTP/1.1 " + answer for answer in seen.split(b"HTTP/1.1 ")[1:]]


def test_a_caller_who_leaves_frees_the_place(serve: Serve, tiny_models: Path, brake: Brake) -> None:
    with serve(tiny_models, threads=2) as client, ThreadPoolExecutor() as threads:
        busy = keep_busy(brake, client, threads)
        with pytest.raises(httpx.ReadTimeout):
            client.post("/ner", json={"text": "gone"}, timeout=0.2)
        left = 'textloom_http_requests_total{route="/ner",status="499",task="ner"} 1.0'
        until(lambda: left in client.get("/metrics").text)
        assert 'textloom_queue_depth{model="ner"} 0.0' in client.get("/metrics").text
        brake.released.set()
        assert {answer.result().status_code for answer in busy} == {200}
        assert client.post("/ner", json={"text": "next"}).status_code == 200
        assert brake.held == 3


def test_a_caller_who_leaves_in_the_middle_of_a_body_is_no_error(
    serve: Serve, tiny_models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(tiny_models) as client:
        head = b"POST /ner HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        with socket.create_connection(
            (client.base_url.host, client.base_url.port or 80)
        ) as connection:
            connection.sendall(head + b'Content-Length: 100\r\n\r\n{"text": ')
            time.sleep(0.1)
        left = 'textloom_http_requests_total{route="/ner",status="499",task="ner"} 1.0'
        until(lambda: left in client.get("/metrics").text)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_failure_of_ours_is_500_says_nothing_of_the_inside_and_is_in_the_log(
    serve: Serve,
    tiny_models: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: Any) -> Any:
        raise KeyError("Zebrafinch")

    with serve(tiny_models) as client:
        for owner, broken in ((Ner, "encode"), (Session, "run"), (Ner, "decode")):
            with monkeypatch.context() as patch:
                patch.setattr(owner, broken, fail)
                response = client.post("/ner", json={"text": "Zebrafinch"})
            problem = refusal(response, 500, "internal_error")
            assert "KeyError" not in response.text
            assert "Zebrafinch" not in response.text
            assert problem["request_id"] in caplog.text
        assert client.post("/ner", json={"text": "a"}).status_code == 200
    ours = "\n".join(
        r.getMessage() for r in caplog.records if r.name.startswith(("textloom", "uvicorn"))
    )
    assert ours.count("KeyError <") == 3
    assert "test_handler.py" in ours
    assert "Zebrafinch" not in ours


@pytest.mark.parametrize("threads", [1, 2])
def test_a_slice_makes_a_step_though_its_time_is_over_before_it_begins(
    serve: Serve, threads: int, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "service.scheduling.batcher.SLICE_SECONDS", 0.0
    )  # as if the machine had been busy elsewhere
    with serve(tiny_models, threads=threads, timeout_ms=60_000) as client:
        for path, query in TASKS.items():
            assert client.post(path, json={"text": "Ada", **query}).status_code == 200
