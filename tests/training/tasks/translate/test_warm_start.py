"""Warm start of a translator from a published one."""

from pathlib import Path

import pytest

from service.registry import bundle
from tests.training import tiny
from training.commands import train
from training.errors import TrainingError

STILL = ("--max-tokens", "24", "--epochs", "1", "--learning-rate", "0")
"""The options of the published one, for a training that changes nothing."""


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_bundle_that_was_started_from_and_not_trained_is_the_same(
    corpora: Path, translate_path: Path, tmp_path: Path, precision: str
) -> None:
    first = tiny.train(
        "translate",
        corpora,
        tmp_path,
        *(*STILL, "--start", str(translate_path), "--precision", precision),
    )
    second = tiny.train(
        "translate", corpora, tmp_path, *(*STILL, "--start", str(first), "--precision", precision)
    )
    original, started, again = map(bundle.read_manifest, (translate_path, first, second))
    for name in ("encoder.onnx", "decoder.onnx", "tokenizer.json"):
        if precision == "float32":
            assert started.files[name] == original.files[name]
        assert again.files[name] == started.files[name]
    assert again.golden == started.golden
    assert started.training.recipe["start"] == str(translate_path)
    assert [corpus.split for corpus in started.training.corpora].count("train") == 2


def test_two_layers_of_the_encoder_are_taken_over_too(corpora: Path, tmp_path: Path) -> None:
    deep = (*STILL, "--layers", "2")
    first = tiny.train("translate", corpora, tmp_path, *deep)
    second = tiny.train("translate", corpora, tmp_path, *deep, "--start", str(first))
    files = [bundle.read_manifest(path).files for path in (first, second)]
    assert files[0]["encoder.onnx"] == files[1]["encoder.onnx"]


def test_a_training_that_starts_from_a_bundle_continues_it(
    corpora: Path, translate_path: Path, tmp_path: Path
) -> None:
    short = ("--max-tokens", "24", "--epochs", "1", "--learning-rate", "0.001")
    scores = [
        bundle.read_manifest(tiny.train("translate", corpora, tmp_path, *short, *options)).scores
        for options in ([], ["--start", str(translate_path)])
    ]
    ((scratch,), (warm,)) = ([values["bleu"] for values in each.values()] for each in scores)
    assert float(scratch) < 20 < 60 < float(warm)


def test_other_sizes_and_other_bundles_are_refused(
    corpora: Path, translate_path: Path, ner_path: Path, tmp_path: Path
) -> None:
    def start(path: Path, *options: str) -> None:
        arguments = tiny.arguments("translate", corpora, tmp_path, *STILL, *options)
        train.main("translate", [*arguments, "--start", str(path)])

    with pytest.raises(TrainingError, match=r"needs its embedding 24, decoder 32$"):
        start(translate_path, "--embedding", "16", "--decoder", "16")
    with pytest.raises(TrainingError, match=r"needs its target fr$"):
        start(translate_path, "--target", "de", "--out", str(tmp_path / "models" / "en-de"))
    with pytest.raises(TrainingError, match="is no translator"):
        start(ner_path)
    with pytest.raises(TrainingError, match="no readable manifest"):
        start(tmp_path)
