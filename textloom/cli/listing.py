"""`textloom models`: what is there to answer with, of a folder or of a server."""

import argparse

from textloom.cli.errors import Stop
from textloom.client import Client, TextLoomError


def show(arguments: argparse.Namespace) -> int:
    """Prints a line for each model; gives the exit status."""
    table = _served(arguments.url) if arguments.url else _found(arguments)
    heads = ("model", "task", "version", "languages", "labels", "scores")
    widths = [max(len(line[column]) for line in [heads, *table]) for column in range(5)]
    for line in [heads, *table]:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        print("  ".join([*cells, line[5]]).rstrip())
    return 0


Line = tuple[str, str, str, str, str, str]


def _served(url: str) -> list[Line]:
    try:
        with Client(url) as client:
            models = client.models()
    except TextLoomError as error:
        raise Stop(str(error)) from error
    return [
        (
            model.name,
            model.task or "",
            str(model.version),
            " ".join(model.languages),
            " ".join(model.labels),
            _scores(model.scores) if model.status == "ready" else model.reason or model.status,
        )
        for model in models
    ]


def _found(arguments: argparse.Namespace) -> list[Line]:
    from service.errors import BundleError
    from service.registry import bundle, repository

    folder = arguments.models
    stored_models = repository.scan(folder, {}) if folder.is_dir() else {}
    if not stored_models:
        raise Stop(f"there is no model in {folder}")
    table = []
    for name, stored in stored_models.items():
        known = (name, stored.task or "", str(stored.wanted))
        try:
            manifest = bundle.read(stored.folder).manifest
        except BundleError as error:
            table.append((*known, "", "", error.detail))
            continue
        languages, labels = " ".join(manifest.languages), " ".join(manifest.labels)
        table.append((*known, languages, labels, _scores(manifest.scores)))
    return table


def _scores(scores: dict[str, dict[str, float | str]]) -> str:
    """The first figure of each test set."""
    firsts = [(name, *next(iter(values.items()))) for name, values in scores.items() if values]
    return ", ".join(f"{name} {metric} {value}" for name, metric, value in firsts)
