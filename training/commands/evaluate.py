"""`python -m training evaluate`: scores any bundle on any file; overall, and for each label where there are any.

The answers are computed by the code that serves; nothing is trained and nothing is written.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

import tyro

from service.tasks import AnyTask
from service.tasks.base import predict
from service.tasks.ner.task import Ner
from service.tasks.sentiment.task import Sentiment
from service.tasks.translate.task import Translate
from training.config import Options, Pairs
from training.data import corpora, guidelines
from training.data.corpora import Example, Labelled, Tagged
from training.errors import TrainingError
from training.evaluation import calibration, sentence_agreement
from training.evaluation.loading import load_task
from training.evaluation.perturbations import Perturbation, perturb
from training.evaluation.scores import ByLabel, Values
from training.tasks.ner import scores as ner_scores
from training.tasks.sentiment import scores as sentiment_scores
from training.tasks.translate import scores as translate_scores
from training.tasks.translate.scores import source_first


class Config(Options):
    bundle: tyro.conf.Positional[Path]
    """Folder of a bundle's version, as models/ner/1."""
    files: tyro.conf.Positional[tuple[str, ...]]
    """Files to score on: PATH or PATH#5000 (so many examples of it); .xz too."""
    data: Path | None = None
    """Folder in which relative file names are looked up, after the current one."""
    labels: Pairs = {}
    """Renames labels, as `person PER`; renamed to "" one is dropped."""
    reconciled: bool = False
    """Names: applies the rules that the bundle was trained with (training/data/guidelines.py)."""
    perturbation: Annotated[Perturbation, tyro.conf.arg(name="copy")] = "written"
    """Names: scores on a copy in another case, or with invented names (training/evaluation/perturbations.py)."""
    sentences: bool = False
    """Sentiment: also labels each sentence, and says how far they agree with the whole."""
    reverse: bool | None = None
    """The files hold the target in the first column; None: as those that the bundle was trained on."""
    seed: int = 1
    """Chooses the examples of PATH#5000."""
    as_json: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Prints JSON in place of a table."""


@dataclass(frozen=True)
class Report:
    """The scores on one file."""

    examples: int
    overall: Values
    by_label: ByLabel = field(default_factory=dict)


def main(argv: Sequence[str]) -> dict[str, Report]:
    """Prints the scores on each file, and gives them by the file's name."""
    config = tyro.cli(
        Config,
        args=list(argv),
        prog="python -m training evaluate",
        description="Scores a bundle on files in the format of its task.",
    )
    if not config.files:
        raise TrainingError("name at least one file to score on")
    task = load_task(config.bundle)
    reports = {name: evaluate(task, name, config) for name in config.files}
    manifest = task.bundle.manifest
    title = f"{manifest.name}/{manifest.version}"
    if config.as_json:
        files = {name: asdict(report) for name, report in reports.items()}
        print(json.dumps({"bundle": title, "task": manifest.task, "files": files}, indent=1))
    else:
        for name, report in reports.items():
            print(f"{title} on {name}: {report.examples:,} examples\n")
            print("\n".join(table(report)) + "\n")
    return reports


def evaluate(task: AnyTask, name: str, config: Config) -> Report:
    """The scores of a bundle on the file called `name`.

    Raises TrainingError if the file cannot be read or has a label that the bundle lacks.
    """
    match task:
        case Ner():
            return _tagging(task, name, config)
        case Sentiment():
            return _classification(task, name, config)
        case Translate():
            return _translation(task, name, config)


def _tagging(task: Ner, name: str, config: Config) -> Report:
    recipe = task.bundle.manifest.training.recipe
    rules = recipe.get("guidelines", {}) if config.reconciled else {}
    read = partial(guidelines.read, guidelines=rules)
    sentences: list[Tagged] = _examples(read, name, config)
    sentences = perturb(sentences, config.perturbation, known=ner_scores.known_words(task))
    gold = [list(sentence.tags) for sentence in sentences]
    _check_labels(task, name, {tag[2:] for tags in gold for tag in tags if tag != "O"})
    found = ner_scores.predicted_tags(task, sentences)
    return Report(
        examples=len(sentences),
        overall=ner_scores.overall(gold, found)
        | {
            "calibration_error": calibration.expected_error(
                ner_scores.graded_predictions(task, sentences)
            )
        },
        by_label=ner_scores.by_label(gold, found),
    )


def _classification(task: Sentiment, name: str, config: Config) -> Report:
    examples: list[Labelled] = _examples(corpora.read_labelled, name, config)
    _check_labels(task, name, {example.label for example in examples})
    gold, predicted = sentiment_scores.predict_labels(task, examples)
    found = [label for label, _ in predicted]
    overall = sentiment_scores.overall(gold, found)
    graded = sentiment_scores.graded_predictions(gold, predicted)
    overall["calibration_error"] = calibration.expected_error(graded)
    if config.sentences:
        texts = [example.text for example in examples]
        overall |= sentence_agreement.agreement(
            predict(task, texts, task.request(texts, sentences=True))
        )
    return Report(
        examples=len(examples),
        overall=overall,
        by_label=sentiment_scores.by_label(gold, found),
    )


def _translation(task: Translate, name: str, config: Config) -> Report:
    pairs = source_first(task, _examples(corpora.read_pairs, name, config), config.reverse)
    texts = [pair.text for pair in pairs]
    started = time.perf_counter()
    translations = [result.translation for result in predict(task, texts, task.request(texts))]
    seconds = time.perf_counter() - started
    overall = translate_scores.overall(translations, [pair.other for pair in pairs])
    overall["sentences_per_second"] = round(len(pairs) / seconds, 1)
    return Report(examples=len(pairs), overall=overall)


def _examples(
    read: Callable[[Path, Mapping[str, str]], Iterator[Example]], name: str, config: Config
) -> list[Example]:
    _, examples, times = corpora.read_file(
        read, name, folder=config.data, labels=config.labels, seed=config.seed, kind="test"
    )
    return examples * times


def _check_labels(task: AnyTask, name: str, labels: set[str]) -> None:
    known = task.bundle.manifest.labels
    if unseen := labels - set(known):
        raise TrainingError(
            f"{name} has labels that the bundle lacks: {', '.join(sorted(unseen))}; rename them to "
            f"its own ({', '.join(known)}) or drop them with --labels"
        )


def table(report: Report) -> list[str]:
    """The lines of a report: a figure a line, then one line for each label."""
    width = max(map(len, [*report.overall, *report.by_label]))
    lines = [f"{name:{width}}  {value}" for name, value in report.overall.items()]
    if report.by_label:
        lines += ["", f"{'label':{width}}  precision  recall      f1  support"]
        lines += [
            f"{label:{width}}  {row['precision']:9.4f}  {row['recall']:6.4f}  {row['f1']:6.4f}"
            f"  {row['support']:7}"
            for label, row in report.by_label.items()
        ]
    return lines
