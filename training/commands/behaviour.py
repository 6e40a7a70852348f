"""`python -m training behaviour`: scores a bundle on small sets, one for each phenomenon."""

from collections.abc import Sequence
from pathlib import Path

import tyro

from service.tasks.sentiment.task import Sentiment
from service.tasks.translate.task import Translate
from training.config import Options
from training.errors import TrainingError
from training.evaluation import behaviour
from training.evaluation.loading import load_task
from training.evaluation.scores import Scores


class Config(Options):
    bundle: tyro.conf.Positional[Path]
    """Folder of a version of a classifier or a translator, as models/sentiment/1."""
    wrong: bool = False
    """Also prints what is wrong."""


def main(argv: Sequence[str]) -> Scores:
    """Prints the scores of the sets in this repository, and gives them."""
    config = tyro.cli(
        Config,
        args=list(argv),
        prog="python -m training behaviour",
        description="Scores a bundle on small sets, one for each phenomenon.",
        config=(tyro.conf.FlagConversionOff,),
    )
    task = load_task(config.bundle)
    manifest = task.bundle.manifest
    if not isinstance(task, Sentiment | Translate):
        raise TrainingError(f"{config.bundle}: there are no sets for the task {manifest.task}")
    pair = manifest.languages if manifest.task == "translate" else []
    folder = behaviour.FOLDER / "-".join([manifest.task, *pair])
    results = behaviour.score_sets(task, folder)
    for name, values in results.items():
        for metric, value in values.items():
            print(f"{name:24} {metric}  {value:.3f}")
    if config.wrong:
        for path in behaviour.sets_in(folder):
            for text, fault in behaviour.verdicts(task, path):
                if fault:
                    print(f"{path.stem}: {text[-200:]!r} {fault}")
    return results
