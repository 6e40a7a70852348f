"""Which models serve: the newest that is whole, or none; a bad bundle leaves the others alone."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from service.errors import Draining, NotReady
from service.registry.registry import Registry
from service.settings import Settings
from service.telemetry.metrics import Metrics

from .. import tiny
from ..conftest import serving
from ..helpers import refusal, until


def cut_short(bundle: Path) -> None:
    file = bundle / "model.onnx"
    file.write_bytes(file.read_bytes()[:-10])


def flip_a_bit(bundle: Path) -> None:
    content = bytearray((bundle / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / "model.onnx").write_bytes(content)


def lose_a_file(bundle: Path) -> None:
    (bundle / "tokenizer.json").unlink()


def lose_the_manifest(bundle: Path) -> None:
    (bundle / "manifest.json").unlink()


def write_half_a_manifest(bundle: Path) -> None:
    text = (bundle / "manifest.json").read_text()
    (bundle / "manifest.json").write_text(text[: len(text) // 2])


def answer_otherwise(bundle: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["golden"][0]["answer"]["entities"][0]["label"] = "LOC"
    (bundle / "manifest.json").write_text(json.dumps(manifest))


def be_of_an_unknown_task(bundle: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    (bundle / "manifest.json").write_text(json.dumps(manifest | {"task": "song"}))


def be_another_task(bundle: Path) -> None:
    shutil.rmtree(bundle)
    other = bundle.parents[1] / "sentiment" / "1"
    shutil.copytree(other, bundle)
    manifest = json.loads((bundle / "manifest.json").read_text())
    (bundle / "manifest.json").write_text(json.dumps(manifest | {"name": "ner"}))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (cut_short, "model.onnx has"),
        (flip_a_bit, "model.onnx is damaged"),
        (lose_a_file, "tokenizer.json is missing"),
        (lose_the_manifest, "no readable manifest.json"),
        (write_half_a_manifest, "Invalid JSON"),
        (answer_otherwise, "golden example 0"),
        (be_another_task, "ner holds a bundle for sentiment, but the name is kept for ner"),
        (be_of_an_unknown_task, "there is no task 'song' here; there are: ner, sentiment"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_bad_bundle_is_named_with_its_reason_and_the_other_tasks_serve(
    damage: Callable[[Path], None],
    reason: str,
    tiny_models: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    models = tmp_path / "models"
    shutil.copytree(tiny_models, models)
    damage(models / "ner" / "1")
    with serving(models, wait=False) as client:
        until(lambda: client.get("/models/ner").json()["status"] == "failed")
        until(lambda: client.post("/sentiment", json={"text": "good"}).status_code == 200)
        problem = refusal(client.get("/health/ready"), 503, "not_ready")
        until(lambda: len(client.get("/health/ready").json()["errors"]) == 1)
        (error,) = client.get("/health/ready").json()["errors"]
        assert error["pointer"] == "/models/ner"
        assert reason in error["detail"]
        assert any(reason in record.getMessage() for record in caplog.records)
        assert "ner" in problem["detail"]
        assert reason in client.get("/models/ner").json()["reason"]
        response = client.post("/ner", json={"text": "a"})
        refusal(response, 503, "not_ready")
        assert int(response.headers["retry-after"]) > 1


def test_a_bad_newest_version_is_not_replaced_by_an_older_one(
    tiny_models: Path, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    shutil.copytree(tiny_models, models)
    (models / "ner" / "2").mkdir()
    with serving(models, wait=False) as client:
        until(lambda: client.get("/models/ner").json()["status"] == "failed")
        about = client.get("/models/ner").json()
        assert (about["version"], about["versions"]) == (2, [1, 2])
        refusal(client.post("/ner", json={"text": "a"}), 503, "not_ready")


def test_the_newest_version_serves(tiny_models: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(tiny_models / "ner", models / "ner")
    tiny.ner(models)
    (models / "ner" / ".staged-1").mkdir()
    with serving(models) as client:
        assert client.get("/models/ner").json()["version"] == 2
        answer = client.post("/ner", json={"text": "London"}).json()
        assert answer["model"] == {"name": "ner", "version": 2}


def test_a_task_without_a_bundle_is_404(tiny_models: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_models / "ner", tmp_path / "ner")
    with serving(tmp_path) as client:
        problem = refusal(client.post("/sentiment", json={"text": "a"}), 404, "not_found")
        assert "no model for sentiment" in problem["detail"]
        query = {"text": "a", "source": "fr", "target": "en"}
        refusal(client.post("/translate", json=query), 404, "not_found")


def test_an_empty_repository_is_never_ready(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    with serving(tmp_path, wait=False) as client:
        problem = refusal(client.get("/health/ready"), 503, "not_ready")
        assert str(tmp_path) in problem["detail"]
        assert client.get("/health/live").status_code == 200
        assert client.get("/models").json() == {"models": []}


def test_it_is_live_and_not_ready_while_models_load(tiny_models: Path) -> None:
    registry = Registry(Settings(models=tiny_models), Metrics())
    with pytest.raises(NotReady) as refused:
        registry.get("ner")
    assert refused.value.retry_after == 1
    with pytest.raises(NotReady) as refused:
        registry.check_ready()
    assert [error.detail for error in refused.value.errors] == ["still loading"] * 4


def test_it_is_not_ready_from_the_moment_it_drains(tiny_models: Path) -> None:
    async def walk() -> None:
        registry = Registry(Settings(models=tiny_models), Metrics())
        await registry.load()
        registry.check_ready()
        registry.drain()
        with pytest.raises(Draining):
            registry.check_ready()
        with pytest.raises(Draining):
            registry.get("ner")
        await registry.close()

    asyncio.run(walk())


def test_metrics_of_a_loaded_model_name_its_version_and_hash(tiny_client: httpx.Client) -> None:
    sha256 = tiny_client.get("/models/ner").json()["sha256"]
    page = tiny_client.get("/metrics").text
    assert f'textloom_model_info{{model="ner",sha256="{sha256}",version="1"}} 1.0' in page
    assert 'textloom_model_load_seconds{model="ner"}' in page
