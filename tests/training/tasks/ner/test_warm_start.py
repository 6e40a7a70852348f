"""Warm start of a tagger from a published one."""

from pathlib import Path

import pytest

from service.registry import bundle
from service.tasks.base import predict
from service.tasks.ner.task import Ner
from tests.training import tiny
from training.commands import train
from training.errors import TrainingError

STILL = ("--epochs", "1", "--learning-rate", "0")
"""For a training that changes nothing."""


def test_a_bundle_that_was_started_from_and_not_trained_knows_the_same(
    corpora: Path, ner_path: Path, tmp_path: Path
) -> None:
    path = tiny.train("ner", corpora, tmp_path, *STILL, "--start", str(ner_path))
    original, started = map(bundle.read_manifest, (ner_path, path))
    for name in ("letters.onnx", "tokenizer.json"):
        assert started.files[name] == original.files[name]
    for test, values in original.scores.items():
        assert started.scores[test]["f1"] == values["f1"]
    assert started.training.recipe["start"] == str(ner_path)
    assert [corpus.split for corpus in started.training.corpora].count("train") == 2


def test_it_learns_a_new_label_from_texts_in_which_no_other_is_annotated(
    corpora: Path, ner_path: Path, tmp_path: Path
) -> None:
    lines = (corpora / "ner-train.txt").read_text().splitlines()
    verbs = ("lives", "wrote", "met", "rained")
    changed = [
        f"{word}\tB-VERB" if word in verbs else f"{word}\tO" if word else ""
        for word in (line.partition("\t")[0] for line in lines)
    ]
    (tmp_path / "verbs.txt").write_text("\n".join(changed) + "\n")
    path = tiny.train(
        *("ner", corpora, tmp_path, "--start", str(ner_path), "--epochs", "3"),
        *("--train", str(tmp_path / "verbs.txt"), str(corpora / "ner-train.txt")),
        *("--annotated", "verbs", "VERB", "ner-", "PER LOC"),
    )
    manifest = bundle.read_manifest(path)
    assert manifest.labels == ["LOC", "PER", "VERB"]
    scores = next(iter(manifest.scores.values()))
    assert float(scores["f1"]) > 0.8  # of people and places, the labels of the test file
    task = Ner(bundle.read(path))
    (answer,) = predict(task, ["Max Planck wrote to Ada Lovelace ."], task.request(""))
    assert [one.label for one in answer.entities] == ["PER", "VERB", "PER"]


def test_other_sizes_and_other_bundles_are_refused(
    corpora: Path, ner_path: Path, sentiment_path: Path, tmp_path: Path
) -> None:
    def start(path: Path, *options: str) -> None:
        arguments = tiny.arguments("ner", corpora, tmp_path, *STILL, *options)
        train.main("ner", [*arguments, "--start", str(path)])

    with pytest.raises(TrainingError, match=r"needs its embedding 16, hidden 16$"):
        start(ner_path, "--embedding", "24", "--hidden", "24")
    with pytest.raises(TrainingError, match="give one of them"):
        start(ner_path, "--vectors", "vectors.bin")
    with pytest.raises(TrainingError, match="is no tagger"):
        start(sentiment_path)
    with pytest.raises(TrainingError, match="no readable manifest"):
        start(tmp_path)
