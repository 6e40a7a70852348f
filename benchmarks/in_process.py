"""`predict` called here and now, without a server: what a server cannot beat. One process per core."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.servers import MODELS, ROOT
from service import tasks
from service.tasks.base import predict


def newest(name: str) -> Path:
    """The folder of a bundle's highest version."""
    return max((MODELS / name).iterdir(), key=lambda path: int(path.name))


def load(name: str) -> Any:
    """The task of that bundle."""
    return tasks.load(newest(name))


def measure(name: str, batches: Sequence[Sequence[str]], seconds: float, cores: int) -> list[float]:
    """Texts a second of all cores together, and the median time of a batch in seconds.

    Every core has a process of its own that goes through all batches again and again.
    """
    command = [sys.executable, "-m", "benchmarks.in_process", name, str(seconds)]
    started = [
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(cores)
    ]
    for process in started:
        assert process.stdin
        process.stdin.write(json.dumps(batches) + "\n")
        process.stdin.flush()
    for process in started:
        process.stdout.readline()  # type: ignore[union-attr]  # it has loaded
    for process in started:
        process.stdin.write("go\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
    results = [json.loads(process.communicate()[0]) for process in started]
    return [sum(rate for rate, _ in results), statistics.median(p50 for _, p50 in results)]


def main(name: str, seconds: float) -> None:
    """In the child: reads the batches, says that it is ready, waits for a line, measures."""
    batches: list[list[str]] = json.loads(sys.stdin.readline())
    task = load(name)
    request = task.request(batches[0])
    for batch in batches[:20]:
        predict(task, batch, request)
    print("ready", flush=True)
    sys.stdin.readline()
    began, times, done, number = time.perf_counter(), [], 0, 0
    while (now := time.perf_counter()) - began < seconds:
        batch = batches[number % len(batches)]
        predict(task, batch, request)
        times.append(time.perf_counter() - now)
        done += len(batch)
        number += 1
    print(json.dumps([done / (time.perf_counter() - began), statistics.median(times)]))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
