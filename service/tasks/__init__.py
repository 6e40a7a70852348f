"""The tasks, and how a bundle becomes one: `load` opens it and holds it to its golden examples.

Here belongs what turns text into answers: a package for each task, whose `SPEC` declares it, and what all share
(base.py, text.py, session.py). No task knows HTTP, the batcher or another task. A package elsewhere adds a task by
an entry point of the group `textloom.tasks` that leads to its TaskSpec.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from service.errors import BundleError, TextLoomError
from service.registry import bundle
from service.registry.bundle import Bundle
from service.tasks import memory
from service.tasks.base import AnyTask, TaskSpec, predict

ENTRY_POINTS = "textloom.tasks"

TOLERANCE = 1e-3
"""How far a golden score may lie off: processors of another kind round differently."""


@cache
def specs() -> Mapping[str, TaskSpec]:
    """Every task by its name: those of this package, then those of other packages."""
    ours = [
        import_module(f"{__name__}.{module.name}").SPEC
        for module in iter_modules(__path__)
        if module.ispkg
    ]
    others = [point.load() for point in entry_points(group=ENTRY_POINTS)]
    found: dict[str, TaskSpec] = {}
    for spec in [*ours, *sorted(others, key=lambda spec: spec.name)]:
        if spec.name in found:
            raise ValueError(f"two packages declare the task {spec.name!r}")
        found[spec.name] = spec
    return found


def name_says(name: str) -> tuple[str, tuple[str, ...]] | None:
    """The task whose default model has this name, and the languages if it says them; None for other names."""
    for spec in specs().values():
        languages = spec.default_languages(name)
        if languages is not None or name == spec.name:
            return spec.name, languages or ()
    return None


def check_name(name: str, task: str, languages: Sequence[str]) -> None:
    """Raises BundleError if a model of this task cannot be served under this name."""
    bundle.check_name(name)
    said = name_says(name)
    if said is None:
        return
    wanted = (task, tuple(languages) if said[1] else ())
    # `translate` alone says too little to be the default for a pair of languages
    if said != wanted or specs()[task].default_languages(name) is None:
        holds = " ".join(
            [task, *(languages if task in specs() and specs()[task].by_languages else ())]
        )
        raise BundleError(
            f"{name} holds a bundle for {holds}, but the name is kept for {' '.join([said[0], *said[1]])}"
        )


def load(path: Path, trusted_keys: Path | None = None) -> AnyTask:
    """The bundle in folder `path`, checked, opened and tried on its golden examples, in bounded memory.

    trusted_keys: a file of public keys, one of which must have signed it. Raises BundleError that says what is
    wrong with it.
    """
    checked = bundle.read(path, trusted_keys)
    with memory.limited() as most:
        try:
            return _tried(checked)
        except BundleError as error:
            if "bad_alloc" not in error.detail and not isinstance(error.__cause__, MemoryError):
                raise
            raise BundleError(f"{path}: it needs more than {most // 2**20} MB of memory") from error


def _tried(checked: Bundle) -> AnyTask:
    path, task = checked.path, open_bundle(checked)
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
    spec = specs().get(checked.manifest.task)
    if spec is None:
        known = ", ".join(specs())
        raise BundleError(
            f"{checked.path}: there is no task {checked.manifest.task!r} here; there are: {known}"
        )
    try:
        return spec.load(checked)
    except BundleError:
        raise
    except Exception as error:
        raise BundleError(f"{checked.path}: cannot be opened: {error!r}") from error


def _alike(wanted: Any, given: Any) -> bool:
    """Equal, but for floats within TOLERANCE."""
    if isinstance(wanted, dict) and isinstance(given, dict):
        wanted, given = _told(wanted), _told(given)
        return wanted.keys() == given.keys() and all(_alike(wanted[k], given[k]) for k in wanted)
    if isinstance(wanted, list) and isinstance(given, list):
        return len(wanted) == len(given) and all(map(_alike, wanted, given))
    if isinstance(wanted, float) and isinstance(given, int | float):
        return math.isclose(wanted, given, abs_tol=TOLERANCE)
    return bool(wanted == given)


def _told(fields: dict[str, Any]) -> dict[str, Any]:
    """Those with a value: a field that is only there if asked for may be newer than the bundle."""
    return {name: value for name, value in fields.items() if value is not None}
