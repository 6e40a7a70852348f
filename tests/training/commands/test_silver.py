"""`python -m training silver`: what it writes, and what it needs."""

from pathlib import Path

import pytest

from training.__main__ import main
from training.data.corpora import read_conll


def test_the_command_writes_what_a_training_reads(
    ner_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wiki.txt").write_text(
        "Ada Turing (born 1900) was an English painter.\nTuring painted.\n\n\n"
        "Oslo Falls is a river with many fishes.\n\n"
        "Nothing to see here, as everybody says.\n"
    )
    out = tmp_path / "deep" / "silver.txt"
    options = ["--text", "wiki.txt", "--data", str(tmp_path), "--bundle", str(ner_path)]
    assert main(["silver", *options, "--out", str(out), "--each", "1", "--seed", "2"]) == 0
    texts = {sentence.text: sentence.tags for sentence in read_conll(out, {})}
    assert len(texts) == 2
    assert texts["Oslo Falls is a river with many fishes ."][:3] == ("B-LOC", "I-LOC", "O")
    assert main(["silver", "--bundle", str(ner_path)]) == 1
    assert "--text needs a file" in capsys.readouterr().err
    (tmp_path / "wiki.txt").write_text("Nothing.\n")
    assert main(["silver", *options, "--out", str(out), "--sure", "0.9"]) == 1
    assert "no article says" in capsys.readouterr().err
