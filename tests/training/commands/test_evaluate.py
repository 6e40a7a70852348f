"""`python -m training evaluate` on the tiny bundles: figures worked by hand, and errors that say what to do."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from service.tasks.base import AnyTask
from service.tasks.ner.task import Ner
from service.tasks.sentiment.task import Sentiment
from training.__main__ import main
from training.evaluation.report import EvaluateOptions
from training.tasks import part


def answers(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    """What the command prints as JSON."""
    capsys.readouterr()
    assert main(["evaluate", *map(str, arguments), "--json"]) == 0
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return printed


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert main(["evaluate", *map(str, arguments)]) == 1
    return capsys.readouterr().err


def test_the_figures_are_those_that_the_manifest_holds(
    ner: Ner,
    sentiment: Sentiment,
    translate: AnyTask,
    corpora: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for task, name in (
        (ner, "ner-test.txt"),
        (sentiment, "sentiment-test.jsonl"),
        (translate, "translate-test.tsv"),
    ):
        printed = answers(capsys, task.bundle.path, name, "--data", corpora)
        manifest = task.bundle.manifest
        assert (printed["bundle"], printed["task"]) == (f"{manifest.name}/1", manifest.task)
        report = printed["files"][name]
        assert report["examples"] == 12
        wanted = next(iter(manifest.scores.values()))
        for key, value in report["by_label"].items():
            for figure in ("f1", "recall"):
                assert wanted.get(f"{figure}_{key}", value[figure]) == value[figure]
        given = report["overall"].items()
        assert {k: v for k, v in given if k in wanted}.items() <= wanted.items()
        assert {"f1", "macro_recall", "bleu"} & report["overall"].keys() & wanted.keys()


def test_names_are_scored_by_label(
    ner_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = tmp_path / "gold.txt"
    gold.write_text(
        "Ada\tB-PER\nLovelace\tI-PER\nlives\tO\nin\tO\nParis\tB-LOC\n.\tO\n\n"
        "Max\tB-PER\nPlanck\tB-PER\nwrote\tO\nto\tO\nAda\tB-PER\nLovelace\tI-PER\n.\tO\n"
    )
    report = answers(capsys, ner_path, gold)["files"][str(gold)]
    assert report["examples"] == 2
    assert report["by_label"] == {
        "LOC": {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1},
        "PER": {"precision": 0.6667, "recall": 0.5, "f1": 0.5714, "support": 4},
    }
    overall = report["overall"]
    assert 0 < overall.pop("calibration_error") < 1
    assert overall == {"f1": 0.6667, "precision": 0.75, "recall": 0.6}


def test_sentiment_is_scored_by_label_and_for_its_certainty(
    sentiment_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = tmp_path / "gold.csv"
    gold.write_text(
        "text,label\nWhat a superb film !,positive\nThe meal was awful .,negative\n"
        "The meal was superb .,negative\n"
    )
    report = answers(capsys, sentiment_path, gold)["files"][str(gold)]
    assert report["by_label"]["negative"] == {
        "precision": 1.0,
        "recall": 0.5,
        "f1": 0.6667,
        "support": 2,
    }
    assert report["overall"]["macro_recall"] == 0.75
    assert report["overall"]["accuracy"] == 0.6667
    assert 0 < report["overall"]["calibration_error"] < 1
    assert "neutral" not in report["by_label"]


def test_translation_is_scored_with_signatures_and_speed(
    translate_path: Path, corpora: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = str(corpora / "translate-train.tsv")
    overall = answers(capsys, translate_path, name)["files"][name]["overall"]
    assert overall["bleu"] > 80
    assert overall["chrf"] > 80
    assert overall["bleu_signature"].startswith("nrefs:1|case:mixed")
    assert overall["chrf_signature"].startswith("nrefs:1|case:mixed")
    assert overall["sentences_per_second"] > 0
    turned = answers(capsys, translate_path, name, "--reverse", "True")
    assert turned["files"][name]["overall"]["bleu"] < overall["bleu"] / 2


def test_a_turned_translator_reads_its_files_turned(
    translate_path: Path, corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = Path(shutil.copytree(translate_path, tmp_path / "translate-en-fr" / "1"))
    manifest = json.loads((copied / "manifest.json").read_text())
    manifest["training"]["recipe"]["network"]["reverse"] = True
    (copied / "manifest.json").write_text(json.dumps(manifest))
    turned = tmp_path / "turned.tsv"
    lines = (corpora / "translate-train.tsv").read_text().splitlines()
    turned.write_text("".join("\t".join(line.split("\t")[::-1]) + "\n" for line in lines))
    printed = answers(capsys, copied, turned)
    assert printed["files"][str(turned)]["overall"]["bleu"] > 80


def test_the_table_has_a_line_for_each_figure_and_each_label(
    ner_path: Path, corpora: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(ner_path), "ner-test.txt", "--data", str(corpora)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ner/1 on ner-test.txt: 12 examples"
    figures = ["f1", "precision", "recall", "calibration_error"]
    assert [line.split()[0] for line in lines[2:6]] == figures
    assert lines[7].split() == ["label", "precision", "recall", "f1", "support"]
    assert [line.split()[0] for line in lines[8:10]] == ["LOC", "PER"]


def test_a_count_draws_examples_and_a_seed_chooses_them(
    sentiment_path: Path, corpora: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = str(corpora / "sentiment-train.jsonl") + "#20"
    first = answers(capsys, sentiment_path, name)
    assert first["files"][name]["examples"] == 20
    assert answers(capsys, sentiment_path, name) == first
    assert answers(capsys, sentiment_path, name, "--seed", "2") != first


def test_several_files_are_scored_each(
    ner_path: Path, corpora: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("ner-test.txt", "ner-dev.txt#3x")
    printed = answers(capsys, ner_path, *names, "--data", corpora)
    assert {n: report["examples"] for n, report in printed["files"].items()} == {
        names[0]: 12,
        names[1]: 36,
    }


def test_a_label_that_the_bundle_lacks_is_refused_or_renamed(
    ner_path: Path, sentiment_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = tmp_path / "gold.txt"
    names.write_text("Ada\tB-person\nLovelace\tI-person\n.\tO\n\nx\tB-misc\n")
    said = refusal(capsys, ner_path, names)
    assert "gold.txt has labels that the bundle lacks: misc, person; rename them" in said
    assert "(LOC, PER) or drop them with --labels" in said
    renamed = answers(capsys, ner_path, names, "--labels", "person", "PER", "misc", "")
    assert renamed["files"][str(names)]["by_label"]["PER"]["support"] == 1

    judged = tmp_path / "gold.jsonl"
    judged.write_text('{"text": "What a superb film !", "label": "5"}\n')
    assert "labels that the bundle lacks: 5" in refusal(capsys, sentiment_path, judged)
    renamed = answers(capsys, sentiment_path, judged, "--labels", "5", "positive")
    assert renamed["files"][str(judged)]["by_label"]["positive"]["support"] == 1


def test_a_file_without_entities_has_overall_figures_only(
    ner_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = tmp_path / "gold.txt"
    gold.write_text("It\tO\nrained\tO\n.\tO\n")
    report = answers(capsys, ner_path, gold)["files"][str(gold)]
    assert report["by_label"] == {}
    assert report["overall"]["f1"] == 0.0


def test_what_cannot_be_scored_is_named(
    ner_path: Path, corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "name at least one file" in refusal(capsys, ner_path)
    assert "no readable manifest.json" in refusal(capsys, tmp_path, corpora / "ner-test.txt")
    assert "nowhere.txt: no such file" in refusal(capsys, ner_path, "nowhere.txt")
    assert ":1: expected an IOB2 tag" in refusal(capsys, ner_path, corpora / "sentiment-dev.jsonl")
    (tmp_path / "empty.txt").write_text("")
    assert "no example was found" in refusal(capsys, ner_path, tmp_path / "empty.txt")


def test_names_are_scored_on_perturbations_and_under_the_bundles_own_rules(
    ner_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = Path(shutil.copytree(ner_path, tmp_path / "ner" / "1"))
    manifest = json.loads((copied / "manifest.json").read_text())
    manifest["training"]["recipe"]["guidelines"] = {"gold": "titles"}
    (copied / "manifest.json").write_text(json.dumps(manifest))
    gold = tmp_path / "gold.txt"
    gold.write_text("Doctor\tB-PER\nwrote\tO\nto\tO\nAda\tB-PER\nLovelace\tI-PER\n.\tO\n")

    def support(*options: str) -> int:
        report = answers(capsys, copied, gold, *options)["files"][str(gold)]
        count = report["by_label"]["PER"]["support"]
        assert isinstance(count, int)
        return count

    assert support() == 2
    assert support("--reconciled") == 1
    name = next(iter(manifest["scores"])) + ", upper"
    printed = answers(capsys, ner_path, tiny_test(manifest), "--copy", "upper")
    (report,) = printed["files"].values()
    assert report["overall"].items() <= manifest["scores"][name].items()


def test_only_labels_that_a_file_has_are_scored(
    ner_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = Path(shutil.copytree(ner_path, tmp_path / "ner" / "1"))
    gold = tmp_path / "gold.txt"
    gold.write_text("Ada\tO\nLovelace\tO\nlives\tO\nin\tO\nParis\tB-LOC\n.\tO\n")

    def precision(*options: str) -> Any:
        return answers(capsys, copied, gold, *options)["files"][str(gold)]["overall"]["precision"]

    assert precision() == 0.5
    assert precision("--annotated", "LOC") == 1.0
    manifest = json.loads((copied / "manifest.json").read_text())
    manifest["training"]["recipe"]["annotated"] = {"gold": "LOC"}
    (copied / "manifest.json").write_text(json.dumps(manifest))
    assert precision() == 1.0
    assert precision("--annotated", "LOC", "PER") == 0.5
    said = refusal(capsys, copied, gold, "--annotated", "PER")
    assert "gold.txt: annotated with PER, but has LOC" in said


def tiny_test(manifest: dict[str, Any]) -> str:
    (name,) = manifest["training"]["recipe"]["files"]["test"]
    return str(name)


def test_a_text_of_one_sentence_is_judged_as_its_sentence(
    sentiment_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [
        "What a superb film !",
        "  The meal was awful.\n",
        "\u00a0I had a wooden phone today\u2003",
        "It was good, " * 12 + "good.",  # of several windows
        "What a superb film! The meal was awful.",
    ]
    rows = [json.dumps({"text": text, "label": "neutral"}) for text in texts]
    (tmp_path / "gold.jsonl").write_text("\n".join(rows))
    (report,) = answers(capsys, sentiment_path, tmp_path / "gold.jsonl", "--sentences")[
        "files"
    ].values()
    assert report["overall"]["texts_of_one_sentence"] == 4
    assert report["overall"]["one_sentence_same"] == 1.0
    assert report["overall"]["texts_of_several"] == 1
    assert report["overall"]["mean_agrees"] in (0.0, 1.0)


@pytest.mark.parametrize("task", ["", "ner", "sentiment", "translate"])
def test_every_option_is_explained(
    task: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    named = [str(request.getfixturevalue(f"{task}_path"))] if task else []
    options = part(task, "evaluate").EvaluateOptions if task else EvaluateOptions
    with pytest.raises(SystemExit):
        main(["evaluate", *named, "--help"])
    said = capsys.readouterr().out
    for name in options.model_fields:
        shown = {
            "bundle": "PATH",
            "files": "STR",
            "as_json": "--json",
            "perturbation": "--copy",
        }.get(name, f"--{name}")
        assert shown in said
