"""`python -m benchmarks`: a short run of it against the real service."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.measures import Row
from benchmarks.report import table

ROOT = Path(__file__).parents[2]


def row(value: float, *, higher_is_better: bool, floor: float | None = 2.0) -> Row:
    return Row("name", "measure", value, "x", floor, 3.0, higher_is_better, [1.0, 2.0, 4.0])


def test_a_row_says_whether_its_floor_is_met() -> None:
    assert row(2.0, higher_is_better=True).met is True
    assert row(1.9, higher_is_better=True).met is False
    assert row(2.1, higher_is_better=False).met is False
    assert row(9.9, higher_is_better=True, floor=None).met is None
    shown = table([row(1.9, higher_is_better=True)])
    assert "| measure | 2 (1 to 4) |  | 1.9 x | 2 | 3 | **missed** |" in shown


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
def test_a_quick_run_measures_prints_and_keeps_its_figures(tmp_path: Path) -> None:
    asked = ["--quick", "--only", "many-texts", "one-connection", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *asked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("| /ner, ") == done.stdout.count("| /sentiment, ") == 2
    kept = json.loads((tmp_path / "many-texts.json").read_text())
    assert [each["name"] for each in kept["rows"]] == ["ner-64", "sentiment-64"]
    for each in kept["rows"]:
        assert each["value"] == pytest.approx(each["ours"][0] / each["theirs"][0])
        assert each["value"] > 0.1
    assert kept["libraries"]["onnxruntime"] != "not installed"
    assert kept["commit"]
