"""Word vectors: the same texts give the same, and what a text must have."""

from pathlib import Path

import pytest

from training.__main__ import main
from training.commands import vectors


def test_vectors_of_the_same_text_are_the_same(vectors_path: Path, tmp_path: Path) -> None:
    again = vectors.main(
        [
            *("--text", "text.txt", "more.jsonl", "--data", str(vectors_path.parents[1])),
            *("--out", str(tmp_path / "v.bin"), "--dimensions", "12"),
            *("--window", "3", "--at-least", "2", "--epochs", "1", "--seed", "4", "--web", "True"),
        ]
    )
    assert again.read_bytes() == vectors_path.read_bytes()


def test_vectors_need_a_text_with_enough_words(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["vectors"]) == 1
    assert "--text needs a file" in capsys.readouterr().err
    text = tmp_path / "text.txt"
    text.write_text("one two three\n")
    assert main(["vectors", "--text", str(text), "--out", str(tmp_path / "v.bin")]) == 1
    assert "no word stands in these texts 5 times or more" in capsys.readouterr().err
    assert main(["vectors", "--text", "nowhere.txt"]) == 1
    assert "nowhere.txt: no such file" in capsys.readouterr().err
