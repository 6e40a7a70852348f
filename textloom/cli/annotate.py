"""`textloom ner` and the commands of the other tasks: rows in, answers beside them out, in the order of the rows.

A few lists of texts are under way at any time, no more: a million rows need no more memory than a thousand.
"""

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from itertools import chain, islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from textloom.cli import engines, rows, writing
from textloom.cli.arguments import Arguments
from textloom.cli.columns import columns
from textloom.cli.engines import Answers, Engine, blame, uninterrupted
from textloom.cli.errors import Stop
from textloom.cli.opening import Source
from textloom.cli.rows import Row
from textloom.cli.terminal import View

CHUNK = 64
"""Texts that go to a process, or to the server, together."""

NAMED = 20
"""Bad lines that are reported one by one; of more only the number is told."""


def run(arguments: Arguments) -> int:
    """Runs the command of a task on rows; gives the exit status."""
    typing = [each.file for each in arguments.sources] == ["-"] and sys.stdin.isatty()
    source = _rows(arguments)
    few = [] if typing else list(islice(source, CHUNK))
    small = typing or len(few) < CHUNK
    source = chain(few, source)
    engine = engine_of(arguments, arguments.options, small=small)
    form = arguments.format or ("pretty" if sys.stdout.isatty() else "jsonl")
    drawn = sys.stderr.isatty() and (arguments.output is not None or form != "pretty")
    total = _total(arguments) if drawn else None
    bar = progress(total, drawn=drawn)
    report = Report(bar)
    try:
        if arguments.output:
            sink: Any = writing.open_output(
                arguments.output,
                fingerprint={
                    "task": arguments.task, "options": dict(arguments.options),
                    "column": arguments.column, "models": engine.models,
                    "shard": arguments.shard, "files": [*map(_file_identity, arguments.sources)],
                    "texts": list(arguments.texts),
                },
                overwrite=arguments.overwrite,
            )  # fmt: skip
        else:
            sink = View(arguments.task) if form == "pretty" else writing.stream(form, sys.stdout)
        with sink:
            done = sink.done
            bar.update(done)
            answered = answer(islice(source, done, None), engine, 1 if typing else CHUNK)
            for row, result, problem in answered:
                sink.write(record(arguments, row, result, problem), row)
                report.add(row.place, problem)
        return report.end(arguments.output, done)
    finally:
        engine.close()
        bar.close()


def _rows(arguments: Arguments) -> Iterator[Row]:
    """Of all sources, one after the other; of several, each with the name of its file."""
    if arguments.texts:
        found = rows.texts(arguments.texts)
    elif len(arguments.sources) == 1:
        found = rows.read(arguments.sources[0], arguments.column)
    else:
        found = chain.from_iterable(
            (row.of(source.file) for row in rows.read(source, arguments.column))
            for source in arguments.sources
        )
    number, parts = arguments.shard or (1, 1)
    return islice(found, number - 1, None, parts)


def progress(total: int | None, *, drawn: bool) -> Any:
    return tqdm(total=total, unit=" texts", dynamic_ncols=True, disable=not drawn, smoothing=0.1)


def _total(arguments: Arguments) -> int | None:
    counts = [rows.count(source) for source in arguments.sources]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        return None
    return (sum(known) + len(arguments.texts)) // (arguments.shard or (1, 1))[1]


def answer(
    source: Iterable[Row], engine: Engine, size: int
) -> Iterator[tuple[Row, dict[str, Any], str]]:
    """Each row with its answer, or with what is wrong with it, in order."""
    source = iter(source)
    waiting: deque[tuple[list[Row], Future[Answers] | None]] = deque()
    ahead = 0 if size == 1 else 2 * engine.workers
    while chunk := list(islice(source, size)):
        good = [row for row in chunk if not row.problem]
        with uninterrupted():
            asked = engine.ask([row.text for row in good]) if good else None
        waiting.append((chunk, asked))
        if len(waiting) > ahead:
            yield from _collect(*waiting.popleft(), engine)
    while waiting:
        yield from _collect(*waiting.popleft(), engine)


def _collect(
    chunk: list[Row], asked: "Future[Answers] | None", engine: Engine
) -> Iterator[tuple[Row, dict[str, Any], str]]:
    good = [row for row in chunk if not row.problem]
    try:
        with uninterrupted():
            results: Iterator[Any] = iter(asked.result() if asked else ())
    except Exception as error:  # noqa: BLE001  whose fault it is, the texts one by one will tell
        if len(good) == 1:
            results = iter([blame(error)])
        else:
            blame(error)
            results = (_alone(row, engine) for row in good)
    for row in chunk:
        result = row.problem or next(results)
        yield (row, {}, result) if isinstance(result, str) else (row, result, "")


def _alone(row: Row, engine: Engine) -> dict[str, Any] | str:
    try:
        with uninterrupted():
            return engine.ask([row.text]).result()[0]
    except Exception as error:  # noqa: BLE001  the others go on
        return blame(error)


def engine_of(arguments: Arguments, options: Any, *, small: bool) -> Engine:
    """What answers with these options; small: a few texts, for which no process is worth its start."""
    workers, task = arguments.workers, arguments.task
    if arguments.url:
        return engines.Remote(arguments.url, task, options, workers or 4)
    if small and not workers:
        return engines.Here(arguments.models, task, options)
    workers = workers or engines.cores()
    if workers == 1:
        return engines.Here(arguments.models, task, options)
    return engines.Processes(arguments.models, task, options, workers)


def record(arguments: Arguments, row: Row, result: dict[str, Any], problem: str) -> dict[str, Any]:
    """What is written for a row: its own columns, and those of the answer."""
    if arguments.redacts:  # a row without an answer shows nothing of its text
        redacted = {**row.fields, row.column: result.get("redacted")}
        return {**redacted, "error": problem} if problem else redacted
    found = columns(arguments.task, result)
    if problem:
        found["error"] = problem
    taken = found.keys() & row.fields.keys()
    if taken:
        raise Stop(f"line {row.number} has a column {taken.pop()!r} already; rename it")
    return {**row.fields, **found}


def identity(source: Source) -> dict[str, Any]:
    """What distinguishes two ways of reading one file."""
    return {"kind": source.kind, "encoding": source.encoding, "delimiter": source.delimiter}


def _file_identity(source: Source) -> dict[str, Any]:
    """What tells a file from another one, or from itself after a change, or read otherwise."""
    read = identity(source)
    if source.file == "-":
        return {"file": source.file, **read}
    path = Path(source.file).resolve()
    status = path.stat()
    return {"file": str(path), "size": status.st_size, "changed": status.st_mtime_ns, **read}


def counted(texts: int) -> str:
    """
    >>> counted(1), counted(2000)
    ('1 text', '2,000 texts')
    """
    return f"{texts:,} text{'' if texts == 1 else 's'}"


class Report:
    """Counts the rows and names those that are bad, on standard error."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._rows = self._bad = 0

    def add(self, place: str, problem: str) -> None:
        self._rows += 1
        self._bar.update()
        if problem:
            self._bad += 1
            if self._bad <= NAMED:
                tqdm.write(f"textloom: {place}: {problem}", file=sys.stderr)

    def end(self, output: Path | None, before: int) -> int:
        self._bar.close()
        if self._bad > NAMED:
            print(f"textloom: {self._bad:,} bad lines in total", file=sys.stderr)
        if output:
            resumed = f", {before:,} of them from an earlier run" if before else ""
            print(f"{output}: {counted(before + self._rows)}{resumed}", file=sys.stderr)
        return 1 if self._bad else 0
