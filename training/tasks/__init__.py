"""One package for each task, with the same file names in each; none imports another.

Here: a task's options (`config.py`), network (`network.py`), training (`train.py`), ONNX graphs (`graph.py`),
scores (`scores.py`) and what `training evaluate` computes (`evaluate.py`), and what no other task has. Not here:
what two tasks share. A package elsewhere is named by an entry point of the group `textloom.training`, called as
its task.
"""

from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from types import ModuleType

from training.errors import TrainingError

ENTRY_POINTS = "textloom.training"


def packages() -> dict[str, str]:
    """The package of each task that can be trained."""
    ours = {
        module.name: f"{__name__}.{module.name}"
        for module in iter_modules(__path__)
        if module.ispkg
    }
    return ours | {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}


def part(task: str, name: str) -> ModuleType:
    """A module of a task's package, such as its `train`. Raises TrainingError if there is no such package."""
    known = packages()
    if task not in known:
        raise TrainingError(f"nothing here trains the task {task!r}; there are: {', '.join(known)}")
    try:
        return import_module(f"{known[task]}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{known[task]}.{name}":
            raise
        raise TrainingError(f"the task {task} has no {name}.py") from error


def about(task: str) -> str:
    """The first line of the package's docstring."""
    return (import_module(packages()[task]).__doc__ or "").partition("\n")[0]
