"""`--engine ray` on a real cluster of two nodes, each with a core: it writes what the command alone writes.

Also when a process or a node is killed in the middle.
"""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
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
STARTS = 5
"""How often a cluster is started: Ray gives a node 15 seconds, which a busy machine may not keep."""


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two nodes; rows go in small blocks, so that both have work."""
    from textloom.cli import cluster as module
    from textloom.cli import parts

    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setattr(module, "BLOCK", 4096)
    monkeypatch.setattr(parts, "PART", 64)
    found = start()
    yield found
    ray.shutdown()
    found.shutdown()


def start() -> Any:
    from ray.cluster_utils import Cluster

    for number in range(1, STARTS + 1):
        found = Cluster()
        try:
            found.add_node(num_cpus=1, include_dashboard=False, include_log_monitor=False)
            found.add_node(num_cpus=1, wait=False)
            found.wait_for_nodes(timeout=300)
            return found
        except Exception:
            found.shutdown()
            if number == STARTS:
                raise
    return None


def ray_options(cluster: Any, models: Path) -> tuple[object, ...]:
    return "--engine", "ray", "--address", cluster.address, "--models", models


def lines_of(folder: Path) -> list[str]:
    parts = sorted(folder.glob("part-*.jsonl"))
    return [line for part in parts for line in part.read_text().splitlines()]


def table_of(folder: Path) -> pyarrow.Table:
    """Fails unless the columns of all parts are the same."""
    return pyarrow.concat_tables(map(parquet.read_table, sorted(folder.glob("part-*.parquet"))))


def write_rows(path: Path, count: int) -> Path:
    """Rows, three of them bad; late ones have a column, and a fraction, that early ones do not have."""
    rows = [{"id": number, "text": TEXTS[number % 4], "n": number} for number in range(count)]
    rows[-9:] = [{**row, "n": 0.5, "late": {"tags": ["a"]}} for row in rows[-9:]]
    lines = [json.dumps(row) for row in rows]
    lines[5], lines[6], lines[7] = "{", '{"id": 6, "text": null}', '{"text": "\\ud800", "x": 1e-7}'
    path.write_text("\n".join(lines) + "\n")
    return path


def test_two_nodes_write_what_the_command_alone_writes(
    cluster: Any, run: Run, tiny_models: Path, tmp_path: Path
) -> None:
    write_rows(tmp_path / "a.jsonl", 600)
    table = {"id": list(range(300)), "note": ["007"] * 300, "body": TEXTS * 75}
    parquet.write_table(pyarrow.table(table), tmp_path / "b.parquet")
    (tmp_path / "c.csv").write_text("body,code\n" + '"In Rome,\nAda",007\nshort\n' * 40)
    options = ray_options(cluster, tiny_models)
    run("ner", "a.jsonl", "-o", "out", *options, status=1)
    several = ("ner", "[bc].*", "--column", "body", "-o", f"file://{tmp_path}/out")
    told = run(*several, *options, status=1).err
    assert "out/c.csv: 80 texts, 40 of them bad" in told
    for name, column in (("a.jsonl", "text"), ("b.parquet", "body"), ("c.csv", "body")):
        alone = tmp_path / "alone" / f"{name}.jsonl"
        alone.parent.mkdir(exist_ok=True)
        run("ner", name, "--column", column, "-o", alone, status=name != "b.parquet")
        assert lines_of(tmp_path / "out" / name) == alone.read_text().splitlines()
    assert len(list((tmp_path / "out" / "a.jsonl").glob("part-*"))) > 1
    named = [actor["name"] for actor in ray.util.list_named_actors(all_namespaces=True)]
    assert not [name for name in named if "Usage" in name]  # Ray collects no usage statistics

    # done files are passed by, others begin anew, and another run does not write over one
    marker = tmp_path / "out" / "c.csv" / "_SUCCESS"
    marker.unlink()
    before = (tmp_path / "out" / "b.parquet" / "_SUCCESS").stat().st_mtime_ns
    run(*several, *options, status=1)
    assert marker.exists()
    assert (tmp_path / "out" / "b.parquet" / "_SUCCESS").stat().st_mtime_ns == before
    for other in (("--min-score", "0.5"), ("--format", "csv")):
        said = run(*several, *other, *options, status=1).err
        assert "is of another run; --overwrite" in said

    # what is wrong is told as without Ray
    missing = ("ner", "b.parquet", "--column", "nope", "-o", "more")
    assert "no column 'nope'" in run(*missing, *options, status=1).err
    assert "No such file" in run("ner", "nope.csv", "-o", "out", *options, status=1).err


def test_tables_and_parquet_have_the_rows_and_columns_of_one_file(
    cluster: Any, run: Run, tiny_models: Path, tmp_path: Path
) -> None:
    write_rows(tmp_path / "a.jsonl", 600)
    options = ray_options(cluster, tiny_models)
    for form in ("csv", "tsv", "parquet"):
        run("ner", "a.jsonl", "-o", form, "--format", form, *options, status=1)
        run("ner", "a.jsonl", "-o", f"alone.{form}", status=1)
        folder = tmp_path / form / "a.jsonl"
        parts = sorted(folder.glob(f"part-*.{form}"))
        assert len(parts) > 1
        assert sorted(folder.iterdir()) == [folder / "_SUCCESS", *parts]
        if form == "parquet":
            alone = parquet.read_table(tmp_path / "alone.parquet")
            assert table_of(folder).equals(alone, check_metadata=True)
            assert alone.column_names[-1] == "error"
            assert sum(error is not None for error in alone["error"].to_pylist()) == 3
            assert parquet.read_table(folder).num_rows == 600  # as a folder
        else:
            header, *rest = (tmp_path / f"alone.{form}").read_bytes().splitlines(keepends=True)
            split = [part.read_bytes().splitlines(keepends=True) for part in parts]
            assert {lines[0] for lines in split} == {header}
            assert [line for lines in split for line in lines[1:]] == rest

    # a column of two kinds has no type of Parquet's; the answers are not lost, and not called done
    lines = [json.dumps({"text": "Ada", "n": n}) for n in [*range(300), "many"]]
    (tmp_path / "mixed.jsonl").write_text("\n".join(lines))
    odd = ("ner", "mixed.jsonl", "-o", "odd", "--format", "parquet")
    said = run(*odd, *options, status=1).err
    assert "cannot be converted to Parquet" in said
    assert "use --format jsonl" in said
    assert not (tmp_path / "odd" / "mixed.jsonl" / "_SUCCESS").exists()


def test_a_killed_process_loses_nothing(
    cluster: Any, run: Run, tiny_models: Path, tmp_path: Path
) -> None:
    write_rows(tmp_path / "a.jsonl", 4000)
    raylets = [raylet_of(node) for node in cluster.list_all_nodes()]
    with Killer(tmp_path / "out" / "a.jsonl", raylets, kill) as killer:
        run("ner", "a.jsonl", "-o", "out", *ray_options(cluster, tiny_models), status=1)
    assert len(killer.killed) == 1
    run("ner", "a.jsonl", "-o", "alone.jsonl", status=1)
    alone = (tmp_path / "alone.jsonl").read_text().splitlines()
    assert lines_of(tmp_path / "out" / "a.jsonl") == alone


def test_a_killed_node_loses_nothing(
    cluster: Any, run: Run, tiny_models: Path, tmp_path: Path
) -> None:
    write_rows(tmp_path / "a.jsonl", 40000)
    (second,) = cluster.worker_nodes  # the first is that of the command

    def power_off(_: int) -> None:
        processes = children(raylet_of(second))
        cluster.remove_node(second, allow_graceful=False)
        for process in processes:
            kill(process)

    command = ("ner", "a.jsonl", "-o", "out", "--format", "parquet")
    with Killer(tmp_path / "out" / "a.jsonl", [raylet_of(second)], power_off) as killer:
        run(*command, *ray_options(cluster, tiny_models), status=1)
    assert len(killer.killed) == 1
    assert [node["Alive"] for node in ray.nodes()].count(True) == 1
    run("ner", "a.jsonl", "-o", "alone.parquet", status=1)
    alone = parquet.read_table(tmp_path / "alone.parquet")
    assert table_of(tmp_path / "out" / "a.jsonl").equals(alone, check_metadata=True)


class Killer:
    """Calls `kill` with a process of these nodes that is answering, once, when the first parts are written."""

    def __init__(self, folder: Path, raylets: list[int], kill: Callable[[int], None]) -> None:
        self.killed: list[int] = []
        self._folder, self._raylets, self._kill = folder, raylets, kill
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self.killed and not self._over.wait(0.02):
            if any(self._folder.glob("*part-*")):
                self._try()

    def _try(self) -> None:
        for raylet in self._raylets:
            for process in answering(raylet):
                with suppress(ProcessLookupError):  # it has ended meanwhile
                    os.kill(process, signal.SIGSTOP)
                    if process in answering(raylet):  # the block was not done before it stood still
                        self.killed.append(process)
                        self._kill(process)
                        return
                    os.kill(process, signal.SIGCONT)


def kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def raylet_of(node: Any) -> int:
    (found,) = node.all_processes["raylet"]
    return int(found.process.pid)


def children(parent: int) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                found.append(int(process.name))
    return found


def answering(raylet: int) -> list[int]:
    """Actors of a node that have a block in hand, which Ray tells in their names."""
    found = []
    for process in children(raylet):
        with suppress(OSError):
            title = Path(f"/proc/{process}/cmdline").read_bytes()
            if title.startswith(b"ray::MapWorker") and b".submit" in title:
                found.append(process)
    return found
