"""Word vectors of the tiny corpora, learnt once for all tests of trainings."""

from pathlib import Path

import pytest

from training.commands import vectors

from . import tiny


@pytest.fixture(scope="session")
def vectors_path(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Word vectors of 12 dimensions, learnt from the tiny corpora themselves, with every option."""
    folder = tmp_path_factory.mktemp("vectors")
    sentences = [" ".join(row.split("\t")[0] for row in s.split("\n")) for s in tiny.ner_lines()]
    (folder / "text.txt").write_text("\n".join(sentences) + "\n")
    (folder / "more.jsonl").write_text("".join(tiny.sentiment_lines()))
    return vectors.main(
        [
            *("--text", "text.txt", str(folder / "more.jsonl"), "--data", str(folder)),
            *("--out", str(folder / "deep" / "vectors.bin"), "--dimensions", "12"),
            *("--window", "3", "--at-least", "2", "--epochs", "1", "--seed", "4", "--web", "True"),
        ]
    )
