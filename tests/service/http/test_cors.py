"""Pages of other origins: let in by one setting, and by nothing else."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ..conftest import Serve
from ..helpers import refusal

PAGE = {"Origin": "https://app.example"}
OTHER = {"Origin": "https://app.example.evil.example"}
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture(scope="module")
def served(serve: Serve, tiny_models: Path) -> Iterator[httpx.Client]:
    origins = ("https://app.example", "http://localhost:5173")
    with serve(tiny_models, timeout_ms=600_000, cors_origins=origins) as client:
        yield client


def test_a_page_of_a_named_origin_may_ask_and_read_the_answer(served: httpx.Client) -> None:
    allowed = served.options("/ner", headers={**PAGE, **ASKS})
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == PAGE["Origin"]
    assert "POST" in allowed.headers["access-control-allow-methods"]
    assert "authorization" in allowed.headers["access-control-allow-headers"]
    assert (
        served.options("/ner", headers=PAGE).status_code == 200
    )  # some say no more than who they are
    answer = served.post("/ner", json={"text": "London"}, headers=PAGE)
    assert answer.headers["access-control-allow-origin"] == PAGE["Origin"]
    assert "X-Request-ID" in answer.headers["access-control-expose-headers"]
    assert answer.headers["vary"] == "Origin"
    assert answer.json()["results"]


def test_it_may_read_errors_too(served: httpx.Client) -> None:
    refused = served.post("/ner", json={}, headers=PAGE)
    refusal(refused, 422, "invalid_input")
    assert refused.headers["access-control-allow-origin"] == PAGE["Origin"]


@pytest.mark.parametrize("origin", [OTHER, {"Origin": "null"}, {}])
def test_no_other_page_may(served: httpx.Client, origin: dict[str, str]) -> None:
    for answer in (
        served.options("/ner", headers={**origin, **ASKS}),
        served.post("/ner", json={"text": "London"}, headers=origin),
    ):
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["vary"] == "Origin"  # or a cache would answer it as it did the other


def test_every_origin_may_be_let_in(serve: Serve, tiny_models: Path) -> None:
    with serve(tiny_models, cors_origins=("*",)) as client:
        answer = client.get("/models", headers=OTHER)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


def test_by_default_none_is(client: httpx.Client) -> None:
    refusal(client.options("/ner", headers={**PAGE, **ASKS}), 405, "method_not_allowed")
    assert "access-control-allow-origin" not in client.get("/models", headers=PAGE).headers
