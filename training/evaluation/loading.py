"""Loads a published bundle as the service does, so that the code that serves is what is scored."""

from pathlib import Path

from service import tasks
from service.errors import BundleError
from service.tasks.base import AnyTask
from service.tasks.translate.task import Translate
from training.errors import TrainingError


def load_task(path: Path) -> AnyTask:
    """The bundle in a folder. Raises TrainingError if it cannot be loaded."""
    try:
        return tasks.load(path.resolve())
    except BundleError as error:
        raise TrainingError(error.detail) from error


def load_translator(path: Path) -> Translate:
    """The bundle in a folder. Raises TrainingError if it cannot be loaded, or is no translator."""
    task = load_task(path)
    if not isinstance(task, Translate):
        raise TrainingError(f"{path} is no translator")
    return task
