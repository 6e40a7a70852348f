"""Real load on real processes: every answer is that of the text alone, and no caller breaks the service."""

import json
import random
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from service import tasks
from service.registry import bundle
from service.tasks.base import predict

from .conftest import SHIPPED
from .helpers import until
from .subprocesses import process, status

SENTENCES = [
    "Angela Merkel met Barack Obama in Berlin on Monday.",
    "What a wonderful film!",
    "The service was awful, and the soup was cold.",
    "The meeting is on Tuesday.",
    "Microsoft will open an office in Toronto, said a spokesman.",
    "Two dogs are running through the snow.",
    "I would not call it a bad book, but it is too long.",
    "Paris",
    "😀 Great!!! @maria loves New York 👩‍👩‍👧",
]


def texts(count: int, seed: int) -> list[str]:
    """Texts of one to thirty sentences, few of them long."""
    chance = random.Random(seed)
    return [
        " ".join(chance.choices(SENTENCES, k=1 + int(30 * chance.random() ** 6)))
        for _ in range(count)
    ]


@pytest.fixture(scope="module")
def requests() -> list[tuple[str, dict[str, Any], list[Any]]]:
    """Path and body of each request, and the answers that its texts get alone, without a server."""
    made = []
    for path, name, options, count in (
        ("/ner", "ner", {}, 160),
        ("/sentiment", "sentiment", {"sentences": True}, 160),
        ("/translate", "translate-en-fr", {"source": "en", "target": "fr"}, 30),
    ):
        task = tasks.load(SHIPPED / name / str(bundle.versions(SHIPPED, name)[-1]))
        request = task.request("", **{k: v for k, v in options.items() if k == "sentences"})
        all_texts = texts(count, seed=count)
        alone = [predict(task, [text], request)[0] for text in all_texts]
        answers = [json.loads(answer.model_dump_json(exclude_none=True)) for answer in alone]
        chance, first = random.Random(1), 0
        while first < count:
            last = first + chance.choice((1, 1, 1, 2, 7))
            made.append((path, {"text": all_texts[first:last], **options}, answers[first:last]))
            first = last
    random.Random(2).shuffle(made)
    return made


@pytest.mark.parametrize("arguments", [("--workers", "1"), ("--workers", "4")], ids=" ".join)
def test_every_answer_under_load_is_that_of_the_text_alone(
    requests: list[tuple[str, dict[str, Any], list[Any]]], arguments: tuple[str, str]
) -> None:
    with process(*arguments) as (_, client), ThreadPoolExecutor(24) as threads:
        until(lambda: status(client, "/health/ready") == 200)
        url, limits = str(client.base_url), httpx.Limits(max_connections=24)
        with httpx.Client(base_url=url, timeout=600, limits=limits) as many:

            def ask(request: tuple[str, dict[str, Any], list[Any]]) -> list[Any]:
                path, body, _ = request
                answer = many.post(path, json=body, headers={"X-Request-Timeout-Ms": "600000"})
                assert answer.status_code == 200, answer.text
                results: list[Any] = answer.json()["results"]
                return results

            for (_, body, alone), results in zip(requests, threads.map(ask, requests), strict=True):
                assert results == alone, body
        assert 'textloom_batch_size_bucket{le="1.0",model="ner"}' in client.get("/metrics").text


# --- callers who do their worst


@pytest.fixture
def service(tiny_models: Path) -> Iterator[httpx.Client]:
    arguments = ["--models", str(tiny_models), "--workers", "2", "--queue-tokens", "1000000"]
    arguments += ["--timeout-ms", "600000"]  # nothing is refused, however slow the machine
    with process(*arguments) as (started, client):
        until(lambda: status(client, "/health/ready") == 200)
        yield client
        assert started.poll() is None


def connected(client: httpx.Client) -> socket.socket:
    address = (client.base_url.host, client.base_url.port or 80)
    return socket.create_connection(address, timeout=60)


def raw(body: bytes, path: bytes = b"/ner", length: int | None = None) -> bytes:
    declared = len(body) if length is None else length
    return (
        b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (path, declared, body)
    )


def test_who_does_not_read_his_answer_keeps_nobody_waiting(service: httpx.Client) -> None:
    """The answers are larger than the system's buffers: writing them has to wait for the reader."""
    body = json.dumps({"text": ["Ada Lovelace London " * 40] * 300}).encode()
    with ExitStack() as opened:
        slow = [opened.enter_context(connected(service)) for _ in range(3)]
        for connection in slow:
            connection.sendall(raw(body))
        for _ in range(20):
            assert service.post("/ner", json={"text": "London"}).status_code == 200
        for connection in slow:
            received = bytearray()
            while not received.endswith(b"}}"):
                piece = connection.recv(1 << 16)
                received += piece
                assert piece
                assert received.startswith(b"HTTP/1.1 200")
            answer = json.loads(received.partition(b"\r\n\r\n")[2])
            assert {len(result["entities"]) for result in answer["results"]} == {80}


def test_ten_thousand_connections_opened_and_dropped_leave_the_service_as_it_was(
    service: httpx.Client,
) -> None:
    whole = raw(b'{"text": "Ada Lovelace lived in London."}')
    pieces = [
        b"",
        whole[:40],
        raw(b'{"text": ', length=1000),
        whole,
        b"\x16\x03\x01nonsense\r\n\r\n",
    ]
    for number in range(10_000):
        connection = connected(service)
        connection.sendall(pieces[number % len(pieces)])
        connection.close()
    before = service.post("/ner", json={"text": "Ada Lovelace lived in London."})
    assert before.status_code == 200
    assert len(before.json()["results"][0]["entities"]) == 2

    def settled() -> bool:
        page = service.get("/metrics").text
        return all(
            line.endswith(" 0.0")
            for line in page.splitlines()
            if line.startswith("textloom_queue_depth{")
        )

    until(settled)
    for number in range(50):
        answer = service.post("/sentiment", json={"text": f"a good day {number}"})
        assert answer.status_code == 200
        assert answer.json()["results"][0]["label"] == "positive"
