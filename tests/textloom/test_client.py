"""The client, against a real server; only what a network does to it is imitated."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import textloom
from textloom import AsyncClient, Client, Refused, Unreachable
from textloom.exchange import retry_after

ROOT = Path(__file__).parents[2]
ONLY = """
import importlib.metadata, sys
allowed = {"textloom", "httpx", "pydantic"}
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"service", "training", "numpy", "onnxruntime", "fastapi", "tqdm", "pyarrow"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocker())
import textloom
"""
BUSY = {"title": "Queue full", "detail": "later", "code": "queue_full", "errors": []}


@pytest.fixture
def url(tiny_client: httpx.Client) -> str:
    return str(tiny_client.base_url)


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url) as client:
        yield client


class Network(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers each request with the next of what it is given."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


def busy(**headers: str) -> httpx.Response:
    return httpx.Response(503, json=BUSY, headers=headers)


def fine() -> httpx.Response:
    return httpx.Response(200, json={"results": [{"entities": []}]})


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What both clients waited, in place of waiting."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("textloom.client.sleep", waited.append)
    monkeypatch.setattr("textloom.async_client.sleep", sleep)
    return waited


def ask(network: Network, asynchronous: bool) -> Any:
    if not asynchronous:
        return Client("http://loom/api", transport=network).ner("a")

    async def run() -> Any:
        async with AsyncClient("http://loom/api", transport=network) as client:
            return await client.ner("a")

    return asyncio.run(run())


def test_it_needs_httpx_and_pydantic_and_nothing_else() -> None:
    subprocess.run([sys.executable, "-c", ONLY], cwd=ROOT, check=True)


def test_a_text_gets_a_result_and_a_list_gets_a_list(client: Client) -> None:
    text = "😀 Ada Lovelace in London"
    (ada, london) = client.ner(text).entities
    assert (ada.text, ada.label, text[ada.start : ada.end]) == ("Ada Lovelace", "PER", ada.text)
    assert client.ner([text, ""])[1].entities == []
    assert client.ner(text, labels=["LOC"]).entities == [london]
    units = client.ner(text, offsets="utf16", min_score=0.1).entities
    assert units[0].start == ada.start + 1
    assert client.ner([]) == []


def test_sentiment_and_translation_are_typed_too(client: Client) -> None:
    result = client.sentiment("A good, good table. An awful one, awful!", sentences=True)
    assert [sentence.label for sentence in result.sentences] == ["positive", "negative"]
    assert client.sentiment("good").label == "positive"
    assert client.sentiment("good").sentences == []
    (translated,) = client.translate(["a table"], source="en", target="fr", alternatives=1)
    assert (
        translated.translation == client.translate("a table", source="en", target="fr").translation
    )
    assert len(translated.alternatives) == 1
    assert client.translate("Le chat dort sur la chaise.", target="en").source == "fr"
    assert [model.name for model in client.models()][:2] == ["ner", "sentiment"]


def test_a_long_list_goes_in_parts_and_comes_back_in_order(client: Client, url: str) -> None:
    texts = ["London " * (number % 3) for number in range(1500)]
    counts = [number % 3 for number in range(1500)]
    assert [len(result.entities) for result in client.ner(texts)] == counts

    async def run() -> list[int]:
        async with AsyncClient(url) as client:
            return [len(result.entities) for result in await client.ner(texts)]

    assert asyncio.run(run()) == counts


def test_long_texts_are_split_by_their_characters(url: str) -> None:
    network = Network(*[fine() for _ in range(3)])
    Client(url, transport=network).ner(["a" * 60_000] * 3)
    assert len(network.requests) == 3


def test_async_does_the_same(url: str) -> None:
    async def run() -> None:
        async with AsyncClient(url) as client:
            assert [entity.label for entity in (await client.ner("Ada Lovelace")).entities] == [
                "PER"
            ]
            assert (await client.sentiment("awful")).label == "negative"
            assert (await client.translate("a table", source="en", target="fr")).target == "fr"
            assert len(await client.models()) == 4
            with pytest.raises(Refused):
                await client.translate("a", target="xx")

    asyncio.run(run())


def test_a_refusal_says_what_is_wrong_and_where(client: Client) -> None:
    with pytest.raises(Refused, match="unknown label") as raised:
        client.ner("a", labels=["PER", "XXX"])
    refused = raised.value
    assert (refused.status, refused.code) == (422, "invalid_input")
    assert refused.errors[0]["pointer"] == "/labels/1"
    assert refused.request_id


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_busy_server_is_asked_again_after_the_time_it_names(
    slept: list[float], asynchronous: bool
) -> None:
    network = Network(busy(**{"Retry-After": "7"}), httpx.ConnectError("no"), busy(), fine())
    assert ask(network, asynchronous).entities == []
    assert slept[0] == 7
    assert 0.7 < slept[1] < 1.3
    assert 1.4 < slept[2] < 2.6
    assert len(network.requests) == 4
    assert str(network.requests[0].url) == "http://loom/api/ner"
    assert network.requests[0].headers["X-Request-Timeout-Ms"] == "60000"


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    ("answer", "raised", "requests"),
    [
        (busy, Refused, 5),
        (lambda: httpx.ConnectError("no"), Unreachable, 5),
        (lambda: httpx.ReadTimeout("slow"), Unreachable, 1),
        (lambda: httpx.Response(422, json={"title": "Invalid", "detail": "no"}), Refused, 1),
        (lambda: httpx.Response(500, text="<html>proxy"), Refused, 1),
    ],
)
def test_what_does_not_pass_is_raised(
    slept: list[float],
    asynchronous: bool,
    answer: Callable[[], httpx.Response | Exception],
    raised: type[textloom.TextLoomError],
    requests: int,
) -> None:
    network = Network(*[answer() for _ in range(5)])
    with pytest.raises(raised):
        ask(network, asynchronous)
    assert len(network.requests) == requests
    assert len(slept) == requests - 1


def test_a_retry_may_be_named_by_date() -> None:
    assert retry_after("3") == 3
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after("Wed, 21 Oct 2215 07:28:00 GMT") > 3600
    assert retry_after("soon") == 0


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "localhost:8000", "loom", "ftp://loom", ""])
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_an_address_without_a_scheme_is_told_at_once(
    address: str, kind: type[Client] | type[AsyncClient]
) -> None:
    with pytest.raises(ValueError, match=r"write it as http://127\.0\.0\.1:8000"):
        kind(address)
    with pytest.raises(ValueError, match="Invalid port"):
        kind("http://loom:port")


@pytest.mark.parametrize("asynchronous", [False, True])
def test_retries_are_logged_without_the_text(
    slept: list[float], asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    ask(Network(busy(**{"Retry-After": "7"}), httpx.ConnectError("no route"), fine()), asynchronous)
    assert [(record.name, record.levelname) for record in caplog.records] == [
        ("textloom", "WARNING")
    ] * 2
    assert caplog.messages[0] == (
        "http://loom/api/ner: 503 Service Unavailable; retry 1 of 4 in 7.0 s"
    )
    assert re.fullmatch(
        r"http://loom/api/ner: no route; retry 2 of 4 in \d\.\d s", caplog.messages[1]
    )
