"""`python -m training behaviour`: which sets it takes, and what it prints."""

from pathlib import Path

import pytest

from training.__main__ import main
from training.evaluation import behaviour


def test_the_command_prints_every_set_and_what_is_wrong(
    sentiment_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["behaviour", str(sentiment_path), "--wrong", "True"]) == 0
    printed = capsys.readouterr().out
    sets = [
        path for path in (behaviour.FOLDER / "sentiment").glob("*.jsonl") if path.stem != "swaps"
    ]
    assert len(sets) == 13
    for path in sets:
        assert f"behaviour-{path.stem} " in printed
    assert "is positive, not" in printed


def test_the_command_knows_the_sets_of_a_pair_of_languages(
    translate_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["behaviour", str(translate_path), "--wrong", "True"]) == 0
    printed = capsys.readouterr().out
    assert "behaviour-greetings " in printed
    assert "greetings: 'Hello!' became " in printed


def test_the_command_is_for_what_has_sets(
    ner_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["behaviour", str(ner_path)]) == 1
    assert "there are no sets for the task ner" in capsys.readouterr().err
