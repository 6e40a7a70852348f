"""What the tests of several folders use: queries, answers, metrics, and a way to hold up a computation."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

TASKS: dict[str, dict[str, Any]] = {
    "/ner": {},
    "/sentiment": {},
    "/translate": {"source": "fr", "target": "en"},
}


def ask(client: httpx.Client, path: str, **query: Any) -> dict[str, Any]:
    response = client.post(path, json={**TASKS[path], **query})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def refusal(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of a response, whole as the contract has it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    fields = {"type", "title", "status", "detail", "code", "request_id", "errors"}
    assert problem.keys() == fields
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["request_id"] == response.headers["x-request-id"]
    assert all(error.keys() == {"pointer", "detail"} for error in problem["errors"])
    return problem


def compat_error(response: httpx.Response, status: int) -> str:
    """The detail of an error, which both compatibility APIs put into `error` and nowhere else."""
    assert response.status_code == status, response.text
    body = response.json()
    assert body.keys() == {"error"}
    said: str = body["error"]
    return said


def families(client: httpx.Client) -> dict[str, Metric]:
    response = client.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {family.name: family for family in text_string_to_metric_families(response.text)}


def value(client: httpx.Client, name: str, **labels: str) -> float:
    return sum(
        sample.value
        for family in families(client).values()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def until(condition: Any, seconds: float = 180) -> None:
    """Wait until `condition()` holds; fail if that takes too long."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


class Brake:
    """Holds every run of the tagger until it is released."""

    def __init__(self) -> None:
        self.held = 0
        self.released = threading.Event()


def keep_busy(
    brake: Brake, client: httpx.Client, threads: ThreadPoolExecutor
) -> list[Future[httpx.Response]]:
    """A request in each of the server's two threads, held until the brake is released."""
    brake.released.clear()
    brake.held = 0
    busy = []
    for number in (1, 2):
        busy.append(threads.submit(client.post, "/ner", json={"text": "busy"}))
        until(lambda number=number: brake.held == number)
    return busy
