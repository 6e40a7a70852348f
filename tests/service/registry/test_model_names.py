"""A model's name is not its task: several models of a task serve side by side, and a request picks one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service import tasks
from service.errors import BundleError
from service.registry import bundle
from textloom import Client

from .. import tiny
from ..conftest import serving
from ..helpers import compat_error, refusal, until, value

TICKETS = {"refund": "complaint", "thanks": "praise", "when": "question"}
LABELS = ["complaint", "praise", "question"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The defaults, and beside them a tagger, a classifier with labels of its own, and a translator."""
    folder = tiny.repository(tmp_path_factory.mktemp("models"))
    tiny.ner(folder, name="ner-legal")
    tiny.sentiment(folder, TICKETS, name="tickets", labels=LABELS)
    tiny.translator(folder, "en", "fr", name="legal-en-fr")
    return folder


@pytest.fixture(scope="module")
def client(models: Path) -> Iterator[httpx.Client]:
    with serving(models) as client:
        yield client


def labelled(client: httpx.Client, **query: Any) -> tuple[str, str]:
    """Which model answers, and with which label."""
    response = client.post("/sentiment", json=query)
    assert response.status_code == 200, response.text
    answer = response.json()
    return answer["model"]["name"], answer["results"][0]["label"]


def test_a_request_picks_a_model_and_the_default_answers_without(client: httpx.Client) -> None:
    assert labelled(client, text="good refund") == ("sentiment", "positive")
    assert labelled(client, text="good refund", model="sentiment") == ("sentiment", "positive")
    assert labelled(client, text="good refund", model="tickets") == ("tickets", "complaint")
    answer = client.post("/ner", json={"text": "London", "model": "ner-legal"}).json()
    assert answer["model"] == {"name": "ner-legal", "version": 1}


def test_a_translator_is_picked_by_its_languages_or_by_its_name(client: httpx.Client) -> None:
    query = {"text": "a table", "source": "en", "target": "fr"}
    for model, name in ((None, "translate-en-fr"), ("legal-en-fr", "legal-en-fr")):
        asked = query if model is None else query | {"model": model}
        answer = client.post("/translate", json=asked).json()
        assert answer["model"]["name"] == name
        assert answer["results"][0]["translation"] == "A TABLE"
    back = query | {"source": "auto", "target": "en", "model": "legal-en-fr"}
    problem = refusal(client.post("/translate", json=back), 422, "invalid_input")
    assert problem["detail"] == "auto to en is not served; served: en to fr"


@pytest.mark.parametrize("model", ["nothing", "ner", "translate-en-fr", ""])
def test_another_name_is_404_and_lists_those_of_the_task(client: httpx.Client, model: str) -> None:
    response = client.post("/sentiment", json={"text": "good", "model": model})
    detail = refusal(response, 404, "not_found")["detail"]
    assert (
        detail == f"there is no model {model!r} for sentiment here; there are: sentiment, tickets"
    )


def test_models_tell_their_task(client: httpx.Client) -> None:
    found = {model["name"]: model["task"] for model in client.get("/models").json()["models"]}
    assert found == {
        "legal-en-fr": "translate",
        "ner": "ner",
        "ner-legal": "ner",
        "sentiment": "sentiment",
        "tickets": "sentiment",
        "translate-en-fr": "translate",
        "translate-fr-en": "translate",
    }
    assert client.get("/models/tickets").json()["labels"] == LABELS


def test_the_compatibility_apis_serve_every_model(client: httpx.Client) -> None:
    tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["refund"]}
    answer = client.post("/v2/models/tickets/infer", json={"inputs": [tensor]}).json()
    assert answer["model_name"] == "tickets"
    assert json.loads(answer["outputs"][0]["data"][0])["label"] == "complaint"
    answer = client.post("/v2/models/legal-en-fr/infer", json={"inputs": [tensor]}).json()
    assert json.loads(answer["outputs"][0]["data"][0])["translation"] == "REFUND"
    named = {"inputs": [tensor], "parameters": {"model": "sentiment"}}
    response = client.post("/v2/models/tickets/infer", json=named)
    assert "the path names the model" in compat_error(response, 400)
    listed = client.get("/compat/libretranslate/languages").json()
    assert [each["targets"] for each in listed] == [["en", "fr"], ["en", "fr"]]


def test_the_client_picks_a_model(client: httpx.Client) -> None:
    with Client(str(client.base_url)) as typed:
        assert typed.sentiment("refund", model="tickets").label == "complaint"
        assert typed.ner("London", model="ner-legal").entities[0].label == "LOC"
        assert typed.translate("a", source="en", target="fr", model="legal-en-fr").target == "fr"
        assert typed.ask("sentiment", ["refund", "when"], model="tickets")[1].label == "question"
        assert {model.task for model in typed.models()} == {"ner", "sentiment", "translate"}


def test_metrics_name_the_model_and_the_task(client: httpx.Client) -> None:
    labelled(client, text="refund", model="tickets")
    labels = {"model": "tickets", "label": "complaint"}
    until(lambda: value(client, "textloom_predictions_total", **labels) > 0)
    assert value(client, "textloom_http_requests_total", route="/sentiment", task="sentiment") > 0
    client.post("/sentiment", json={"text": "a", "model": "unheard-of"})
    assert "unheard-of" not in client.get("/metrics").text


def test_without_a_default_a_model_must_be_named(tmp_path: Path) -> None:
    tiny.sentiment(tmp_path, TICKETS, name="tickets", labels=LABELS)
    with serving(tmp_path) as client:
        problem = refusal(client.post("/sentiment", json={"text": "refund"}), 404, "not_found")
        assert problem["detail"] == (
            "sentiment has no default model here; name one as `model`: tickets"
        )
        assert labelled(client, text="refund", model="tickets") == ("tickets", "complaint")


def test_a_model_whose_task_cannot_be_read_is_not_ready(tmp_path: Path) -> None:
    tiny.sentiment(tmp_path, TICKETS, name="tickets", labels=LABELS)
    (tmp_path / "tickets" / "1" / "manifest.json").write_text("{")
    with serving(tmp_path, wait=False) as client:
        until(lambda: client.get("/models/tickets").json()["status"] == "failed")
        response = client.post("/sentiment", json={"text": "refund", "model": "tickets"})
        refusal(response, 503, "not_ready")


@pytest.mark.parametrize(
    ("name", "task", "languages"),
    [
        ("ner", "sentiment", ["en"]),
        ("translate", "translate", ["en", "fr"]),
        ("translate", "ner", ["en"]),
        ("translate-fr-en", "translate", ["en", "fr"]),
        ("translate-fr-en", "ner", ["en"]),
        ("Tickets", "sentiment", ["en"]),
        ("my tickets", "sentiment", ["en"]),
    ],
)
def test_a_name_that_belongs_to_others_is_refused(
    name: str, task: str, languages: list[str]
) -> None:
    with pytest.raises(BundleError):
        tasks.check_name(name, task, languages)


def test_a_bundle_under_such_a_name_is_not_served(tmp_path: Path) -> None:
    tiny.sentiment(tmp_path, name="translate-en-fr")
    with serving(tmp_path, wait=False) as client:
        until(lambda: client.get("/models/translate-en-fr").json()["status"] == "failed")
        reason = client.get("/models/translate-en-fr").json()["reason"]
        assert "but the name is kept for translate en fr" in reason
    assert bundle.names(tmp_path) == ["translate-en-fr"]
