"""One line a request: for programs as JSON, for people on a terminal, and never a text."""

import gc
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.settings import Settings
from service.telemetry import logs

from ..conftest import running
from ..helpers import TASKS

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """`configure` changes what all tests of this process share."""
    gc.collect()  # a model of an earlier test that is unloaded logs that
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging._srcfile
    flags = logging.logThreads, logging.logProcesses, logging.logMultiprocessing
    root.handlers = []
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers, root.level, logging._srcfile = before
    logging.logThreads, logging.logProcesses, logging.logMultiprocessing = flags


def lines(log: Path) -> list[dict[str, Any]]:
    """Every line of the log, each of which must be an object."""
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_a_request_is_one_json_line_with_figures_and_names_and_no_text(
    tiny_models: Path, tmp_path: Path
) -> None:
    secret, log = "Zebrafinch", tmp_path / "log"
    asked = {"X-Request-ID": 'odd"\\id', "traceparent": TRACEPARENT}
    with running(log, "--models", str(tiny_models)) as (started, client):
        for path, query in TASKS.items():
            texts = [f"{secret} lives in London.", secret]
            answer = client.post(path, json={"text": texts, **query}, headers=asked)
            assert answer.status_code == 200
        size = len(answer.content)
        client.post("/ner", json={"text": secret, secret: secret}, headers={"traceparent": secret})
        client.get(f"/{secret}?text={secret}", headers={"traceparent": TRACEPARENT + "0"})
    found = [line for line in lines(log) if line["logger"] == "textloom.access"]
    posts = [line for line in found if line["method"] == "POST"]
    assert [line["route"] for line in posts] == [*TASKS, "/ner"]
    for line in posts[:-1]:
        assert (line["level"], line["status"], line["texts"]) == ("info", 200, 2)
        assert (line["request_id"], line["traceparent"]) == ('odd"\\id', TRACEPARENT)
        assert line["characters"] == 2 * len(secret) + 17
        assert line["expected_ms"] == 0  # too little is known
        assert line["tokens"] > 0
        assert len(line["models"]) == 1
        assert line["models"][0].endswith("/1")
        spent = [line[f"{phase}_ms"] for phase in ("queue", "encode", "run", "decode")]
        assert 0 < sum(spent) < line["ms"]
        assert line["pid"] > 0
        assert line["time"][4] == "-"
        assert line["time"].endswith("Z")
    assert posts[-2]["bytes_out"] == size
    refused, unmatched = posts[-1], found[-1]
    assert (refused["status"], refused["bytes_in"], refused["traceparent"]) == (422, 47, None)
    assert "models" not in refused
    assert (unmatched["route"], unmatched["method"], unmatched["traceparent"]) == (
        *("unmatched", "-"),
        None,
    )
    assert secret not in log.read_text()
    assert started.returncode == 0


def test_a_translation_from_several_languages_names_every_model(
    tiny_models: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with running(log, "--models", str(tiny_models)) as (_, client):
        query = {"text": "The cat sleeps on the chair.", "source": "auto", "target": "fr"}
        assert client.post("/translate", json=query).status_code == 200
    (line,) = [line for line in lines(log) if line.get("route") == "/translate"]
    assert line["models"] == ["translate-en-fr/1"]


@pytest.mark.usefixtures("logging_as_before")
def test_lines_are_for_people_on_a_terminal_and_for_programs_elsewhere(tmp_path: Path) -> None:
    logger = logging.getLogger("textloom.test")

    def written(log_format: str, *, terminal: bool) -> str:
        master, slave = os.openpty() if terminal else os.pipe()
        with os.fdopen(slave, "w") as stream:
            logs.configure(Settings(models=tmp_path, log_format=log_format), stream)
            logger.warning("%d of %d", 1, 2)
        text = os.read(master, 10_000).decode()
        os.close(master)
        return text

    for line in (written("auto", terminal=False), written("json", terminal=True)):
        told = json.loads(line)
        assert (told["level"], told["logger"], told["message"]) == (
            *("warning", "textloom.test"),
            "1 of 2",
        )
    for line in (written("auto", terminal=True), written("text", terminal=False)):
        assert line.rstrip().endswith("WARNING textloom.test  1 of 2")


@pytest.mark.usefixtures("logging_as_before")
def test_an_exception_stays_within_its_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as stream:
        logs.configure(Settings(models=tmp_path, log_format="json"), stream)
        try:
            raise KeyError("missing")
        except KeyError:
            logging.getLogger("textloom.test").exception("it broke")
    (line,) = lines(path)
    assert line["message"] == "it broke"
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("KeyError: 'missing'")
