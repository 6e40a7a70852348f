"""How a classifier behaves: small written sets, one for each phenomenon, and swaps that should change nothing.

A folder holds NAME.jsonl with `text` and `label`, and swaps.jsonl with `texts`: one sentence with another name,
place, link or date each time. Every set has all labels, so that none is won by always saying the same.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import tyro
from sklearn.metrics import accuracy_score

from service import tasks
from service.errors import BundleError
from service.tasks.common import predict
from service.tasks.sentiment import Sentiment
from training import corpora
from training.config import Options
from training.errors import TrainingError
from training.export import Scores

FOLDER = Path(__file__).parent / "phenomena"
SWAPS = "swaps"


class Config(Options):
    bundle: tyro.conf.Positional[Path]
    """Folder of a classifier's version, as models/sentiment/1."""
    wrong: bool = False
    """Also prints what is judged wrongly."""


def main(argv: Sequence[str]) -> Scores:
    """Prints the scores of the sets in this repository, and gives them."""
    config = tyro.cli(
        Config,
        args=list(argv),
        prog="python -m training behaviour",
        description="Scores a classifier on small sets, one for each phenomenon.",
        config=(tyro.conf.FlagConversionOff,),
    )
    try:
        task = tasks.load(config.bundle.resolve())
    except BundleError as error:
        raise TrainingError(error.detail) from error
    if not isinstance(task, Sentiment):
        raise TrainingError(f"{config.bundle} is no classifier")
    results = scored(task, FOLDER)
    for name, values in results.items():
        for metric, value in values.items():
            print(f"{name:24} {metric}  {value:.3f}")
    if config.wrong:
        for path in _sets(FOLDER):
            for example, found in _judged(task, path):
                if found != example.label:
                    print(f"{path.stem}: {example.text[-200:]!r} is {example.label}, not {found}")
    return results


def scored(task: Sentiment, folder: Path) -> Scores:
    """The accuracy on each set, and of the swaps the share that keep the label of their first form."""
    results: Scores = {}
    for path in _sets(folder):
        judged = _judged(task, path)
        accuracy = accuracy_score([one.label for one, _ in judged], [found for _, found in judged])
        results[f"behaviour-{path.stem}"] = {"accuracy": round(float(accuracy), 4)}
    swaps = (folder / f"{SWAPS}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line)["texts"] for line in swaps]
    same = [
        found == labels[0]
        for labels in (_labels(task, row) for row in rows)
        for found in labels[1:]
    ]
    results[f"behaviour-{SWAPS}"] = {"same_label": round(sum(same) / len(same), 4)}
    return results


def _sets(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.jsonl") if path.stem != SWAPS)


def _judged(task: Sentiment, path: Path) -> list[tuple[corpora.Labelled, str]]:
    examples = list(corpora.read_labelled(path, {}))
    return list(zip(examples, _labels(task, [one.text for one in examples]), strict=True))


def _labels(task: Sentiment, texts: list[str]) -> list[str]:
    return [result.label for result in predict(task, texts, task.request(texts))]
