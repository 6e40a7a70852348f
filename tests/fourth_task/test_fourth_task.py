"""A fourth task: two packages in a temporary folder, found by their entry points; no line of the product changes.

It is trained, served, and asked over HTTP, the Open Inference API, by the client and on the command line, and its
metrics are there. The processes below find the packages as installed ones are found, on Python's path.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from selenium import webdriver

from textloom import Client

from ..service.conftest import running
from ..service.helpers import refusal, until, value
from ..service.playground.browser import MISSING, Page
from ..service.playground.conftest import driver

__all__ = ["driver"]  # a fixture

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
ENTRY_POINTS = """
[textloom.tasks]
form = form:SPEC

[textloom.training]
form = form_training
"""

PEOPLE = ["Ada", "Alan", "Grace", "Emmy"]
QUESTIONS = ["Where does {} live?", "Does {} sing?", "Why is {} late?", "When will {} come?"]
STATEMENTS = ["{} lives here.", "{} sings well.", "{} is late.", "Tomorrow {} will come."]
ASKED, SAID = "Who is there?", "It is raining."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Holds the two packages, and is on the path of every process that is started."""
    folder = tmp_path_factory.mktemp("fourth")
    for package in ("form", "form_training"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(HERE / package, folder / package, ignore=ignored)
    about = folder / "form-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: form\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{folder}")
        yield folder


@pytest.fixture(scope="module")
def models(folder: Path) -> Path:
    """Two models of the task, trained: its default, and one with labels and a name of its own."""
    lines = [
        {"text": plot.format(person), "label": label}
        for label, plots in (("question", QUESTIONS), ("statement", STATEMENTS))
        for person, plot in product(PEOPLE, plots)
    ]
    for split, part in (("train", lines), ("dev", lines[1::3]), ("test", lines[::3])):
        # no text stands in two splits
        rows = [{**row, "text": f"{split} {row['text']}"} for row in part]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = [
        word for split in ("train", "dev", "test") for word in (f"--{split}", f"{split}.jsonl")
    ]
    runs = ["--runs", str(folder / "runs"), "--threads", "1"]
    for name, labels in (("form", []), ("asking", ["question", "yes", "statement", "no"])):
        renamed = ["--labels", *labels] if labels else []
        done = run(
            folder,
            "training",
            "form",
            *files,
            *runs,
            *renamed,
            "--out",
            str(folder / "models" / name),
        )
        assert f"published {folder}/models/{name}/1" in done.stdout + done.stderr
    return folder / "models"


@pytest.fixture(scope="module")
def client(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    log = tmp_path_factory.mktemp("log") / "log"
    with running(log, "--models", str(models), "--workers", "1") as (_, client):
        yield client


def run(folder: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """`python -m` these arguments."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_training_names_it_scores_it_and_refuses_a_name_of_another_task(
    folder: Path, models: Path
) -> None:
    assert "form            train a model." in run(folder, "training", "--help").stdout
    score = json.loads(
        run(folder, "training", "evaluate", f"{models}/form/1", "test.jsonl", "--json").stdout
    )
    assert score["files"]["test.jsonl"]["overall"]["accuracy"] > 0.9
    card = (models / "form" / "1" / "card.md").read_text()
    assert "Tells questions from statements: the mean of embedded bytes." in card
    refused = run(folder, "training", "form", "--out", "models/ner", status=1)
    assert "ner holds a bundle for form, but the name is kept for ner" in refused.stderr


def test_it_is_served_and_described(client: httpx.Client) -> None:
    def label(**query: Any) -> tuple[str, str]:
        answer = client.post("/form", json=query).json()
        return answer["model"]["name"], answer["results"][0]["label"]

    assert label(text=ASKED) == ("form", "question")
    assert label(text=SAID) == ("form", "statement")
    assert label(text=ASKED, model="asking") == ("asking", "yes")
    unsure = client.post("/form", json={"text": "?.", "sure": 0.9999}).json()["results"][0]
    assert (unsure["label"] == "unsure") == (unsure["score"] < 0.9999)
    problem = refusal(client.post("/form", json={"text": "a", "sure": 2}), 422, "invalid_input")
    assert problem["errors"][0]["pointer"] == "/sure"
    described = client.get("/openapi.json").json()["paths"]["/form"]["post"]
    assert described["summary"] == "Tell questions from statements"
    for example in described["requestBody"]["content"]["application/json"]["examples"].values():
        assert client.post("/form", json=example["value"]).status_code == 200
    tasks = {model["name"]: model["task"] for model in client.get("/models").json()["models"]}
    assert tasks == {"asking": "form", "form": "form"}


def test_the_open_inference_api_has_it(client: httpx.Client) -> None:
    tensor = {"name": "text", "datatype": "BYTES", "shape": [2], "data": [ASKED, SAID]}
    query = {"inputs": [tensor], "parameters": {"every": True}}
    answer = client.post("/v2/models/form/infer", json=query).json()
    found = [json.loads(document) for document in answer["outputs"][0]["data"]]
    assert [each["label"] for each in found] == ["question", "statement"]
    assert found[0]["scores"].keys() == {"question", "statement"}


def test_the_client_has_it(client: httpx.Client) -> None:
    with Client(str(client.base_url)) as typed:
        assert typed.ask("form", ASKED).label == "question"
        assert [each.label for each in typed.ask("form", [ASKED, SAID], model="asking")] == [
            "yes",
            "no",
        ]


def test_the_command_line_has_it(folder: Path, models: Path, client: httpx.Client) -> None:
    (folder / "lines.txt").write_text(f"{ASKED}\n{SAID}\n")
    shown = []
    for place in (["--models", str(models)], ["--url", str(client.base_url)]):
        done = run(folder, "textloom", "form", "lines.txt", "--every", "--sure", "0.1", *place)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        assert [row["form"] for row in rows] == ["question", "statement"]
        assert rows[0]["form_score"] == max(rows[0]["form_scores"].values())
        shown.append(rows)
        pretty = run(folder, "textloom", "form", "lines.txt", "--format", "pretty", *place).stdout
        assert "question" in pretty.splitlines()[0]
        listed = run(folder, "textloom", "models", *place).stdout.splitlines()
        assert [line.split()[:2] for line in listed[1:]] == [["asking", "form"], ["form", "form"]]
    assert shown[0] == shown[1]
    assert "tell questions from statements" in run(folder, "textloom", "--help").stdout


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_the_playground_shows_it(client: httpx.Client, driver: webdriver.Chrome) -> None:
    page = Page(driver, str(client.base_url)).open()
    page.write(ASKED)
    assert page.one("#form h2").text == "Form"
    assert page.one("#form .verdict b").text == "question"
    assert f'client.ask("form", "{ASKED}")' in page.code("form", "python")
    assert page.violations() == []


def test_its_metrics_are_there(client: httpx.Client) -> None:
    client.post("/form", json={"text": ASKED})
    counted = {"route": "/form", "task": "form", "status": "200"}
    until(lambda: value(client, "textloom_http_requests_total", **counted) > 0)
    predicted = {"model": "form", "label": "question"}
    assert value(client, "textloom_predictions_total", **predicted) > 0
    assert value(client, "textloom_tokens_total", model="form") > 0
    assert value(client, "textloom_model_ready", model="asking") == 1


def test_without_the_package_its_models_say_what_is_missing(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with running(tmp_path / "log", "--models", str(models), ready=False) as (_, client):
        until(lambda: client.get("/models/form").json()["status"] == "failed")
        reason = client.get("/models/form").json()["reason"]
        assert "there is no task 'form' here; there are: ner, sentiment, translate" in reason
