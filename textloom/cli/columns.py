"""The columns that an answer of any task becomes, beside those that its row has already."""

from collections.abc import Mapping
from typing import Any

MAIN = {"ner": "entities", "translate": "translation"}
"""The column of what a task is asked for, where that is not called as the task."""

LEFT_OUT = {"translation_target"}
"""Columns in which every row would say what the command has said."""


def main_column(task: str) -> str:
    return MAIN.get(task, task)


def columns(task: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """A result as columns: what it was asked for under the task's name, everything else with that before its own.

    >>> columns("sentiment", {"label": "positive", "score": 0.9, "sentences": None})
    {'sentiment': 'positive', 'sentiment_score': 0.9}
    """
    main = main_column(task)
    found = {}
    for field, value in result.items():
        name = main if field in ("label", main) else f"{main}_{field}"
        if name in LEFT_OUT or (name != main and value in (None, [])):
            continue
        if name == "translation_alternatives":
            value = [each["translation"] for each in value]
        found[name] = value
    return found
