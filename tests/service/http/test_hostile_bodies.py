"""No body takes the service from the others, and no error costs more than an answer."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..conftest import running
from ..helpers import until

JSON = {"Content-Type": "application/json"}
LONG = {**JSON, "X-Request-Timeout-Ms": "600000"}
LIBRE = "/compat/libretranslate/translate"

MOST_STALL = 2.0
"""Seconds of its processor time in which the service answers others: a scanner that is not linear takes more than
10. That it is 0.25 on a quiet machine is measured, not tested."""


def query(**fields: Any) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode()


def html(part: str, times: int) -> bytes:
    return query(q=part * times, source="en", target="fr", format="html")


BODIES = {
    "< in HTML": (LIBRE, html("<", 50_000)),
    "tags that never end": (LIBRE, html("<a ", 50_000)),
    "quotes": ("/sentiment", query(text="« " * 50_000, sentences=True)),
    "backticks": ("/ner", query(text="`" * 200_000)),
    "emoji": ("/ner", query(text="👍" * 500_000)),
    "a shape of many dimensions": (
        "/v2/models/ner/infer",
        query(inputs=[{"name": "text", "datatype": "BYTES", "shape": [2] * 300_000, "data": []}]),
    ),
    "numbers": ("/ner", b'{"text": [' + b"1," * 2_000_000 + b"1]}"),
    "lists": ("/ner", b'{"text": [' + b"[]," * 1_300_000 + b"1]}"),
    "a string that never ends": ("/ner", b'"' + b'\\",' * 1_300_000),
    "unknown fields": ("/ner", b"{" + b",".join(b'"k%d":1' % n for n in range(300_000)) + b"}"),
    "labels": ("/ner", query(text="London " * 9_000, labels=["LOC"] * 400_000)),
    "detected languages": (
        "/translate",
        query(text=["le " * 300] * 1000, source="auto", target="xx"),
    ),
}


@pytest.fixture(scope="module")
def service(
    tiny_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, httpx.Client]]:
    """The process of a server, and a client of it."""
    log = tmp_path_factory.mktemp("hostile") / "log"
    arguments = ("--models", str(tiny_models), "--workers", "1")
    with running(log, *arguments) as (process, client):
        yield process.pid, client


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """Megabytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", BODIES)
def test_others_are_answered_beside_a_hostile_body(
    service: tuple[int, httpx.Client], kind: str
) -> None:
    pid, client = service
    path, body = BODIES[kind]
    answers: list[int] = []

    def send() -> None:
        answers.append(
            httpx.post(
                client.base_url.join(path), content=body, headers=LONG, timeout=500
            ).status_code
        )

    hostile = threading.Thread(target=send)
    hostile.start()
    stalls = []
    while hostile.is_alive():
        began = processor_seconds(pid)
        assert client.get("/health/live").status_code == 200
        stalls.append(processor_seconds(pid) - began)
    assert answers
    assert answers[0] < 500
    assert max(stalls) <= MOST_STALL


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/ner", b'{"text": [' + b'["\\ud800"],' * 50_000 + b"1]}", 422),
        ("/ner", query(text="a", labels=["PRE"] * 100_000), 422),
        ("/ner", query(text="a", labels=["PER"] * 400_000), 422),
        ("/ner", query(text="a", labels=["\0" * 600_000]), 422),
        ("/ner", query(text="a", model="\0" * 600_000), 404),
        ("/ner", query(text="a", **{"\0" * 600_000: 1}), 422),
        ("/ner", query(text="a", **{str(n) + "\0" * 5000: 1 for n in range(90)}), 422),
        ("/translate", query(text="a", source="\0" * 600_000, target="fr"), 422),
        ("/ner", b"[" * 4_000_000, 422),
        ("/ner", b"[" * 50_000, 400),
        BODIES["a shape of many dimensions"] + (400,),
        BODIES["numbers"] + (422,),
        BODIES["a string that never ends"] + (400,),
        BODIES["lists"] + (422,),
        BODIES["unknown fields"] + (422,),
        (LIBRE, query(q="a", source="\0" * 600_000, target="fr"), 400),
    ],
)
def test_an_error_is_short_whatever_it_is_about(
    service: tuple[int, httpx.Client], path: str, body: bytes, status: int
) -> None:
    response = service[1].post(path, content=body, headers=JSON)
    assert response.status_code == status
    assert len(response.content) <= 16 * 1024
    assert response.json()


def test_a_reference_to_no_character_stays_as_it_is(service: tuple[int, httpx.Client]) -> None:
    for number in ("9" * 5_000, "0" * 5_000):
        body = html(f"a &#{number}; <a title='&#{number};'>b</a>", 1)
        answer = service[1].post(LIBRE, content=body, headers=JSON)
        assert answer.status_code == 200, answer.text
        assert number in answer.json()["translatedText"]


def test_the_memory_of_hostile_bodies_returns(service: tuple[int, httpx.Client]) -> None:
    pid, client = service
    before = resident(pid)
    for kind in ("numbers", "lists", "unknown fields"):
        path, body = BODIES[kind]
        for _ in range(3):
            client.post(path, content=body, headers=JSON)
    until(lambda: resident(pid) < before + 100, seconds=30)
