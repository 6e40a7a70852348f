"""`--engine ray` on a real cluster of two nodes, each with a core: it writes what the command alone writes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from .conftest import Run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # those of Ray and of pandas are not ours
]

ray = pytest.importorskip("ray", reason="NOT CHECKED: --engine ray; `make test-slow` brings Ray")

ROOT = Path(__file__).parents[3]
TEXTS = ["Ada met Alan in Paris.", "Nothing.", "In Rome we saw Marie.", "Émile 🎉 wrote to Ada."]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two nodes; rows go in small blocks, so that both have work."""
    from ray.cluster_utils import Cluster

    from textloom.cli import cluster as module

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(module, "BLOCK", 4096)
    monkeypatch.setattr(module, "PART", 64)
    found = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    found.add_node(wait=False, num_cpus=1)
    found.wait_for_nodes(timeout=300)
    yield found
    ray.shutdown()
    found.shutdown()


def lines_of(folder: Path) -> list[str]:
    parts = sorted(folder.glob("part-*.jsonl"))
    return [line for part in parts for line in part.read_text().splitlines()]


def write_rows(path: Path, count: int) -> Path:
    rows = [json.dumps({"id": number, "text": TEXTS[number % 4]}) for number in range(count)]
    rows[5], rows[6], rows[7] = "{", '{"id": 6, "text": 1}', '{"text": "\\ud800", "x": 1e-7}'
    path.write_text("\n".join(rows) + "\n")
    return path


def test_two_nodes_write_what_the_command_alone_writes(
    cluster: Any, run: Run, tiny_models: Path, tmp_path: Path
) -> None:
    write_rows(tmp_path / "a.jsonl", 600)
    table = {"id": list(range(300)), "note": ["007"] * 300, "body": TEXTS * 75}
    parquet.write_table(pyarrow.table(table), tmp_path / "b.parquet")
    (tmp_path / "c.csv").write_text("body,code\n" + '"In Rome,\nAda",007\nshort\n' * 40)
    ray_options = ("--engine", "ray", "--address", cluster.address, "--models", tiny_models)
    run("ner", "a.jsonl", "-o", "out", *ray_options, status=1)
    several = ("ner", "[bc].*", "--column", "body", "-o", f"file://{tmp_path}/out")
    told = run(*several, *ray_options, status=1).err
    assert "out/c.csv: 80 texts, 40 of them bad" in told
    for name, column in (("a.jsonl", "text"), ("b.parquet", "body"), ("c.csv", "body")):
        alone = tmp_path / "alone" / f"{name}.jsonl"
        alone.parent.mkdir(exist_ok=True)
        run("ner", name, "--column", column, "-o", alone, status=name != "b.parquet")
        assert lines_of(tmp_path / "out" / name) == alone.read_text().splitlines()
    assert len(list((tmp_path / "out" / "a.jsonl").glob("part-*"))) > 1

    # done files are passed by, others begin anew, and another run does not write over one
    marker = tmp_path / "out" / "c.csv" / "_SUCCESS"
    marker.unlink()
    before = (tmp_path / "out" / "b.parquet" / "_SUCCESS").stat().st_mtime_ns
    run(*several, *ray_options, status=1)
    assert marker.exists()
    assert (tmp_path / "out" / "b.parquet" / "_SUCCESS").stat().st_mtime_ns == before
    other = (*several, "--min-score", "0.5", *ray_options)
    assert "is of another run; --overwrite" in run(*other, status=1).err

    # what is wrong is told as without Ray
    assert (
        "no column 'nope'"
        in run(*("ner", "b.parquet", "--column", "nope", "-o", "more", *ray_options), status=1).err
    )
    assert "No such file" in run("ner", "nope.csv", "-o", "out", *ray_options, status=1).err
