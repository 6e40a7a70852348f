"""The view for people: names coloured in their text, labels as bars, translations below their source."""

import json
import os
import sys
from typing import Any, Self

from textloom.cli.rows import Row

COLOURS = (34, 31, 36, 33, 35, 32)
FEELINGS = {"positive": 32, "negative": 31}
BAR = 10


class View:
    """Writes answers for people to standard output, coloured if that is a terminal."""

    done = 0

    def __init__(self, task: str) -> None:
        self._coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._labels: dict[str, int] = {}
        self._task = task
        self._show = {"ner": self._ner, "translate": self._translate}.get(task, self._label)

    def write(self, record: dict[str, Any], row: Row) -> None:
        if not record.get("error"):  # which is on standard error
            print(self._show(record, row), flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()

    def _ner(self, record: dict[str, Any], row: Row) -> str:
        if "entities" not in record:  # redacted
            return str(record[row.column])
        shown, end = "", 0
        for entity in record["entities"]:
            start = row.text.index(entity["text"], end)  # whatever unit the offsets are in
            shown += row.text[end:start]
            end = start + len(entity["text"])
            colour = self._labels.setdefault(
                entity["label"], COLOURS[len(self._labels) % len(COLOURS)]
            )
            shown += self._paint(entity["text"], f"1;{colour}")
            shown += self._paint(f"[{entity['label']} {entity['score']:.0%}]", f"{colour}")
        return shown + row.text[end:]

    def _label(self, record: dict[str, Any], row: Row) -> str:
        label, score = record.get(self._task), record.get(f"{self._task}_score")
        if not (isinstance(label, str) and isinstance(score, float)):
            return self._other(record, row)
        lines = [self._judged(label, score, row.text)]
        lines += [
            "  " + self._judged(sentence["label"], sentence["score"], sentence["text"])
            for sentence in record.get(f"{self._task}_sentences", ())
        ]
        return "\n".join(lines)

    def _other(self, record: dict[str, Any], row: Row) -> str:
        """Of a task that answers in a way of its own."""
        answer = {name: value for name, value in record.items() if name not in row.fields}
        return f"{self._paint(row.text, '2')}\n  {json.dumps(answer, ensure_ascii=False)}"

    def _judged(self, label: str, score: float, text: str) -> str:
        bar = ("█" * round(score * BAR)).ljust(BAR, "·")
        said = self._paint(f"{bar} {label:8}", str(FEELINGS.get(label, 37)))
        return f"{said} {score:4.0%}  {text}"

    def _translate(self, record: dict[str, Any], row: Row) -> str:
        said = f"{record['translation_source']}: "
        lines = [self._paint(said + row.text, "2"), " " * len(said) + record["translation"]]
        others = record.get("translation_alternatives", ())
        lines += [" " * len(said) + self._paint(other, "2") for other in others]
        return "\n".join(lines)

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._coloured else text
