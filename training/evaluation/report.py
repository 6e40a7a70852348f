"""What `training evaluate` asks and tells in any task; what it computes is in the `evaluate.py` of each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from service.tasks.base import AnyTask
from training.config import Options, Pairs
from training.data import corpora
from training.data.corpora import Example
from training.errors import TrainingError
from training.evaluation.scores import ByLabel, Values


class EvaluateOptions(Options):
    """A task may have further ones."""

    bundle: tyro.conf.Positional[Path]
    """Folder of a bundle's version, as models/ner/1."""
    files: tyro.conf.Positional[tuple[str, ...]]
    """Files to score on: PATH or PATH#5000 (so many examples of it); .xz too."""
    data: Path | None = None
    """Folder in which relative file names are looked up, after the current one."""
    labels: Pairs = {}
    """Renames labels, as `person PER`; renamed to "" one is dropped."""
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


def read_examples(
    read: Callable[[Path, Mapping[str, str]], Iterator[Example]],
    name: str,
    options: EvaluateOptions,
) -> list[Example]:
    """The examples of the file called `name`. Raises TrainingError if it cannot be read."""
    _, examples, times = corpora.read_file(
        read, name, folder=options.data, labels=options.labels, seed=options.seed, kind="test"
    )
    return examples * times


def check_labels(task: AnyTask, name: str, labels: set[str]) -> None:
    """Raises TrainingError if the file called `name` has a label that the bundle lacks."""
    known = task.bundle.manifest.labels
    if unseen := labels - set(known):
        raise TrainingError(
            f"{name} has labels that the bundle lacks: {', '.join(sorted(unseen))}; rename them to "
            f"its own ({', '.join(known)}) or drop them with --labels"
        )
