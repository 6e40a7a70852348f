"""`python -m training TASK`: trains a model of any task and publishes it, under the name that `--out` ends in."""

from collections.abc import Sequence
from pathlib import Path

from service import tasks
from service.errors import BundleError
from training.config import parse
from training.errors import TrainingError
from training.tasks import part


def main(task: str, argv: Sequence[str]) -> Path:
    """Gives the folder of the published bundle.

    Raises TrainingError, before anything is read, for a name that cannot be served.
    """
    description = (
        f"Trains a model that can {tasks.specs()[task].summary}, and publishes it as a bundle."
    )
    config = parse(part(task, "config").Config, argv, task, description)
    try:
        tasks.check_name(config.files.out.name, task, config.languages)
    except BundleError as error:
        raise TrainingError(f"--out {config.files.out}: {error.detail}") from error
    published: Path = part(task, "train").train(config)
    return published
