"""Whole trainings of each task on a tiny corpus: what they publish, and that they can be resumed and repeated."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from service import tasks
from service.tasks.base import predict
from service.tasks.ner.task import Ner
from service.tasks.sentiment.task import Sentiment
from service.tasks.translate.task import Translate
from tests.training import tiny
from training import tasks as trained
from training.commands import train as command
from training.data.corpora import read_conll, read_labelled, read_pairs
from training.errors import TrainingError
from training.tasks.ner import scores as ner_scores
from training.tasks.sentiment import scores as sentiment_scores
from training.tasks.translate.config import BUNDLE_OPTIONS

PNG = b"\x89PNG\r\n\x1a\n"
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["ner", "sentiment", "translate"])
def published(request: pytest.FixtureRequest) -> Path:
    """The bundle of each task in turn."""
    path = request.getfixturevalue(f"{request.param}_path")
    assert isinstance(path, Path)
    return path


def test_the_loss_falls(published: Path) -> None:
    (log,) = (published.parents[2] / "runs").glob("*/log.jsonl")
    losses = [json.loads(line)["loss"] for line in log.read_text().splitlines()]
    assert losses[-1] < losses[0] / 2


def test_a_bundle_holds_card_pictures_recipe_scores_and_golden_examples(published: Path) -> None:
    manifest = json.loads((published / "manifest.json").read_text())
    pictures = {"curves.png"} | ({"confusion.png"} if manifest["labels"] else set())
    pictures |= {"reliability.png"} if manifest["task"] == "ner" else set()
    assert pictures | {"card.md", "tokenizer.json"} < manifest["files"].keys()
    assert {path.name for path in published.iterdir()} == {"manifest.json", *manifest["files"]}
    for picture in pictures:
        assert (published / picture).read_bytes().startswith(PNG)
    card = (published / "card.md").read_text()
    assert all(picture in card for picture in pictures)
    training = manifest["training"]
    own = {
        "ner": {"annotated", "guidelines", "start"},
        "sentiment": {"behaviour"},
        "translate": {
            *(
                "behaviour",
                "chunk",
                "clean",
                "finish",
                "length_penalties",
                "lexicon",
                "run",
                "start",
                "words",
            ),
        },
    }[manifest["task"]]
    assert training["recipe"].keys() == {"files", "network", "fit", "precision", "notes"} | own
    assert training["recipe"]["fit"]["learning_rate"] == 0.01
    assert [corpus["split"] for corpus in training["corpora"]] == ["dev", "test", "train"]
    assert training["parameters"] > 1000
    assert training["seconds"] > 0
    test_set, *perturbed = manifest["scores"]
    kinds = ("lower", "upper", "title", "invented") if manifest["task"] == "ner" else ()
    assert perturbed == [f"{test_set}, {kind}" for kind in kinds]
    assert test_set in card
    assert test_set.endswith(f"{manifest['task']}-test")
    assert len(manifest["golden"]) >= 10


def test_no_folder_of_the_machine_is_in_the_recipe(published: Path) -> None:
    recipe = json.loads((published / "manifest.json").read_text())["training"]["recipe"]
    assert not recipe["files"].keys() & {"data", "out", "runs"}


def shown(read: Any, path: Path) -> list[Any]:
    return list(read(path, {}))


def test_the_tagger_finds_the_names_it_was_shown(ner: Ner, corpora: Path) -> None:
    score = next(iter(ner.bundle.manifest.scores.values()))
    assert float(score["f1"]) > 0.8
    sentences = shown(read_conll, corpora / "ner-train.txt")
    assert float(ner_scores.score(ner, sentences)["f1"]) > 0.9
    assert ner.bundle.manifest.labels == ["LOC", "PER"]


def test_the_classifier_judges_as_it_was_shown(sentiment: Sentiment, corpora: Path) -> None:
    (score,) = sentiment.bundle.manifest.scores.values()
    assert float(score["macro_recall"]) > 0.6
    examples = shown(read_labelled, corpora / "sentiment-train.jsonl")
    assert float(sentiment_scores.score(sentiment, examples)["accuracy"]) > 0.9
    assert sentiment.bundle.manifest.labels == ["negative", "neutral", "positive"]


def test_the_translator_translates_as_it_was_shown(translate: Translate, corpora: Path) -> None:
    (score,) = translate.bundle.manifest.scores.values()
    assert float(score["bleu"]) > 50
    pairs = shown(read_pairs, corpora / "translate-train.tsv")
    texts = [pair.text for pair in pairs]
    given = [result.translation for result in predict(translate, texts, translate.request(texts))]
    right = sum(one == pair.other for one, pair in zip(given, pairs, strict=True))
    assert right > 0.9 * len(pairs)


@pytest.mark.parametrize("task", ["ner", "sentiment", "translate"])
def test_a_seed_gives_the_same_files_and_another_seed_other_ones(
    corpora: Path, tmp_path: Path, task: str
) -> None:
    options = ("--epochs", "2", "--dropout", "0.2")
    first = tiny.train(task, corpora, tmp_path / "a", *options)
    again = tiny.train(task, corpora, tmp_path / "b", *options)
    other = tiny.train(task, corpora, tmp_path / "c", *options, "--seed", "2")
    graphs = [path.name for path in first.glob("*.onnx")]
    for name in ["tokenizer.json", *graphs]:
        assert (first / name).read_bytes() == (again / name).read_bytes(), name
    for name in graphs:
        assert (first / name).read_bytes() != (other / name).read_bytes(), name


@pytest.mark.parametrize("task", ["ner", "sentiment", "translate"])
def test_a_killed_training_ends_as_one_that_was_not(
    corpora: Path, tmp_path: Path, task: str
) -> None:
    def options(folder: Path) -> list[str]:
        given = ("--epochs", "6", "--dropout", "0.3", "--checkpoint-seconds", "0")
        return tiny.arguments(task, corpora, folder, *given)

    whole = command.main(task, options(tmp_path / "whole"))
    for trial in range(5):  # a training may come to its end while this process is not let run
        cut = tmp_path / f"cut-{trial}"
        process = start(task, *options(cut))
        try:
            log = wait_for_log(process, cut / "runs", lines=2)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        done = len(log.read_text().splitlines())
        if done < 6:
            break
    assert process.returncode == -signal.SIGKILL
    assert 2 <= done < 6
    assert not list(cut.glob("models/*/1"))

    process = start(task, *options(cut))
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert "resumed at step" in said
    (resumed,) = cut.glob("models/*/1")
    for name in ["tokenizer.json", *(path.name for path in whole.glob("*.onnx"))]:
        assert (resumed / name).read_bytes() == (whole / name).read_bytes(), name
    manifests = [json.loads((path / "manifest.json").read_text()) for path in (whole, resumed)]
    assert list(manifests[0]["scores"].values()) == list(manifests[1]["scores"].values())
    assert manifests[0]["golden"] == manifests[1]["golden"]


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "training", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for_log(process: subprocess.Popen[str], runs: Path, *, lines: int) -> Path:
    """The log of the only run in `runs`, once it has so many lines."""
    end = time.monotonic() + 200
    while time.monotonic() < end:
        for log in runs.glob("*/log.jsonl"):
            if len(log.read_text().splitlines()) >= lines:
                return log
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    raise AssertionError("no log appeared")


ALL_OPTIONS: dict[str, dict[str, Any]] = {
    "ner": {
        "language": "de",
        "cell": "gru",
        "layers": 2,
        "bidirectional": True,
        "merge": "sum",
        "hidden": 7,
        "embedding": 12,
        "vectors": "VECTORS",
        "vocabulary": 30,
        "at_least": 2,
        "max_tokens": 5,
        "character_embedding": 4,
        "character_filters": 5,
        "word_characters": 6,
        "dropout": 0.1,
        "word_dropout": 0.2,
        "name_dropout": 0.1,
        "other_case": 0.6,
        "joined": 0.5,
        "fixed_vectors": True,
    },
    "sentiment": {
        "language": "fr",
        "cell": "rnn",
        "layers": 2,
        "bidirectional": False,
        "merge": "max",
        "hidden": 7,
        "embedding": 12,
        "vectors": "VECTORS",
        "vocabulary": 30,
        "at_least": 2,
        "pairs": 50,
        "pair_features": 3,
        "max_tokens": 4,
        "stretch": 3,
        "dropout": 0.1,
        "word_dropout": 0.2,
    },
    "translate": {
        "source": "fr",
        "target": "en",
        "reverse": True,
        "vocabulary": 310,
        "max_tokens": 20,
        "embedding": 10,
        "hidden": 7,
        "layers": 2,
        "decoder": 9,
        "dropout": 0.2,
        "changed": 0.5,
        "sampled": 0.5,
        "label_smoothing": 0.2,
        "beam": 3,
        "length_penalty": 0.6,
    },
}
FIT: dict[str, Any] = {
    "epochs": 2,
    "batch_tokens": 128,
    "optimizer": "muon",
    "learning_rate": 0.005,
    "schedule": "decay",
    "warmup": 0.2,
    "warmup_steps": 3,
    "weight_decay": 0.1,
    "clip": 0.5,
    "average": 0.9,
    "bfloat16": True,
    "validations": 2,
    "patience": 2,
    "seed": 3,
    "device": "cpu",
    "threads": 1,
    "checkpoint_seconds": 0.5,
}


def as_toml(sections: dict[str, dict[str, Any]]) -> str:
    """Every value is written as JSON, which is TOML too for all that stands here."""
    lines = []
    for name, values in sections.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {_inline(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {_inline(item)}' for key, item in value.items()) + "}"
    return json.dumps(value)


@pytest.mark.parametrize("task", ["ner", "sentiment", "translate"])
def test_a_recipe_with_every_option_trains_and_is_in_the_manifest(
    corpora: Path, vectors_path: Path, tmp_path: Path, task: str
) -> None:
    ending = {"ner": "txt", "sentiment": "jsonl", "translate": "tsv"}[task]
    train, dev, test = (f"{task}-{split}.{ending}" for split in ("train", "dev", "test"))
    labels = {"ner": {"LOC": "PLACE"}, "sentiment": {"neutral": ""}, "translate": {}}[task]
    network = {
        key: str(vectors_path) if value == "VECTORS" else value
        for key, value in ALL_OPTIONS[task].items()
    }
    files: dict[str, Any] = {
        "train": [f"{train}#30", f"{train}#2x"],
        "dev": [dev],
        "test": [test, f"{dev}#5"],
        "data": str(corpora),
        "labels": labels,
        "licences": {"train": "CC0-1.0"},
        "out": str(tmp_path / "models" / "every-option"),
        "runs": str(tmp_path / "runs"),
    }
    given = {"files": files, "network": network, "fit": FIT}
    if task == "ner":
        given["guidelines"] = {"ner-dev": "titles demonyms", "nowhere": "places"}
    if task == "translate":
        last = {"finish_train": ["-train#0.5x"], "finish_epochs": 2, "finish_now": False}
        given["finish"] = last
    fields = trained.part(task, "config").Config.model_fields
    elsewhere = {"notes", "precision"}
    if task != "ner":
        elsewhere |= {"behaviour"}
    if task == "ner":
        elsewhere |= {"annotated", "start"}
    if task == "translate":
        elsewhere |= {"chunk", "clean", "length_penalties", "lexicon", "run", "start", "words"}
    assert given.keys() | elsewhere == fields.keys()
    for part, values in given.items():
        if part == "guidelines":
            continue
        known = type(fields[part].default).model_fields.keys()
        assert values.keys() == known, f"an option of {part} is in no test"

    recipe = tmp_path / "recipe.toml"
    top = 'notes = "Good at little."\nprecision = "float32"\n'
    if task == "translate":
        (tmp_path / "emoji.jsonl").write_text('{"text": "😀", "same": true}\n')
        top += f'length_penalties = [0.2, 1.4]\nbehaviour = "{tmp_path}"\n'
        top += 'chunk = 50\nclean = true\nrun = "kept"\nwords = 1\n'
    recipe.write_text(top + as_toml(given))
    published = command.main(task, ["--recipe", str(recipe)])
    assert published == tmp_path / "models" / "every-option" / "1"
    manifest = tasks.load(published).bundle.manifest
    written = manifest.training.recipe
    assert (written["notes"], written["precision"]) == ("Good at little.", "float32")
    assert "Good at little." in (published / "card.md").read_text()
    assert written["network"] == network
    assert written["fit"] == FIT
    assert written["files"] == {k: v for k, v in files.items() if k not in ("data", "out", "runs")}
    assert [corpus.licence for corpus in manifest.training.corpora[-2:]] == ["CC0-1.0"] * 2
    assert manifest.training.seed == 3
    tried = manifest.training.tried
    assert bool(tried) == (task == "translate")
    assert manifest.limits.max_tokens == network["max_tokens"]
    assert len(manifest.scores) == {"ner": 10, "sentiment": 2, "translate": 3}[task]
    if task == "ner":
        assert written["guidelines"] == given["guidelines"]
        assert "Russian and the Kenyans are no names" in (published / "card.md").read_text()
        assert manifest.labels == ["PER", "PLACE"]
        assert manifest.languages == ["de"]
    elif task == "sentiment":
        assert manifest.labels == ["negative", "positive"]
        assert manifest.languages == ["fr"]
    else:
        assert manifest.languages == ["fr", "en"]
        assert written["finish"] == last
        assert "the" in (published / "words.txt").read_text().splitlines()
        assert [corpus.examples for corpus in manifest.training.corpora][-2:] == [30, 40]
        log = tmp_path / "runs" / "kept" / "finish" / "log.jsonl"
        assert json.loads(log.read_text().splitlines()[-1])["epoch"] == 2
        assert len(list((tmp_path / "runs").glob("pairs-*.tsv"))) == 1  # those cleaned
        shares = (log.parent / "dev.jsonl").read_text().splitlines()
        assert [set(json.loads(line)) for line in shares] == [{"translate-dev"}] * 4
        assert manifest.options.pop("length_penalty") in {0.2, 1.4}
        assert manifest.options == {"beam": 3, "words": "words.txt"} | BUNDLE_OPTIONS
        assert manifest.scores["behaviour-emoji"] == {"right": 1.0}
        assert "## Search settings on dev" in (published / "card.md").read_text()
        assert {"beam 3, length penalty 0.2", "beam 3, length penalty 1.4"} < tried.keys()


def test_a_named_translator_goes_on_after_it_was_published(corpora: Path, tmp_path: Path) -> None:
    options = (
        "--run",
        "mine",
        "--schedule",
        "constant",
        "--chunk",
        "20",
        "--finish-train",
        "train",
    )
    first = tiny.train("translate", corpora, tmp_path, *options, "--epochs", "3")
    again = tiny.train("translate", corpora, tmp_path, *options, "--epochs", "5")
    assert (first.name, again.name) == ("1", "2")
    run = tmp_path / "runs" / "mine"
    assert (run / "checkpoint.pt").exists()
    assert not (run / "finish" / "checkpoint.pt").exists()
    points = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [point["epoch"] for point in points] == [1, 2, 3, 4, 5]
    assert len((run / "finish" / "log.jsonl").read_text().splitlines()) == 1
    whole = tiny.train("translate", corpora, tmp_path / "whole", *options, "--epochs", "5")
    for name in ("encoder.onnx", "decoder.onnx"):
        assert (whole / name).read_bytes() == (again / name).read_bytes()
        assert (whole / name).read_bytes() != (first / name).read_bytes()


def test_a_version_is_published_from_a_run_at_its_checkpoint(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--run", "mine", "--chunk", "20", "--epochs", "3")
    now = ("--finish-train", "train", "--finish-now", "True")
    with pytest.raises(TrainingError, match="mine holds no checkpoint"):
        tiny.train("translate", corpora, tmp_path, *options, *now)
    tiny.train("translate", corpora, tmp_path, *options)
    checkpoint = (tmp_path / "runs" / "mine" / "checkpoint.pt").read_bytes()
    second = tiny.train("translate", corpora, tmp_path, *options, *now)
    assert (tmp_path / "runs" / "mine" / "checkpoint.pt").read_bytes() == checkpoint
    assert second.name == "2"
    # three epochs and that of the last phase
    log = (tmp_path / "runs" / "mine" / "finish" / "log.jsonl").read_text()
    assert len(log.splitlines()) == 1
    with pytest.raises(TrainingError, match="no training file has 'elsewhere' in its path"):
        tiny.train("translate", corpora, tmp_path, *options, "--finish-train", "elsewhere")


def test_pairs_that_are_no_translations_are_left_out_where_asked_for(
    corpora: Path, tmp_path: Path
) -> None:
    lines = (corpora / "translate-train.tsv").read_text().splitlines()
    bad = ["The cat of 1999 sleeps.\tLe chat de 2011 dort.", lines[0], "Ha.\t" + "Ha ha! " * 20]
    (tmp_path / "train.tsv").write_text("\n".join([*lines, *bad]) + "\n")
    options = ("--train", str(tmp_path / "train.tsv"), "--epochs", "1", "--clean", "True")
    tiny.train("translate", corpora, tmp_path, *options)
    (kept,) = (tmp_path / "runs").glob("pairs-*.tsv")
    assert kept.read_text().splitlines() == [f"0\t{line}" for line in lines]
