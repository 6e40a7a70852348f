"""`python -m service models`: what it lists, finds good or bad, and pins."""

import shutil
from pathlib import Path

import pytest

from service.registry import bundle, commands

from .. import tiny


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Two versions of the tagger, one of the classifier."""
    tiny.ner(tmp_path)
    tiny.ner(tmp_path)
    tiny.sentiment(tmp_path)
    return tmp_path


def run(models: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = commands.main(["--models", str(models), *arguments])
    return status, *capsys.readouterr()


def test_it_lists_names_with_what_serves_and_what_there_is(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(models, capsys)
    assert status == 0
    assert [line.split() for line in out.splitlines()] == [
        ["name", "serves", "pinned", "canary", "size", "versions"],
        ["ner", "2", "-", "-", "0.0", "MB", "1", "2"],
        ["sentiment", "1", "-", "-", "0.0", "MB", "1"],
    ]


def test_the_repository_is_that_of_the_settings_unless_named(
    models: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTLOOM_MODELS", str(models))
    monkeypatch.setenv("TEXTLOOM_PINS", "ner=1")
    assert commands.main([]) == 0
    assert "ner                      1       1" in capsys.readouterr().out


def test_check_names_the_bad_and_the_good(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(models, capsys, "check")[0] == 0
    (models / "ner" / "1" / "model.onnx").write_bytes(b"")
    status, out, _ = run(models, capsys, "check")
    assert status == 1
    bad, *good = out.splitlines()
    assert bad.startswith(f"bad   {models}/ner/1: model.onnx has 0 bytes")
    assert [line.split()[:2] for line in good] == [
        ["good", f"{models}/ner/2"],
        ["good", f"{models}/sentiment/1"],
    ]
    assert run(models, capsys, "check", "ner=2", "sentiment=1")[0] == 0


def test_a_pin_is_seen_by_all_and_taken_back(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(models, capsys, "pin", "ner=1")[0] == 0
    assert bundle.pinned(models, "ner") == 1
    assert (models / "ner" / "pinned").read_text() == "1\n"
    assert "ner                      1       1" in run(models, capsys)[1]
    assert run(models, capsys, "unpin", "ner")[0] == 0
    assert bundle.pinned(models, "ner") is None
    assert run(models, capsys, "unpin", "ner")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("pin", "ner=3"), "there is no 'ner=3' in the repository; there is ner=1, ner=2"),
        (("pin", "ner"), "there is no 'ner' in the repository; there is ner=1, ner=2"),
        (("check", "tagger=1"), "there is no 'tagger' in the repository; there is ner, sentiment"),
        (("unpin", "tagger"), "there is no 'tagger' in the repository"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(
    arguments: tuple[str, ...], says: str, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(models, capsys, *arguments)
    assert (status, out) == (1, "")
    assert says in err


def test_a_bundle_that_cannot_serve_cannot_be_pinned(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (models / "ner" / "1" / "tokenizer.json").unlink()
    status, _, err = run(models, capsys, "pin", "ner=1")
    assert status == 1
    assert "tokenizer.json is missing" in err
    assert bundle.pinned(models, "ner") is None
    shutil.rmtree(models / "ner" / "1")
