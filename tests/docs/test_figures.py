"""Figures that the documentation repeats from the shipped bundles are those of the bundles."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ROWS = re.findall(
    r"^\| (`[\w-]+`, [\d.]+ MB) \|.*\| (.*) \|$", (ROOT / "docs/data.md").read_text(), re.MULTILINE
)


def test_every_bundle_has_a_row() -> None:
    assert {row[0].split("`")[1] for row in ROWS} == {
        each.name for each in (ROOT / "models").iterdir()
    }


@pytest.mark.parametrize(("name_and_size", "scores"), ROWS)
def test_sizes_and_scores_are_those_of_the_bundle(name_and_size: str, scores: str) -> None:
    (name, size) = re.findall(r"`(.+)`, ([\d.]+) MB", name_and_size)[0]
    folder = max((ROOT / "models" / name).glob("[0-9]*"), key=lambda each: int(each.name))
    files = sum(each.stat().st_size for each in folder.iterdir())
    assert f"{files / 1e6:.1f}" == size
    manifest = json.loads((folder / "manifest.json").read_text())
    known = {f"{score:.{places}f}" for score in numbers(manifest["scores"]) for places in (1, 3)}
    given = re.findall(r"(?<![\w.])\d+\.\d+", scores)
    assert given
    assert set(given) <= known


def numbers(scores: Any) -> Iterator[float]:
    for value in scores.values():
        if isinstance(value, dict):
            yield from numbers(value)
        elif isinstance(value, float):
            yield value
