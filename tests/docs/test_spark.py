"""The recipe for Spark in the documentation, run by Spark in local mode: it answers what models here answer."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

import textloom

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "scaling.md"
TEXTS = ["Ada Lovelace met Alan in Paris.", "Nothing.", "Marie Curie wrote to London. 🎉"] * 40


@pytest.mark.slow
def test_the_recipe_answers_as_the_models_here_do(tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="NOT CHECKED: Spark; `make test-slow` brings it")
    (code,) = re.findall(r"^```py\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    rows = pyarrow.table({"id": list(range(len(TEXTS))), "text": TEXTS})
    parquet.write_table(rows, tmp_path / "texts.parquet")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": "--master local[2] --conf spark.ui.enabled=false pyspark-shell",
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    answered = parquet.read_table(tmp_path / "answers.parquet").sort_by("id").to_pylist()
    found = [json.loads(row["answer"]) for row in answered]
    assert found == [result.model_dump(mode="json") for result in textloom.load("ner")(TEXTS)]
    assert [row["text"] for row in answered] == TEXTS
