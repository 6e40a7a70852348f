"""Parallel corpora with their weights, cleaned once for each set of files and turned into a direction."""

from pathlib import Path

import pytest

from training.config import Files
from training.data import parallel
from training.data.corpora import Pair
from training.errors import TrainingError


def lines(*pairs: str) -> str:
    return "".join(pair.replace("|", "\t") + "\n" for pair in pairs)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.tsv").write_text(
        lines("The cat.|Le chat.", "The dog.|Le chien.", "A 1999.|B 2000.")
    )
    (tmp_path / "b.tsv").write_text(lines("The king.|Le roi.", "The queen.|La reine."))
    (tmp_path / "dev.tsv").write_text(lines("A dev.|Un dev."))
    (tmp_path / "dev2.tsv").write_text(lines("Two devs.|Deux devs."))
    (tmp_path / "test.tsv").write_text(lines("A test.|Un test."))
    return tmp_path


def load(
    folder: Path,
    *train: str,
    dev: tuple[str, ...] = ("dev.tsv",),
    test: tuple[str, ...] = ("test.tsv",),
    reverse: bool = False,
    clean: bool = False,
    seed: int = 1,
) -> parallel.Data:
    files = Files(train=train, dev=dev, test=test, data=folder, runs=folder / "runs")
    languages = ("fr", "en") if reverse else ("en", "fr")
    return parallel.load(files, languages=languages, reverse=reverse, clean=clean, seed=seed)


def test_each_corpus_has_its_pairs_and_its_weight(folder: Path) -> None:
    data = load(folder, "a.tsv#2x", "b.tsv#0.5x", "b.tsv", "a.tsv#2")
    assert [corpus.weight for corpus in data.train] == [2.0, 0.5, 1.0, 1.0]
    assert [len(corpus.pairs) for corpus in data.train] == [3, 2, 2, 2]
    assert data.train[1].pairs == [Pair("The king.", "Le roi."), Pair("The queen.", "La reine.")]
    splits = [(corpus.split, corpus.examples) for corpus in data.corpora]
    assert splits == [("dev", 1), ("test", 1), *(("train", n) for n in (3, 2, 2, 2))]
    assert data.left_out == 0


@pytest.mark.parametrize("name", ["a.tsv#-1x", "a.tsv#x", "a.tsv#1.x", "a.tsv#twox"])
def test_a_weight_that_is_no_number_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(TrainingError, match=r"after # comes a count .* or a repetition"):
        load(folder, name)


def test_dev_files_are_apart_by_name(folder: Path) -> None:
    data = load(folder, "a.tsv", dev=("dev.tsv", "dev2.tsv"))
    assert data.dev == {
        "dev": [Pair("A dev.", "Un dev.")],
        "dev2": [Pair("Two devs.", "Deux devs.")],
    }


def test_everything_is_turned_for_the_other_direction(folder: Path) -> None:
    data = load(folder, "b.tsv", reverse=True)
    assert data.train[0].pairs[0] == Pair("Le roi.", "The king.")
    assert data.dev["dev"] == [Pair("Un dev.", "A dev.")]
    assert next(iter(data.tests.values())) == [Pair("Un test.", "A test.")]


def test_cleaned_pairs_are_kept_for_both_directions(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = load(folder, "a.tsv", "b.tsv#2x", clean=True)
    assert "corpus 0: 3 pairs read, left out: numbers 1" in capsys.readouterr().out
    assert first.left_out == 1
    assert [len(corpus.pairs) for corpus in first.train] == [2, 2]
    assert [corpus.weight for corpus in first.train] == [1.0, 2.0]
    turned = load(folder, "a.tsv", "b.tsv#2x", clean=True, reverse=True)
    assert capsys.readouterr().out == ""
    assert len(list((folder / "runs").iterdir())) == 1
    for one, other in zip(first.train, turned.train, strict=True):
        assert [pair.swapped() for pair in one.pairs] == list(other.pairs)


def test_other_files_other_counts_and_another_dev_are_cleaned_anew(folder: Path) -> None:
    def texts(data: parallel.Data) -> list[str]:
        return [pair.text for corpus in data.train for pair in corpus.pairs]

    load(folder, "a.tsv", "b.tsv", clean=True)
    (folder / "new.tsv").write_text(lines("The baker.|Le boulanger."))
    assert texts(load(folder, "a.tsv", "new.tsv", clean=True))[-1] == "The baker."
    assert len(texts(load(folder, "b.tsv#1", clean=True))) == 1
    assert len(texts(load(folder, "b.tsv", clean=True))) == 2
    (folder / "dev3.tsv").write_text(lines("The cat!|Le chat !"))
    held_out = load(folder, "a.tsv", "b.tsv", clean=True, dev=("dev3.tsv",))
    assert "The cat." not in texts(held_out)
    assert held_out.left_out == 2
    drawn = {tuple(texts(load(folder, "b.tsv#1", clean=True, seed=seed))) for seed in range(8)}
    assert len(drawn) == 2
