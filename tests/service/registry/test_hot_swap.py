"""Models roll forward and back under a running service: no request fails, and each answer names its model."""

import gc
import logging
import os
import shutil
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.registry import bundle
from service.tasks.session import Session

from .. import tiny
from ..conftest import running, serving
from ..helpers import until, value

OTHERWISE = {"good": "negative", "awful": "positive", "table": "neutral"}
"""What a second version makes of the words, so that an answer shows which version gave it."""


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A repository with version 1 of the classifier."""
    gc.collect()  # so that no model of an earlier test is unloaded while this one watches
    folder = tmp_path / "models"
    tiny.sentiment(folder)
    return folder


def about(client: httpx.Client) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/models/sentiment").json()
    return answer


def label(client: httpx.Client) -> tuple[int, str]:
    """Which version answers, and what it says of `good`."""
    answer = client.post("/sentiment", json={"text": "good"}).json()
    return answer["model"]["version"], answer["results"][0]["label"]


def test_a_new_version_serves_and_goes_again_with_its_folder(
    models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with serving(models, watch_seconds=0.05) as client:
        first = about(client)["sha256"]
        assert label(client) == (1, "positive")
        second = tiny.sentiment(models, OTHERWISE)
        until(lambda: about(client)["version"] == 2)
        assert label(client) == (2, "negative")
        until(lambda: "sentiment version 1 is unloaded" in caplog.text)
        assert value(client, "textloom_model_info", version="2", sha256=second.sha256) == 1
        assert value(client, "textloom_model_info", version="1", sha256=first) == 0

        shutil.rmtree(second.path)
        until(lambda: about(client)["version"] == 1)
        assert label(client) == (1, "positive")
        assert value(client, "textloom_model_info", version="1", sha256=first) == 1
        until(lambda: "sentiment version 2 is unloaded" in caplog.text)


def test_a_pin_in_the_repository_holds_and_one_in_the_settings_holds_before_it(
    models: Path,
) -> None:
    tiny.sentiment(models, OTHERWISE)
    bundle.pin(models, "sentiment", 1)
    with serving(models, watch_seconds=0.05) as client:
        assert label(client) == (1, "positive")
        assert about(client)["pinned"] == 1
        bundle.pin(models, "sentiment", None)
        until(lambda: label(client) == (2, "negative"))
        assert "pinned" not in about(client) or about(client)["pinned"] is None
        bundle.pin(models, "sentiment", 1)
        until(lambda: label(client) == (1, "positive"))
    with serving(models, pins={"sentiment": 2}) as client:
        assert label(client) == (2, "negative")
        assert about(client)["pinned"] == 2


def test_a_bad_version_is_refused_with_its_reason_until_it_is_good(
    models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere, second = models.parent / "elsewhere", models / "sentiment" / "2"
    tiny.sentiment(elsewhere)
    whole = tiny.sentiment(elsewhere, OTHERWISE).path
    part = models / "sentiment" / ".part"
    shutil.copytree(whole, part, ignore=shutil.ignore_patterns("model.onnx"))
    with serving(models, watch_seconds=0.05) as client:
        part.rename(second)
        until(lambda: about(client).get("refused"))

        told = about(client)
        assert (told["status"], told["version"], told["versions"]) == ("ready", 1, [1, 2])
        assert told["refused"]["version"] == 2
        assert "model.onnx is missing" in told["refused"]["reason"]
        assert "sentiment version 1 goes on, version 2 is refused: " in caplog.text
        assert "model.onnx is missing" in caplog.text
        assert value(client, "textloom_model_refused", model="sentiment", version="2") == 1
        assert value(client, "textloom_model_ready", model="sentiment") == 1
        assert client.get("/health/ready").status_code == 200
        assert label(client) == (1, "positive")
        time.sleep(0.3)
        assert caplog.text.count("is refused") == 1, "a refusal is repeated though nothing changed"

        shutil.copy(whole / "model.onnx", second)
        until(lambda: label(client) == (2, "negative"))
        assert about(client).get("refused") is None
        assert value(client, "textloom_model_refused", model="sentiment", version="2") == 0


def test_a_pin_that_is_no_version_or_not_there_is_refused(models: Path) -> None:
    with serving(models, watch_seconds=0.05) as client:
        bundle.pin(models, "sentiment", 7)
        until(lambda: "manifest.json" in (about(client).get("refused") or {}).get("reason", ""))
        assert about(client)["refused"]["version"] == 7
        (models / "sentiment" / bundle.PIN).write_text("newest")
        until(lambda: "must hold a version" in (about(client)["refused"] or {}).get("reason", ""))
        assert label(client) == (1, "positive")
        bundle.pin(models, "sentiment", 1)
        until(lambda: about(client).get("refused") is None)


def test_a_new_name_is_served_too(models: Path, tiny_models: Path) -> None:
    query = {"text": "cat", "source": "en", "target": "fr"}
    with serving(models, watch_seconds=0.05) as client:
        assert client.post("/translate", json=query).status_code == 404
        shutil.copytree(tiny_models / "translate-en-fr", models / "translate-en-fr")
        until(lambda: client.post("/translate", json=query).status_code == 200)
        until(lambda: client.post("/translate", json=query | {"source": "auto"}).status_code == 200)
        assert client.get("/health/ready").json()["models"] == ["sentiment", "translate-en-fr"]


def test_what_the_old_version_has_accepted_it_finishes(
    models: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    inside, go_on = threading.Event(), threading.Event()
    run = Session.run

    def run_the_first_late(*arguments: Any) -> Any:
        if not inside.is_set():
            inside.set()
            go_on.wait(180)
        return run(*arguments)

    with (
        serving(models, watch_seconds=0.05, threads=2, timeout_ms=600_000) as client,
        ThreadPoolExecutor() as threads,
    ):
        monkeypatch.setattr(Session, "run", run_the_first_late)
        try:
            accepted = threads.submit(label, client)
            assert inside.wait(60)
            tiny.sentiment(models, OTHERWISE)
            until(lambda: about(client)["version"] == 2)
            assert label(client) == (2, "negative")
            assert "sentiment version 1 is unloaded" not in caplog.text
        finally:
            go_on.set()
        assert accepted.result() == (1, "positive")
        until(lambda: "sentiment version 1 is unloaded" in caplog.text)


def test_under_full_load_no_request_fails_and_every_answer_names_the_version_that_gave_it(
    models: Path, tmp_path: Path
) -> None:
    """Two processes roll forward and back twice; a worker that is then killed is replaced at the new version."""
    log = tmp_path / "log"
    arguments = ("--models", str(models), "--workers", "2", "--watch-seconds", "0.1")
    with running(log, *arguments, "--timeout-ms", "600000") as (started, client):
        stop = threading.Event()
        answers: list[tuple[int, int, str]] = []

        def load() -> None:
            with httpx.Client(base_url=client.base_url, timeout=180) as mine:
                while not stop.is_set():
                    response = mine.post("/sentiment", json={"text": "good"})
                    answer = response.json()
                    key = (answer["model"]["version"], answer["results"][0]["label"])
                    answers.append((response.status_code, *key))

        def serves(version: int) -> bool:
            other = str(3 - version)
            return (
                value(client, "textloom_model_info", version=str(version)) == 1
                and value(client, "textloom_model_info", version=other) == 0
            )

        with ThreadPoolExecutor(8) as threads:
            loads = [threads.submit(load) for _ in range(8)]
            try:
                until(lambda: answers.count((200, 1, "positive")) > 10)
                second = tiny.sentiment(models, OTHERWISE).path
                until(lambda: serves(2))
                bundle.pin(models, "sentiment", 1)
                until(lambda: serves(1))
                bundle.pin(models, "sentiment", None)
                until(lambda: serves(2))
                until(lambda: answers.count((200, 2, "negative")) > 10)
            finally:
                stop.set()
            for each in loads:
                each.result()
        assert set(answers) == {(200, 1, "positive"), (200, 2, "negative")}
        assert second.is_dir()

        children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text()
        os.kill(int(children.split()[0]), signal.SIGKILL)
        # on new connections, since some of the old ones were to the one that died
        with httpx.Client(base_url=client.base_url, timeout=180) as other:
            until(lambda: value(other, "textloom_worker_restarts_total") == 1)
        for _ in range(10):
            with httpx.Client(base_url=client.base_url, timeout=180) as other:
                assert label(other) == (2, "negative")
