"""`python -m benchmarks.faults`: tries every fault on the real service, and writes the table in docs/security.md.

Ends with status 1 if one was not survived. What a row says is in COLUMNS.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import report, servers, usage
from benchmarks.faults import bodies, bundles, connections, processes
from benchmarks.faults.watch import Seen, alive, watched
from benchmarks.rows import Plan

PAGE = servers.ROOT / "docs" / "security.md"
MARKS = ("<!-- faults -->", "<!-- /faults -->")
COLUMNS = (
    "| fault | survived | worst stall | own CPU time | memory | answers lost | what happened |"
)
NOTHING = "nothing, to compare with"
HUNG = "a named pipe as a pin, as a disk that hangs, and kill -9 of a worker"
FAULTS = [
    NOTHING,
    *bodies.FAULTS,
    *connections.FAULTS,
    *connections.WITH_KEYS,
    *processes.FAULTS,
    HUNG,
    *bundles.FAULTS,
    *bundles.SIGNED,
    *processes.LAST,
]
UNAVOIDABLE = {*processes.FAULTS, HUNG}
"""They cost the answers that a worker had under way."""


@dataclass(frozen=True)
class Tried:
    """A fault, what others saw of it, and what it says itself."""

    fault: str
    seen: Seen
    before: float
    """Megabytes, of all processes of the service."""
    said: str
    survived: bool

    @property
    def row(self) -> str:
        cells = [
            self.fault,
            "yes" if self.survived else "**no**",
            f"{1000 * self.seen.stall:.0f} ms" if self.seen.asked else "",
            f"{1000 * self.seen.own:.0f} ms" if self.seen.asked else "",
            f"{self.before:.0f} to {self.seen.memory:.0f} MB" if self.seen.asked else "",
            f"{len(self.seen.lost)} of {self.seen.asked}" if self.seen.asked else "",
            self.said,
        ]
        return f"| {' | '.join(cells)} |"


@dataclass(frozen=True)
class Case:
    fault: str
    port: int
    """Of the service on which to try it."""
    cause: Callable[[], str]
    key: str = ""
    """Of those who have one."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--only", default="", help="faults with these words: other rows stay")
    parser.add_argument("--out", type=Path, default=PAGE, help="page with the table")
    options = parser.parse_args(arguments)
    rows, good = _kept(options.out), True
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(Path(folder), options.only):
            tried = _try(case)
            print(tried.row, file=sys.stderr, flush=True)
            for reason in tried.seen.lost[:3]:
                print(f"    {reason[:500]}", file=sys.stderr, flush=True)
            rows[tried.fault] = tried.row
            good = good and tried.survived
    ordered = [rows[name] for name in FAULTS if name in rows]
    table = "\n".join([_circumstances(), "", COLUMNS, "|---|---|---|---|---|---|---|", *ordered])
    print(table)
    report.put(options.out, table, MARKS)
    return 0 if good else 1


def _kept(page: Path) -> dict[str, str]:
    """The rows that a page has, by fault."""
    lines = page.read_text(encoding="utf-8").partition(MARKS[0])[2].partition(MARKS[1])[0]
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in lines.splitlines()}
    return {name: rows[name] for name in FAULTS if name in rows}


def cases(folder: Path, words: str = "") -> Iterator[Case]:
    """Every fault with these words in its name, each on a service that others have survived before it."""

    def named(*faults: Iterable[str]) -> list[str]:
        return [name for some in faults for name in some if words in name]

    with _service_if(named([NOTHING], bodies.FAULTS, connections.FAULTS)) as port:
        for name in named([NOTHING]):
            yield Case(name, port, _wait)
        for name in named(bodies.FAULTS):
            yield Case(name, port, partial(bodies.FAULTS[name], port))
        for name in named(connections.FAULTS):
            yield Case(name, port, partial(connections.FAULTS[name], port))

    keys = folder / "keys.json"
    key = _make_key(keys)
    with _service_if(named(connections.WITH_KEYS), "--keys", str(keys)) as port:
        for name in named(connections.WITH_KEYS):
            yield Case(name, port, partial(connections.WITH_KEYS[name], port), key)

    with _service_if(named(processes.FAULTS), "--hang-seconds", "10") as port:
        for name in named(processes.FAULTS):
            yield Case(name, port, partial(processes.FAULTS[name], port))

    models = folder / "models"
    shutil.copytree(servers.MODELS, models)
    arguments = ["--models", str(models), "--watch-seconds", "0.5"]
    with _service_if(named([HUNG], bundles.FAULTS), *arguments) as port:
        for name in named([HUNG]):
            yield Case(name, port, partial(processes.pipe, port, models))
        for name in named(bundles.FAULTS):
            yield Case(name, port, partial(bundles.refused, port, models, bundles.FAULTS[name]))
    if named(bundles.SIGNED):
        arguments += ["--trusted-keys", str(bundles.make_keys(folder, models))]
    with _service_if(named(bundles.SIGNED), *arguments) as port:
        for name in named(bundles.SIGNED):
            yield Case(name, port, partial(bundles.refused, port, models, bundles.SIGNED[name]))

    for name in named(processes.LAST):
        with _service_if([name]) as port:
            yield Case(name, port, partial(processes.LAST[name], port))


@contextmanager
def _service_if(wanted: list[str], *arguments: str) -> Iterator[int]:
    if not wanted:
        yield 0
        return
    with servers.service("--workers", "2", *arguments) as port:
        yield port


def _try(case: Case) -> Tried:
    before = usage.memory(servers.processes(case.port))
    if case.fault in processes.LAST:
        return Tried(case.fault, Seen(), before, *_caused(case))
    with watched(case.port, case.key) as seen:
        said, survived = _caused(case)
        time.sleep(1)
    harmless = not seen.lost or case.fault in UNAVOIDABLE
    return Tried(case.fault, seen, before, said, survived and harmless and alive(case.port))


def _caused(case: Case) -> tuple[str, bool]:
    """What a fault says of itself, and whether the service did what it should about it."""
    try:
        return case.cause(), True
    except (TimeoutError, AssertionError) as error:
        return f"{type(error).__name__}: {error}", False


def _wait() -> str:
    time.sleep(10)
    return ""


def _make_key(keys: Path) -> str:
    command = [sys.executable, "-m", "service", "keys", "--keys", str(keys), "make", "shop"]
    made = subprocess.run(command, cwd=servers.ROOT, check=True, capture_output=True, text=True)
    return made.stdout.strip()


def _circumstances() -> str:
    about = report.circumstances(Plan(), "")
    versions = f"Python {about['python']}, ONNX Runtime {about['libraries']['onnxruntime']}"
    return f"Tried on {about['date'][:10]}: {about['cpu']}, {versions}."


if __name__ == "__main__":
    sys.exit(main())
