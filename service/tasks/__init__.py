"""The tasks, and how a bundle becomes one: `load` opens it and holds it to its golden examples.

Here belongs what turns text into answers: a package for each task, and what all share (base.py, text.py,
session.py). No task knows HTTP, the batcher or another task.
"""

import math
from pathlib import Path
from typing import Any

from service.errors import BundleError, TextLoomError
from service.registry import bundle
from service.registry.bundle import Bundle
from service.tasks.base import predict
from service.tasks.ner.task import Ner
from service.tasks.sentiment.task import Sentiment
from service.tasks.translate.earlier import EarlierTranslate
from service.tasks.translate.task import Translate

AnyTask = Ner | Sentiment | Translate
TASKS: dict[str, type[AnyTask]] = {"ner": Ner, "sentiment": Sentiment, "translate": Translate}

TOLERANCE = 1e-3
"""How far a golden score may lie off: processors of another kind round differently."""


def load(path: Path) -> AnyTask:
    """The bundle in folder `path`, checked, opened and tried on its golden examples.

    Raises BundleError that says what is wrong with it.
    """
    task = open_bundle(bundle.read(path))
    golden = task.bundle.manifest.golden
    if not golden:
        raise BundleError(f"{path}: the manifest holds no golden examples to check the graph with")
    texts = [example.input for example in golden]
    try:
        results = predict(task, texts, task.request(texts))
    except TextLoomError:
        raise
    except Exception as error:
        raise BundleError(f"{path}: a golden example failed: {error}") from error
    for number, (example, result) in enumerate(zip(golden, results, strict=True)):
        if not _alike(example.answer, result.model_dump(mode="json")):
            raise BundleError(f"{path}: golden example {number} gets another answer than it should")
    return task


def open_bundle(checked: Bundle) -> AnyTask:
    """The task of a bundle. Raises BundleError if its graphs or its options cannot be used."""
    try:
        if checked.manifest.task == "translate" and "reader" not in checked.manifest.options:
            return EarlierTranslate(checked)
        return TASKS[checked.manifest.task](checked)
    except BundleError:
        raise
    except Exception as error:
        raise BundleError(f"{checked.path}: cannot be opened: {error!r}") from error


def _alike(wanted: Any, given: Any) -> bool:
    """Equal, but for floats within TOLERANCE."""
    if isinstance(wanted, dict) and isinstance(given, dict):
        return wanted.keys() == given.keys() and all(_alike(wanted[k], given[k]) for k in wanted)
    if isinstance(wanted, list) and isinstance(given, list):
        return len(wanted) == len(given) and all(map(_alike, wanted, given))
    if isinstance(wanted, float) and isinstance(given, int | float):
        return math.isclose(wanted, given, abs_tol=TOLERANCE)
    return bool(wanted == given)
