"""`python -m training fidelity`: shares over several files, and what is wrong."""

from pathlib import Path

import pytest

from tests.service import tiny
from training.__main__ import main

KNOWN = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'"


def test_the_shares_of_all_files_together_are_printed_and_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = tiny.SEARCH | {"beam": 1}
    translator = tiny.copier(tmp_path / "models", "en", "fr", KNOWN, {"q": ""}, options)
    files = [tmp_path / "one.tsv", tmp_path / "two.tsv"]
    files[0].write_text("The cat sleeps.\tLe chat dort.\nroom q at the end of a hall\tsalle\n")
    files[1].write_text("The cat sleeps.\tLe chat dort.\nA dog is here.\tUn chien.\n")
    names = [str(file) for file in files]
    assert main(["fidelity", str(translator.path), *names, "--show", "True"]) == 0
    printed = capsys.readouterr().out
    assert "sentences      3\n" in printed
    assert "numbers_right  1.0\n" in printed
    assert "dropped        0.33333\n" in printed
    assert "dropped: 'room q at the end of a hall' became 'room'" in printed


def test_without_files_or_a_translator_it_says_what_is_missing(
    ner_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fidelity", str(ner_path)]) == 1
    assert "name at least one file" in capsys.readouterr().err
    assert main(["fidelity", str(ner_path), "x.tsv"]) == 1
    assert "is no translator" in capsys.readouterr().err
