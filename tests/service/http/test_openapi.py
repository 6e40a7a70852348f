"""The OpenAPI document: complete, true, and held against thousands of requests."""

from collections import Counter
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import positive_data_acceptance

from ..helpers import TASKS

METHODS = {("post", path) for path in TASKS} | {
    ("get", path)
    for path in ("/health/live", "/health/ready", "/models", "/models/{name}", "/metrics")
}


def document(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def test_every_route_of_the_contract_is_described(tiny_client: httpx.Client) -> None:
    paths = document(tiny_client)["paths"]
    assert {(method, path) for path, methods in paths.items() for method in methods} == METHODS
    for methods in paths.values():
        for operation in methods.values():
            assert operation["summary"]
            assert operation["description"]


@pytest.mark.parametrize("path", TASKS)
def test_a_task_documents_every_error_an_example_of_each_and_its_headers(
    tiny_client: httpx.Client, path: str
) -> None:
    operation = document(tiny_client)["paths"][path]["post"]
    statuses = {"200", "400", "404", "413", "415", "422", "500", "503", "504"}
    assert operation["responses"].keys() == statuses
    for status, response in operation["responses"].items():
        assert "X-Request-ID" in response["headers"]
        if status == "200":
            content = response["content"]["application/json"]
            assert "Server-Timing" in response["headers"]
        else:
            content = response["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert content["example"]
    assert "Retry-After" in operation["responses"]["503"]["headers"]
    named = {parameter["name"] for parameter in operation["parameters"]}
    assert named == {"X-Request-ID", "X-Request-Timeout-Ms"}


@pytest.mark.parametrize("path", TASKS)
def test_every_example_query_is_answered(tiny_client: httpx.Client, path: str) -> None:
    operation = document(tiny_client)["paths"][path]["post"]
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    assert len(examples) >= 2
    for example in examples.values():
        response = tiny_client.post(path, json=example["value"])
        assert response.status_code == 200, response.text


@pytest.mark.parametrize("path", TASKS)
def test_every_field_of_a_query_says_what_it_is(tiny_client: httpx.Client, path: str) -> None:
    found = document(tiny_client)
    name = path.strip("/").capitalize() + "Request"
    schema = found["components"]["schemas"][name]
    assert schema["additionalProperties"] is False
    for field in schema["properties"].values():
        assert field["description"]


@pytest.fixture(scope="module")
def described(tiny_client: httpx.Client) -> Any:
    """The document, less the one header with which a caller asks for a 504."""
    found = document(tiny_client)
    for path in TASKS:
        operation = found["paths"][path]["post"]
        operation["parameters"] = [
            parameter
            for parameter in operation["parameters"]
            if parameter["name"] != "X-Request-Timeout-Ms"
        ]
    return schemathesis.openapi.from_dict(found)


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [(method, path, GenerationMode.POSITIVE) for method, path in sorted(METHODS)]
    + [("post", path, GenerationMode.NEGATIVE) for path in TASKS],
)
def test_thousands_of_requests_meet_no_server_error_and_no_undocumented_answer(
    tiny_client: httpx.Client, described: Any, method: str, path: str, mode: GenerationMode
) -> None:
    operation = described[path][method]
    seen: Counter[int] = Counter()
    positive = mode is GenerationMode.POSITIVE
    # a language or label may be right by the schema and yet not be served
    unmeant = [positive_data_acceptance]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=50 if path not in TASKS else 600 if positive else 300,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def run(case: Any) -> None:
        base_url = str(tiny_client.base_url)
        response = case.call_and_validate(base_url=base_url, timeout=180, excluded_checks=unmeant)
        seen[response.status_code] += 1

    run()
    if path in TASKS:  # else the test would be worth little
        expected = 200 if positive and path != "/translate" else 422
        assert seen[expected] > 100
