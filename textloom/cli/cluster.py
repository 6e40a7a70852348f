"""`--engine ray`: files answered by all machines of a Ray cluster, through Ray Data.

A task reads each file, with the readers of the command, so that rows are those of one machine; actors, one for
each core, answer; tasks write FOLDER/FILE/part-000000.jsonl and so on, as the command alone would write them.
Files may lie wherever pyarrow finds them (s3://, gs://, hdfs://). Files that are done, the same command passes by.
Leaves out what a model does, how rows are read (rows.py), and how answers are written (parts.py).
"""

import os
import pickle
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

import pyarrow
import ray
from pyarrow import fs
from ray.data import ActorPoolStrategy, DataContext, Datasource, ReadTask
from ray.data.block import BlockMetadata

from textloom.cli import rows
from textloom.cli.annotate import CHUNK, answer, counted, record
from textloom.cli.arguments import Arguments
from textloom.cli.documents import KINDS as DOCUMENTS
from textloom.cli.engines import Here, checked
from textloom.cli.errors import Stop
from textloom.cli.formats import json_line
from textloom.cli.opening import Source, kind_of
from textloom.cli.parts import Output, Parts, place
from textloom.local import LocalModels

ROWS = 256
"""That a reader passes on together."""

BLOCK = 1 << 20
"""Bytes of rows that an actor takes at once: what is done again when a machine is lost."""

CORES_OF_A_READER = 8
"""Cores that a file feeds; more files are read at once where there are more."""

ANSWERING, MOVING = 0.8, 0.1
"""Cores that Ray counts for an actor, and for a task that reads or writes beside it."""


def run(arguments: Arguments) -> int:
    """Runs the command of a task on the cluster; gives the exit status. Raises Stop."""
    if arguments.output is None or arguments.texts or arguments.url or arguments.shard:
        raise Stop(
            "--engine ray reads files and writes a folder, which --output names; no --shard, no --url"
        )
    form = arguments.format or "jsonl"
    if form == "pretty":
        raise Stop(
            "--format pretty is for a terminal; --engine ray writes jsonl, csv, tsv or parquet"
        )
    local = LocalModels(
        arguments.task, model=arguments.options.get("model"), folder=arguments.models
    )
    models = checked(local, arguments.options)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray sends usage statistics by default
    ray.init(
        address=arguments.address, ignore_reinit_error=True, log_to_driver=False,
        include_dashboard=False if arguments.address is None else None,
    )  # fmt: skip
    context = DataContext.get_current()
    context.target_max_block_size = BLOCK
    context.execution_options.preserve_order = True
    context.enable_progress_bars = sys.stderr.isatty()
    cores = arguments.workers or int(ray.cluster_resources()["CPU"])
    outputs = [
        Output(arguments, source, models=models, form=form) for source in found(arguments.sources)
    ]
    _check_names(outputs)
    waiting = iter([output for output in outputs if output.begin(overwrite=arguments.overwrite)])
    bad = 0
    while group := list(islice(waiting, max(1, cores // CORES_OF_A_READER))):
        bad += _answer_files(arguments, group, form=form, cores=cores)
    return 1 if bad else 0


def _answer_files(arguments: Arguments, outputs: Sequence[Output], *, form: str, cores: int) -> int:
    """Answers these files at once; gives the number of bad rows."""
    sink = Parts({output.source.file: output.folder for output in outputs}, form)
    models = arguments.models.resolve() if arguments.models else None
    try:
        ray.data.read_datasource(
            Rows([output.source for output in outputs], arguments.column),
            num_cpus=MOVING,
            override_num_blocks=len(outputs),  # a task for each; otherwise blocks are cut up
        ).map_batches(
            Answers,
            fn_constructor_args=[replace(arguments, sources=(), models=models)],
            batch_size=None,
            batch_format="pyarrow",
            num_cpus=ANSWERING,
            compute=ActorPoolStrategy(min_size=1, max_size=cores),
        ).write_datasink(sink, ray_remote_args={"num_cpus": MOVING})
        for output in outputs:
            output.end(sink.written[output.source.file], cores=MOVING)
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and type(cause) is not Stop:  # Ray derives classes of its own
            cause = getattr(cause, "cause", None) or cause.__cause__
        raise cause or error from error
    total = 0
    for output in outputs:
        parts = sink.written[output.source.file]
        count, bad = sum(part.count for part in parts), sum(part.bad for part in parts)
        total += bad
        told = f", {bad:,} of them bad" if bad else ""
        print(f"{output.folder}: {counted(count)}{told}", file=sys.stderr)
    return total


def found(sources: Iterable[Source]) -> list[Source]:
    """The files that patterns stand for, the others as they are. Raises Stop for what is not there."""
    files = []
    for source in sources:
        system, path = place(source.file)
        scheme = source.file.removesuffix(path) if "://" in source.file else ""
        if any(sign in path for sign in "*?["):
            listed = system.get_file_info(fs.FileSelector(str(PurePosixPath(path).parent)))
            names = sorted(each.path for each in listed if fnmatchcase(each.path, path))
        else:
            names = [path]
        if not names or system.get_file_info(names[0]).type != fs.FileType.File:
            raise Stop(f"{source.file}: No such file")
        guessed = source.kind == kind_of(source.file)  # from the ending of a pattern
        files += [
            replace(source, file=scheme + name, kind=kind_of(name) if guessed else source.kind)
            for name in names
        ]
    if odd := next((each for each in files if each.kind in DOCUMENTS), None):
        raise Stop(f"{odd.file}: --engine ray answers rows, and this is a document")
    return files


def _check_names(outputs: Sequence[Output]) -> None:
    names = [output.folder for output in outputs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise Stop(f"two files would be written to {twice}; give each a name of its own")


class Rows(Datasource):
    """The rows of files, pickled: what stands in them is nothing that Arrow has to understand."""

    def __init__(self, sources: Sequence[Source], column: str | None) -> None:
        self._sources, self._column = sources, column

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[ReadTask]:
        return [
            ReadTask(
                partial(_read, source, self._column),
                BlockMetadata(
                    num_rows=None, size_bytes=None, input_files=[source.file], exec_stats=None
                ),
            )
            for source in self._sources
        ]


def _read(source: Source, column: str | None) -> Iterator[pyarrow.Table]:
    system, path = place(source.file)
    with system.open_input_file(path) as stream:
        found = rows.read(replace(source, stream=stream), column)
        while some := list(islice(found, ROWS)):
            pickled = [pickle.dumps(row) for row in some]
            yield pyarrow.table({"file": [source.file] * len(some), "row": pickled})


class Answers:
    """The models in an actor: rows in, lines out."""

    def __init__(self, arguments: Arguments) -> None:
        self._arguments = arguments
        self._engine = Here(arguments.models, arguments.task, arguments.options)

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        given = map(pickle.loads, batch["row"].to_pylist())
        answered = list(answer(given, self._engine, CHUNK))
        lines = [json_line(record(self._arguments, *each)) for each in answered]
        bad = [bool(problem) for _, _, problem in answered]
        return pyarrow.table(
            {"file": batch["file"], "line": pyarrow.array(lines, pyarrow.string()), "bad": bad}
        )
