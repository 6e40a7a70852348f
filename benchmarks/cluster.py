"""What a Ray cluster costs and brings: `textloom ner` on a file, in processes and on nodes of one core.

The nodes are processes on this machine (`ray.cluster_utils.Cluster`), so what a network costs is left out. All
that an arrangement runs, reading and writing included, shares its cores. Each time is that of the whole command.
A longer file tells what a text costs apart from the start. Needs Ray: `make .venv-dev/cluster`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import in_process, traffic
from benchmarks.servers import MODELS, ROOT

LONGER = 5
"""How many times as long the longer file is."""

Times = dict[str, list[float]]


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """What is started meanwhile runs on so many cores."""
    all_cores = os.sched_getaffinity(0)
    if count > len(all_cores):
        raise SystemExit(f"this needs {count} cores, and there are {len(all_cores)}")
    os.sched_setaffinity(0, sorted(all_cores)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_cores)


@contextmanager
def nodes(count: int) -> Iterator[str]:
    """The address of a cluster."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        cluster.add_node(num_cpus=1, include_dashboard=False)
        for _ in range(count - 1):
            cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        yield cluster.address
    finally:
        cluster.shutdown()


def answer(file: Path, output: Path, *options: str) -> float:
    """Seconds of the command."""
    command = [sys.executable, "-m", "textloom", "ner", str(file), "-o", str(output)]
    command += ["--models", str(MODELS)]
    began = time.perf_counter()
    subprocess.run([*command, "--overwrite", *options], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - began


def lines_of(output: Path) -> str:
    """The answers, of a file or of the folder of a cluster's parts."""
    parts = sorted(output.glob("*/part-*")) or [output]
    return "".join(part.read_text() for part in parts)


def measure(files: list[Path], folder: Path) -> Times:
    """Seconds of each arrangement for each file. Raises SystemExit if answers differ."""
    found: Times = {}
    expected = []
    for count in (1, 2):
        name = f"{count} process" if count == 1 else f"{count} processes"
        with on_cores(count):
            for file in files:
                output = folder / f"{file.stem}.jsonl"
                found.setdefault(name, []).append(answer(file, output, "--workers", str(count)))
                expected.append(lines_of(output))
    for count in (1, 2):
        name = f"Ray, {count} node of a core" if count == 1 else f"Ray, {count} nodes of a core"
        with on_cores(count), nodes(count) as address:
            for file, lines in zip(files, expected, strict=False):
                output = folder / f"{file.stem}-ray"
                options = ("--engine", "ray", "--address", address)
                found.setdefault(name, []).append(answer(file, output, *options))
                if lines_of(output) != lines:
                    raise SystemExit(f"{name}: the answers are not those of the command alone")
    return found


def main(argv: list[str] | None = None) -> Times:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--texts", type=int, default=20_000, help="in the shorter file")
    options = parser.parse_args(argv)
    counts = [options.texts, LONGER * options.texts]
    texts = traffic.texts(in_process.load("ner"), [20] * 500)
    with tempfile.TemporaryDirectory() as name:
        folder, files = Path(name), []
        for count in counts:
            file = folder / f"{count}.txt"
            file.write_text("".join(f"{texts[each % len(texts)]}\n" for each in range(count)))
            files.append(file)
        found = measure(files, folder)
    print(f"| | {counts[0]:,} texts | {counts[1]:,} texts | further texts a second |")
    print("|---|---|---|---|")
    for name, (short, long) in found.items():
        rate = (counts[1] - counts[0]) / (long - short) if long > short else float("nan")
        print(f"| {name} | {short:.1f} s | {long:.1f} s | {rate:,.0f} |")
    return found


if __name__ == "__main__":
    main()
