"""The metrics page: everything the contract lists, and never a label from a request."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from service import __version__

from .. import tiny
from ..conftest import serving
from ..helpers import TASKS, Brake, ask, families, until, value

LISTED = {
    "textloom_build_info": {"version", "onnxruntime"},
    "textloom_http_requests_in_flight": {"route"},
    "textloom_http_requests": {"route", "task", "status"},
    "textloom_http_request_duration_seconds": {"route", "task"},
    "textloom_phase_duration_seconds": {"model", "phase"},
    "textloom_text_tokens": {"model"},
    "textloom_batch_size": {"model"},
    "textloom_batch_tokens": {"model"},
    "textloom_tokens": {"model"},
    "textloom_padding_tokens": {"model"},
    "textloom_queue_depth": {"model"},
    "textloom_rejected": {"model", "reason"},
    "textloom_estimate_ratio": {"model"},
    "textloom_predictions": {"model", "version", "label"},
    "textloom_prediction_score": {"model"},
    "textloom_version_duration_seconds": {"model", "version"},
    "textloom_version_failures": {"model", "version"},
    "textloom_unknown_tokens": {"model"},
    "textloom_model_info": {"model", "version", "sha256"},
    "textloom_model_load_seconds": {"model"},
    "textloom_model_ready": {"model"},
    "textloom_model_refused": {"model", "version"},
    "textloom_worker_restarts": set(),
    "textloom_key_requests": {"key", "outcome"},
    "textloom_key_quota": {"key", "quota"},
    "textloom_key_quota_remaining": {"key", "quota"},
    "textloom_detected_languages": {"language"},
}


@pytest.fixture
def fresh(tiny_models: Path) -> Iterator[httpx.Client]:
    with serving(tiny_models, threads=1) as client:
        yield client


def test_every_listed_metric_is_there_with_its_labels_and_no_other_of_ours(
    tiny_client: httpx.Client,
) -> None:
    for path in TASKS:
        ask(tiny_client, path, text="Ada Lovelace has a good table.")
    ask(tiny_client, "/translate", text="Ada", source="auto")
    found = families(tiny_client)
    ours = {name: family for name, family in found.items() if name.startswith("textloom_")}
    assert ours.keys() == LISTED.keys()
    for name, labels in LISTED.items():
        samples = ours[name].samples
        assert samples or name.startswith(("textloom_model_refused", "textloom_key_"))
        assert all(sample.labels.keys() - {"le"} == labels for sample in samples)
    assert {"process_resident_memory_bytes", "python_info", "python_gc_collections"} <= found.keys()


def test_durations_are_counted_from_a_quarter_of_a_millisecond_to_ten_seconds(
    tiny_client: httpx.Client,
) -> None:
    ask(tiny_client, "/ner", text="a")
    samples = families(tiny_client)["textloom_http_request_duration_seconds"].samples
    bounds = [
        float(sample.labels["le"])
        for sample in samples
        if sample.labels.get("route") == "/ner" and "le" in sample.labels
    ]
    assert (bounds[0], bounds[-2], bounds[-1]) == (0.00025, 10.0, float("inf"))


def test_requests_tokens_and_predictions_are_counted(fresh: httpx.Client) -> None:
    ask(fresh, "/ner", text=["Ada Lovelace in London", "Ada", ""])
    ask(fresh, "/sentiment", text="a good table")
    fresh.post("/ner", json={"text": 5})
    assert value(fresh, "textloom_http_requests_total", route="/ner", status="200") == 1
    assert value(fresh, "textloom_http_requests_total", route="/ner", status="422") == 1
    assert value(fresh, "textloom_http_request_duration_seconds_count", route="/ner") == 2
    assert value(fresh, "textloom_tokens_total", model="ner") == 5
    assert value(fresh, "textloom_text_tokens_count", model="ner") == 3
    assert value(fresh, "textloom_text_tokens_sum", model="ner") == 5
    assert value(fresh, "textloom_text_tokens_bucket", model="ner", le="1.0") == 2
    assert value(fresh, "textloom_padding_tokens_total", model="ner") == 0
    assert value(fresh, "textloom_batch_size_sum", model="ner") == 2
    assert value(fresh, "textloom_batch_tokens_sum", model="ner") == 5
    assert value(fresh, "textloom_unknown_tokens_total", model="ner") == 1
    assert value(fresh, "textloom_unknown_tokens_total", model="sentiment") == 1
    assert value(fresh, "textloom_predictions_total", model="ner", label="PER") == 2
    assert value(fresh, "textloom_predictions_total", model="ner", label="LOC") == 1
    assert value(fresh, "textloom_prediction_score_count", model="ner") == 3
    for phase in ("queue", "encode", "run", "decode"):
        assert value(fresh, "textloom_phase_duration_seconds_count", model="ner", phase=phase) == 1


def test_the_version_of_the_service_is_told(tiny_client: httpx.Client) -> None:
    assert value(tiny_client, "textloom_build_info", version=__version__) == 1


def test_a_request_is_in_flight_until_it_is_answered_or_its_caller_has_left(
    tiny_models: Path, brake: Brake
) -> None:
    with (
        serving(tiny_models, threads=2, timeout_ms=600_000) as client,
        ThreadPoolExecutor() as threads,
    ):

        def in_flight() -> float:
            return value(client, "textloom_http_requests_in_flight", route="/ner")

        brake.released.clear()
        held = [threads.submit(client.post, "/ner", json={"text": "Ada"}) for _ in range(2)]
        until(lambda: in_flight() == 2)
        with pytest.raises(httpx.ReadTimeout):
            client.post("/ner", json={"text": "gone"}, timeout=0.5)
        until(lambda: in_flight() == 2)
        brake.released.set()
        assert {each.result().status_code for each in held} == {200}
        until(lambda: in_flight() == 0)


def test_predictions_are_counted_by_the_version_that_made_them(tmp_path: Path) -> None:
    models = tiny.repository(tmp_path)
    with serving(models, threads=1, watch_seconds=0.1) as client:
        old = ask(client, "/ner", text="Ada")["model"]["version"]
        tiny.ner(models)
        until(lambda: ask(client, "/ner", text="")["model"]["version"] == old + 1)
        for _ in range(2):
            ask(client, "/ner", text="Ada")
        for version, count in ((old, 1), (old + 1, 2)):
            labels = {"model": "ner", "version": str(version), "label": "PER"}
            assert value(client, "textloom_predictions_total", **labels) == count


def test_languages_are_counted_where_they_are_detected(fresh: httpx.Client) -> None:
    german = "Der Hund schläft heute auf dem alten Sofa."
    ask(fresh, "/translate", text=[german, "Le chat dort sur la chaise.", german], source="auto")
    ask(fresh, "/translate", text="Le chat dort sur la chaise.", source="fr")
    assert value(fresh, "textloom_detected_languages_total", language="de") == 2
    assert value(fresh, "textloom_detected_languages_total", language="fr") == 1
    assert value(fresh, "textloom_detected_languages_total") == 3


def test_padding_is_counted(fresh: httpx.Client) -> None:
    words = "Ada " * 12
    ask(fresh, "/ner", text=[words[:44], words[:48]])
    assert value(fresh, "textloom_tokens_total", model="ner") == 23
    assert value(fresh, "textloom_padding_tokens_total", model="ner") in (0, 1)


def test_no_request_can_make_a_new_series(fresh: httpx.Client) -> None:
    def count() -> int:
        return sum(len(family.samples) for family in families(fresh).values())

    def storm(start: int) -> None:
        for index in range(start, start + 50):
            fresh.get(f"/nothing/{index}")
            fresh.get(f"/models/m{index}")
            fresh.post(f"/ner{index}", json={"text": "a"})
            fresh.post("/ner", json={"text": "a", "labels": [f"L{index}"]})
            fresh.post("/translate", json={"text": "a", "source": f"s{index}", "target": "en"})
            fresh.put(f"/ner?x={index}")

    storm(0)
    count()
    before = count()
    storm(50)
    assert count() == before
    assert value(fresh, "textloom_http_requests_total", route="unmatched", status="404") == 200
    assert value(fresh, "textloom_http_requests_total", route="/models/{name}", status="404") == 100


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/models", "/health/live"])
def test_every_page_is_counted_under_its_route(tiny_client: httpx.Client, path: str) -> None:
    before = value(tiny_client, "textloom_http_requests_total", route=path, status="200")
    tiny_client.get(path)
    # it is counted once its last byte is sent
    until(
        lambda: (
            value(tiny_client, "textloom_http_requests_total", route=path, status="200")
            == before + 1
        )
    )


def test_two_servers_in_one_process_share_no_metrics(
    tiny_client: httpx.Client, fresh: httpx.Client
) -> None:
    ask(tiny_client, "/ner", text="a")
    assert value(fresh, "textloom_http_requests_total", route="/ner") == 0


def test_estimates_are_compared_with_outcomes(fresh: httpx.Client) -> None:
    for number in range(40):
        ask(fresh, "/ner", text="Ada " * (1 + number % 7))
    counted = value(fresh, "textloom_estimate_ratio_count", model="ner")
    assert 20 < counted < 40  # the first ones had no estimate
    assert value(fresh, "textloom_estimate_ratio_sum", model="ner") > 0
