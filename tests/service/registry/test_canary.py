"""A canary answers its share of the requests beside the version that serves, until it is promoted or dropped."""

import gc
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.registry import bundle, canary, commands
from service.registry.canary import Canary

from .. import tiny
from ..conftest import serving
from ..helpers import until, value
from .test_hot_swap import OTHERWISE, about, label


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A repository with two versions of the classifier."""
    gc.collect()
    folder = tmp_path / "models"
    tiny.sentiment(folder)
    tiny.sentiment(folder, OTHERWISE)
    return folder


def command(models: Path, *arguments: str) -> int:
    return commands.main(["--models", str(models), *arguments])


def answered_by(client: httpx.Client, **headers: str) -> int:
    named = {name.replace("_", "-"): given for name, given in headers.items()}
    response = client.post("/sentiment", json={"text": "good"}, headers=named)
    assert response.status_code == 200, response.text
    version: int = response.json()["model"]["version"]
    assert response.json()["results"][0]["label"] == {1: "positive", 2: "negative"}[version]
    return version


def test_a_share_by_request_id_or_who_asks_for_it_meets_the_canary_until_it_is_promoted(
    models: Path,
) -> None:
    bundle.pin(models, "sentiment", 1)
    assert command(models, "canary", "sentiment=2", "--percent", "40") == 0
    with serving(models, watch_seconds=0.05) as client:
        told = {"version": 2, "percent": 40.0, "status": "ready"}
        assert (about(client)["version"], about(client)["canary"]) == (1, told)
        assert [answered_by(client, x_canary=asked) for asked in "0101"] == [1, 2, 1, 2]
        wrong = client.post("/sentiment", json={"text": "good"}, headers={"X-Canary": "yes"})
        assert wrong.status_code == 422
        assert "X-Canary must be 1" in wrong.json()["detail"]

        ids = [f"request-{number}" for number in range(200)]
        met = {each: answered_by(client, x_request_id=each) for each in ids}
        share = list(met.values()).count(2) / len(ids)
        assert 0.3 < share < 0.5
        assert {each: answered_by(client, x_request_id=each) for each in ids} == met
        for version, count in ((1, 2), (2, 2)):
            labels = {"model": "sentiment", "version": str(version)}
            count += 2 * list(met.values()).count(version)
            assert value(client, "textloom_version_duration_seconds_count", **labels) == count
            assert value(client, "textloom_predictions_total", **labels) == count
            assert value(client, "textloom_model_info", **labels) == 1
            assert value(client, "textloom_version_failures_total", **labels) == 0

        # a larger share holds the smaller one
        canary.write(models, "sentiment", Canary(2, 60))
        until(lambda: about(client)["canary"]["percent"] == 60)
        more = {each: answered_by(client, x_request_id=each) for each in ids}
        assert sum(more.values()) > sum(met.values())
        assert all(more[each] == 2 for each in ids if met[each] == 2)

        assert command(models, "promote", "sentiment") == 0
        until(lambda: about(client)["version"] == 2)
        assert "canary" not in about(client)
        assert bundle.pinned(models, "sentiment") == 2
        assert {answered_by(client, x_canary=asked) for asked in "01"} == {2}
        assert value(client, "textloom_model_info", model="sentiment", version="1") == 0
        assert value(client, "textloom_model_info", model="sentiment", version="2") == 1


def test_a_dropped_canary_does_not_serve_though_it_is_the_highest(models: Path) -> None:
    with serving(models, watch_seconds=0.05) as client:
        assert label(client)[0] == 2
        assert command(models, "canary", "sentiment=2", "--percent", "0") == 0
        until(lambda: label(client)[0] == 1)
        until(lambda: about(client).get("canary", {}).get("status") == "ready")
        assert answered_by(client, x_canary="1") == 2
        assert command(models, "drop", "sentiment") == 0
        until(lambda: "canary" not in about(client))
        assert {answered_by(client, x_canary=asked) for asked in "01"} == {1}
        assert bundle.pinned(models, "sentiment") == 1


def test_a_promoted_highest_version_needs_no_pin(models: Path) -> None:
    command(models, "canary", "sentiment=2")
    command(models, "promote", "sentiment")
    assert bundle.pinned(models, "sentiment") is None
    assert canary.read(models, "sentiment") is None


def test_a_broken_canary_leaves_the_other_version_alone(models: Path) -> None:
    (models / "sentiment" / "2" / "model.onnx").write_bytes(b"")
    canary.write(models, "sentiment", Canary(2, 100))
    with serving(models, watch_seconds=0.05) as client:
        assert client.get("/health/ready").status_code == 200
        assert about(client)["canary"]["status"] == "failed"
        assert answered_by(client, x_canary="1") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("canary", "sentiment=3"), "there is no 'sentiment=3'"),
        (("canary", "sentiment=2", "--percent", "101"), "--percent must be from 0 to 100"),
        (("canary", "ner=1"), "ner=1 serves; a canary is a version beside"),
        (("promote", "sentiment"), "sentiment has no canary"),
        (("drop", "ner"), "ner version 7 cannot be a canary"),
    ],
)
def test_what_cannot_be_is_told(
    models: Path, arguments: tuple[str, ...], says: str, capsys: Any
) -> None:
    tiny.ner(models)
    canary.write(models, "ner", Canary(7, 5))
    assert command(models, *arguments) == 1
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("contents", ["", "2", "2 5", "2 101%", "x 5%", "2 5% ", "0 5%"])
def test_a_file_that_is_no_canary_is_told(models: Path, contents: str, capsys: Any) -> None:
    (models / "sentiment" / "canary").write_text(contents)
    assert command(models) == 0
    assert "must hold a version and a share, such as `3 5%`" in capsys.readouterr().out
