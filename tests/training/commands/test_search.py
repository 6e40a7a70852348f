"""`python -m training search`: what it prints, and what it refuses."""

from pathlib import Path

import pytest

from training.__main__ import main
from training.tasks.translate.search import WIDTHS


def test_the_command_prints_what_it_tried(
    translate_path: Path, corpora: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["translate-dev.tsv#5", "--data", str(corpora), "--length-penalties", "1.0"]
    assert main(["search", str(translate_path), *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(", ")[0] for line in lines] == [f"beam {width}" for width in WIDTHS]
    assert all("bleu" in line and "sentences_per_second" in line for line in lines)


def test_the_command_is_for_translators_and_needs_pairs(
    ner_path: Path, translate_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", str(ner_path), "x"]) == 1
    assert "is no translator" in capsys.readouterr().err
    assert main(["search", str(translate_path)]) == 1
    assert "name at least one file of pairs" in capsys.readouterr().err
