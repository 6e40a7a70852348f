"""Scores any bundle on any file and prints a table: overall figures, and where there are labels those of each.

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

from service import tasks
from service.errors import BundleError
from service.tasks import AnyTask
from service.tasks.common import predict
from service.tasks.ner import Ner
from service.tasks.sentiment import Sentiment
from service.tasks.translate import Translate
from training import calibration, copies, scores, views
from training.config import Options, Pairs
from training.copies import Copy
from training.data import corpora, guidelines
from training.data.corpora import Example, Labelled, Pair, Tagged
from training.errors import TrainingError


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
    """Names: puts the files under the rules that the bundle was trained with (training/data/guidelines.py)."""
    copy_as: Annotated[Copy, tyro.conf.arg(name="copy")] = "written"
    """Names: scores on a copy in other case, or with invented names (training/copies.py)."""
    sentences: bool = False
    """Sentiment: also asks for each sentence, and how far they agree with the whole (training/views.py)."""
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
    overall: scores.Values
    by_label: scores.ByLabel = field(default_factory=dict)


def loaded(path: Path) -> AnyTask:
    """The bundle in a folder. Raises TrainingError if it cannot be loaded."""
    try:
        return tasks.load(path.resolve())
    except BundleError as error:
        raise TrainingError(error.detail) from error


def translator(path: Path) -> Translate:
    """The bundle in a folder. Raises TrainingError if it cannot be loaded, or is no translator."""
    task = loaded(path)
    if not isinstance(task, Translate):
        raise TrainingError(f"{path} is no translator")
    return task


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
    task = loaded(config.bundle)
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
    sentences = copies.copied(sentences, config.copy_as, known=scores.known_words(task))
    gold = [list(sentence.tags) for sentence in sentences]
    _check_labels(task, name, {tag[2:] for tags in gold for tag in tags if tag != "O"})
    found = scores.predicted_tags(task, sentences)
    return Report(
        examples=len(sentences),
        overall=scores.tagging_overall(gold, found)
        | {"calibration_error": calibration.error(scores.tagging_judged(task, sentences))},
        by_label=scores.tagging_by_label(gold, found),
    )


def _classification(task: Sentiment, name: str, config: Config) -> Report:
    examples: list[Labelled] = _examples(corpora.read_labelled, name, config)
    _check_labels(task, name, {example.label for example in examples})
    gold, judged = scores.judged_labels(task, examples)
    found = [label for label, _ in judged]
    overall = scores.classification_overall(gold, found)
    overall["calibration_error"] = calibration.error(scores.confidence(gold, judged))
    if config.sentences:
        texts = [example.text for example in examples]
        overall |= views.agreement(predict(task, texts, task.request(texts, sentences=True)))
    return Report(
        examples=len(examples),
        overall=overall,
        by_label=scores.classification_by_label(gold, found),
    )


def _translation(task: Translate, name: str, config: Config) -> Report:
    pairs = turned(task, _examples(corpora.read_pairs, name, config), config.reverse)
    texts = [pair.text for pair in pairs]
    started = time.perf_counter()
    translations = [result.translation for result in predict(task, texts, task.request(texts))]
    seconds = time.perf_counter() - started
    overall = scores.translation_overall(translations, [pair.other for pair in pairs])
    overall["sentences_per_second"] = round(len(pairs) / seconds, 1)
    return Report(examples=len(pairs), overall=overall)


def turned(task: Translate, pairs: list[Pair], reverse: bool | None = None) -> list[Pair]:
    """Source first; if `reverse` is None, they are as those that the bundle was trained on."""
    if reverse is None:
        recipe = task.bundle.manifest.training.recipe
        reverse = bool(recipe.get("network", {}).get("reverse", False))
    return [pair.swapped() for pair in pairs] if reverse else pairs


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
