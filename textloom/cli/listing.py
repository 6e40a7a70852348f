"""`textloom models`: what is there to answer with, of a folder or of a server; a line for each model."""

import shutil
import sys
from pathlib import Path

from textloom import repository
from textloom.cli.errors import Stop
from textloom.client import Client
from textloom.errors import TextLoomError
from textloom.local import stored_models

HEADS = ("model", "task", "version", "languages", "labels", "score")
LABELS = 30
"""Most characters for labels, before the score."""

Line = tuple[str, str, str, str, str, str]


def show(url: str | None, models: Path | None) -> int:
    """Prints a line for each model; gives the exit status."""
    table = _served(url) if url else _found(models or repository.find())
    lines = [HEADS, *table]
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    # what is read by a program is not cut
    most = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        shown = "  ".join([*cells, line[5]]).rstrip()
        print(shown if most is None or len(shown) <= most else shown[: most - 1] + "…")
    return 0


def _served(url: str) -> list[Line]:
    try:
        with Client(url) as client:
            models = client.models()
    except (TextLoomError, ValueError) as error:
        raise Stop(str(error)) from error
    return [
        (
            model.name,
            model.task or "",
            str(model.version),
            " ".join(model.languages),
            _labels(model.labels),
            _score(model.scores) if model.status == "ready" else model.reason or model.status,
        )
        for model in models
    ]


def _found(folder: Path) -> list[Line]:
    stored = stored_models(folder)
    from service.errors import BundleError
    from service.registry import bundle

    if not stored:
        raise Stop(f"there is no model in {folder}")
    table = []
    for name, each in stored.items():
        known = (name, each.task or "", str(each.wanted))
        try:
            manifest = bundle.read(each.folder).manifest
        except BundleError as error:
            table.append((*known, "", "", error.detail))
            continue
        languages, labels = " ".join(manifest.languages), _labels(manifest.labels)
        table.append((*known, languages, labels, _score(manifest.scores)))
    return table


def _labels(labels: list[str]) -> str:
    """As many as fit.

    >>> _labels(["LOC", "PER"]), _labels(["a long label"] * 3)
    ('LOC PER', 'a long label a long label a …')
    """
    shown = " ".join(labels)
    return shown if len(shown) <= LABELS else shown[: LABELS - 1].rpartition(" ")[0] + " …"


def _score(scores: dict[str, dict[str, float | str]]) -> str:
    """The first figure of the first test set; the model's card has all of them."""
    firsts = (
        f"{name} {' '.join(map(str, next(iter(values.items()))))}"
        for name, values in scores.items()
        if values
    )
    return next(firsts, "")
