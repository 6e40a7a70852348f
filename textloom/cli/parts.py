"""Writes the answers of `--engine ray`: a folder for each file, with parts that tasks of the cluster write.

Answers are JSON lines. Parts in another format are made in two steps, as the command on one machine makes its
file: the lines of each part first, in `_part-000000.jsonl`, and when all columns are known, `part-000000.parquet`
from them, by a task for each. When a file is done, its folder holds `_SUCCESS`. Leaves out what is in a format
(formats.py) and how answers are found (cluster.py).
"""

import io
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow
import ray
from pyarrow import fs
from ray.data import Datasink

from textloom.cli.annotate import identity
from textloom.cli.arguments import Arguments
from textloom.cli.errors import Stop
from textloom.cli.formats import FORMATS, Unfit
from textloom.cli.opening import Source

DONE = "_SUCCESS"
"""File that says that all parts are there, as Hadoop and Spark call it."""

PART = 50_000
"""Rows in a file that is written, at least, but for the last."""


def place(name: str) -> tuple[fs.FileSystem, str]:
    """The file system of a name, and the name there."""
    found: tuple[fs.FileSystem, str] = fs.FileSystem.from_uri(absolute(name))
    return found


def absolute(name: str) -> str:
    """A name that means the same in every process."""
    return name.rstrip("/") if "://" in name else str(Path(name).resolve())


@dataclass(frozen=True)
class Part:
    """What a task wrote of the answers of a file."""

    name: str
    count: int
    bad: int
    columns: Any
    """As its format found them."""


class Output:
    """The folder of a file's answers. form: a name in FORMATS."""

    def __init__(
        self, arguments: Arguments, source: Source, *, models: Sequence[str], form: str
    ) -> None:
        self.source = source
        self.folder = f"{absolute(arguments.folder)}/{PurePosixPath(source.file).name}"
        self._form = form
        self._system, self._path = place(self.folder)
        system, path = place(source.file)
        status = system.get_file_info(path)
        run = {
            "task": arguments.task, "options": dict(arguments.options), "column": arguments.column,
            "models": list(models), "format": form,
            "file": source.file, "size": status.size, "changed": str(status.mtime),
            **identity(source),
        }  # fmt: skip
        self._run = json.dumps(run).encode()

    def begin(self, *, overwrite: bool) -> bool:
        """Whether there is something to do; then nothing is left of what was not done to its end. Raises Stop."""
        marker = f"{self._path}/{DONE}"
        if not overwrite and self._system.get_file_info(marker).type == fs.FileType.File:
            with self._system.open_input_stream(marker) as file:
                if file.read() != self._run:
                    raise Stop(f"{self.folder} is of another run; --overwrite replaces it")
            return False
        self._system.create_dir(self._path)
        self._system.delete_dir_contents(self._path)
        return True

    def end(self, parts: Sequence[Part], *, cores: float) -> None:
        """Gives all parts their format; cores: what Ray counts for a task that does. Raises Stop."""
        if self._form != "jsonl":
            try:
                columns = FORMATS[self._form].join([part.columns for part in parts])
            except Unfit as error:
                raise Stop(_unfit(self.folder, error)) from error
            convert = ray.remote(num_cpus=cores)(_convert)
            shared = ray.put(columns)
            ray.get([convert.remote(self.folder, part.name, self._form, shared) for part in parts])
            for part in parts:
                self._system.delete_file(f"{self._path}/{lines_of(part.name)}")
        with self._system.open_output_stream(f"{self._path}/{DONE}") as file:
            file.write(self._run)


class Parts(Datasink[dict[str, Part]]):
    """Lines to the folder of their file. written: the parts of each file, in order."""

    def __init__(self, folders: dict[str, str], form: str) -> None:
        self._folders = folders
        self._form = form
        self.written: dict[str, list[Part]] = {file: [] for file in folders}

    @property
    def min_rows_per_write(self) -> int:
        return PART

    def write(self, blocks: Iterable[pyarrow.Table], ctx: Any) -> dict[str, Part]:
        lines: dict[str, list[bytes]] = defaultdict(list)
        bad: dict[str, int] = defaultdict(int)
        for block in blocks:
            for each in block.to_pylist():
                lines[each["file"]].append(each["line"].encode() + b"\n")
                bad[each["file"]] += each["bad"]
        name = f"part-{ctx.task_idx:06d}"
        return {
            file: Part(name, len(own), bad[file], self._write(self._folders[file], name, own))
            for file, own in lines.items()
        }

    def _write(self, folder: str, name: str, lines: list[bytes]) -> Any:
        """The columns of these lines."""
        system, path = place(folder)
        final = f"{name}.jsonl" if self._form == "jsonl" else lines_of(name)
        with system.open_output_stream(f"{path}/{final}") as out:
            out.write(b"".join(lines))
        try:
            return FORMATS[self._form].columns(lines)
        except Unfit as error:
            raise Stop(_unfit(folder, error)) from error

    def on_write_complete(self, write_result: Any) -> None:
        for found in write_result.write_returns:
            for file, part in found.items():
                self.written[file].append(part)
        for parts in self.written.values():
            parts.sort(key=lambda part: part.name)


def lines_of(name: str) -> str:
    """The file with the lines of a part, which readers of folders pass by for its underscore."""
    return f"_{name}.jsonl"


def _convert(folder: str, name: str, form: str, columns: Any) -> None:
    """Writes a part from its lines."""
    system, path = place(folder)
    with (
        io.BufferedReader(system.open_input_file(f"{path}/{lines_of(name)}")) as lines,
        system.open_output_stream(f"{path}/{name}.{form}") as out,
    ):
        try:
            FORMATS[form].write(lines, columns, out)
        except Unfit as error:
            raise Stop(_unfit(folder, error)) from error


def _unfit(folder: str, error: Unfit) -> str:
    return f"{folder} {error}; use --format jsonl"
