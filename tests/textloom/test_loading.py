"""Models in this process: typed, for threads and processes, and the same as over HTTP."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import assert_type

import httpx
import pytest

import textloom
from tests.service import tiny
from textloom import Client, LoadError, Refused, repository

ROOT = Path(__file__).parents[2]
TEXT = "😀 Ada Lovelace in London"


@pytest.fixture
def models(tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEXTLOOM_MODELS", str(tiny_models))
    return tiny_models


def test_a_text_gets_a_typed_result_and_a_list_gets_a_list(models: Path) -> None:
    ner = textloom.load("ner")
    assert_type(ner, textloom.Ner)
    assert_type(ner(TEXT), textloom.NerResult)
    assert_type(ner([TEXT]), list[textloom.NerResult])
    assert [entity.text for entity in ner(TEXT).entities] == ["Ada Lovelace", "London"]
    assert ner([TEXT, ""], labels=["LOC"], redact=True)[0].redacted == "😀 Ada Lovelace in [LOC]"
    assert ner([]) == []
    assert (ner.task, ner.versions, repr(ner)) == ("ner", ["ner 1"], "<ner 1>")


def test_it_answers_as_the_server_does(models: Path, tiny_client: httpx.Client) -> None:
    texts = [TEXT, "", "Le chat dort sur la chaise dans la cuisine.", "A good, awful table."]
    with Client(str(tiny_client.base_url)) as client:
        ner, sentiment = textloom.load("ner"), textloom.load("sentiment")
        translate = textloom.load("translate")
        assert ner(texts, offsets="utf16") == client.ner(texts, offsets="utf16")
        assert sentiment(texts, sentences=True) == client.sentiment(texts, sentences=True)
        assert translate(texts, target="en", alternatives=1) == client.translate(
            texts, target="en", alternatives=1
        )
        for model, ask, options in (
            (ner, client.ner, {"labels": ["XXX"]}),
            (ner, client.ner, {"min_score": 2}),
            (translate, client.translate, {"target": "xx"}),
        ):
            with pytest.raises(Refused) as here:
                model(TEXT, **options)
            with pytest.raises(Refused) as there:
                ask(TEXT, **options)
            assert (here.value.status, here.value.code) == (there.value.status, there.value.code)
            assert here.value.errors[0]["pointer"] == there.value.errors[0]["pointer"]


@pytest.mark.parametrize(
    ("text", "place"), [(["a", 5], "/text/1"), (["a", "\ud800"], "/text/1"), ([None], "/text/0")]
)
def test_what_is_no_text_is_refused(models: Path, text: list[str], place: str) -> None:
    with pytest.raises(Refused) as refused:
        textloom.load("ner")(text)
    assert refused.value.errors[0]["pointer"] == place


def test_threads_share_a_model(models: Path) -> None:
    translate = textloom.load("translate")
    texts = [f"the table number {number}" for number in range(40)]
    alone = [translate(text, source="en", target="fr") for text in texts]
    with ThreadPoolExecutor(8) as threads:
        ask = threads.map(lambda text: translate(text, source="en", target="fr"), texts)
        assert list(ask) == alone


def test_what_is_pickled_is_the_name(models: Path) -> None:
    ner = textloom.load("ner")
    pickled = pickle.dumps(ner)
    assert len(pickled) < 200
    assert str(models).encode() not in pickled
    assert pickle.loads(pickled)(TEXT) == ner(TEXT)
    code = f"import pickle; print(pickle.loads({pickled!r})('London').entities[0].label)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "LOC\n"


def test_a_folder_that_was_named_is_pickled_too(
    tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = pickle.dumps(textloom.load("ner", model="ner", models=tiny_models))
    monkeypatch.setenv("TEXTLOOM_MODELS", str(tmp_path))
    assert pickle.loads(named)("London").entities[0].label == "LOC"


def test_a_process_opens_a_bundle_once(models: Path) -> None:
    first, second = textloom.load("ner"), textloom.load("ner", models=models)
    assert first._local._task("ner") is second._local._task("ner")


def test_a_model_is_picked_by_name_and_pins_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.sentiment(tmp_path, {"refund": "bad"}, name="tickets", labels=["bad", "fine"])
    tiny.sentiment(tmp_path)
    tiny.sentiment(tmp_path)
    assert textloom.load("sentiment", model="tickets", models=tmp_path)("refund").label == "bad"
    assert textloom.load("sentiment", models=tmp_path).versions == ["sentiment 2"]
    monkeypatch.setenv("TEXTLOOM_PINS", "sentiment=1")
    assert textloom.load("sentiment", models=str(tmp_path)).versions == ["sentiment 1"]


def test_what_cannot_be_loaded_says_why(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LoadError, match=r"no task 'names'; there are: ner, sentiment, translate"):
        textloom.load("names")
    with pytest.raises(LoadError, match="no model 'legal' for ner here; there are: ner"):
        textloom.load("ner", model="legal")
    with pytest.raises(LoadError, match="no model for ner here"):
        textloom.load("ner", models=tmp_path / "nowhere")
    broken = tiny.ner(tmp_path)
    broken.file("model.onnx").write_bytes(b"")
    with pytest.raises(LoadError, match=r"model\.onnx has 0 bytes"):
        textloom.load("ner", models=tmp_path)
    monkeypatch.setenv("TEXTLOOM_PINS", "ner")
    with pytest.raises(LoadError, match="TEXTLOOM_PINS"):
        textloom.load("ner")


def test_models_are_found_by_variable_in_the_checkout_and_as_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTLOOM_MODELS", "somewhere")
    assert repository.find() == Path("somewhere")
    monkeypatch.delenv("TEXTLOOM_MODELS")
    assert repository.find() == ROOT / "models"
    monkeypatch.setattr(repository, "CHECKOUT", tmp_path)
    monkeypatch.setattr(repository, "CHECKOUT", tmp_path / "none")
    with pytest.raises(LoadError, match="install the wheel of textloom-models"):
        repository.find()
    monkeypatch.syspath_prepend(str(ROOT / "wheels" / "models"))
    assert repository.find() == ROOT / "wheels" / "models" / "textloom_models" / "models"
    del sys.modules["textloom_models"]
