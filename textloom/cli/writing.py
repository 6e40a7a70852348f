"""Writes records: to standard output as they come, or to a file that is there only once it is complete.

Until then the records lie as JSON lines in `FILE.part`, whose first line tells which run they belong to. A run
that was broken off goes on behind its last whole line. At the end the lines become what the file's ending says.
"""

import csv
import gzip
import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Self, TextIO

from textloom.cli.errors import Stop
from textloom.cli.formats import FORMATS, Unfit, cell, json_line
from textloom.cli.opening import PACKED, ending
from textloom.cli.rows import Row

SYNC_EVERY = 256
"""Records after which the file is handed to the operating system."""


ENDINGS = tuple(f".{name}" for name in FORMATS)
"""Of files that hold rows; all but Parquet may be packed."""


def stream(form: str, file: TextIO) -> "JsonLines | Csv":
    return JsonLines(file) if form == "jsonl" else Csv(file)


def open_output(path: Path, *, fingerprint: dict[str, Any], overwrite: bool) -> "Output":
    """Raises Stop if the file is there already, or cannot be written."""
    if ending(path.name) not in ENDINGS:
        raise Stop(
            f"{path}: its extension must be .jsonl, .csv, .tsv or .parquet (or .jsonl.gz, .csv.xz ...)"
        )
    if path.suffix.lower() in PACKED and ending(path.name) == ".parquet":
        raise Stop(f"{path}: Parquet is compressed already; its extension must be .parquet")
    if not path.parent.is_dir():
        raise Stop(f"{path}: there is no folder {path.parent}")
    part = path.with_name(path.name + ".part")
    if overwrite:
        part.unlink(missing_ok=True)
    elif path.exists():
        raise Stop(f"{path} already exists; use --overwrite to replace it")
    try:
        return Output(path, part, fingerprint)
    except OSError as error:
        raise Stop(f"{part}: {error.strerror}") from error


class JsonLines:
    """JSON lines on standard output."""

    done = 0

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, record: dict[str, Any], row: Row) -> None:
        self._file.write(json_line(record) + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.flush()


class Csv(JsonLines):
    """CSV on standard output. The first row decides on the columns."""

    _columns: list[str] | None = None

    def write(self, record: dict[str, Any], row: Row) -> None:
        writer = csv.writer(self._file)
        if self._columns is None:
            self._columns = [*(name for name in record if name != "error"), "error"]
            writer.writerow(self._columns)
        unknown = record.keys() - set(self._columns)
        if unknown:
            raise Stop(
                f"line {row.number} has a column {unknown.pop()!r} that the first one does not have; use --output"
            )
        writer.writerow([cell(record.get(name)) for name in self._columns])


class Output:
    """A file in the making. Leaving it without an error completes it."""

    def __init__(self, path: Path, part: Path, fingerprint: dict[str, Any]) -> None:
        self._path, self._part = path, part
        head = json.dumps({"run": fingerprint}).encode() + b"\n"
        self._file = part.open("a+b")
        self.done = 0
        self._file.seek(0)
        first = self._file.readline()
        if first and first != head and first.endswith(b"\n"):
            self._file.close()
            raise Stop(f"{part} belongs to another run; remove it, or use --overwrite")
        end = len(first) if first == head else 0
        if end:
            for line in self._file:
                if line.endswith(b"\n"):
                    end += len(line)
                    self.done += 1
        self._file.truncate(end)
        if not end:
            self._file.write(head)

    def write(self, record: dict[str, Any], row: Row) -> None:
        self._file.write(json_line(record).encode() + b"\n")
        self.done += 1
        if self.done % SYNC_EVERY == 0:
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if kind is None:
            self._finish()

    def _finish(self) -> None:
        whole = self._path.with_name(self._path.name + ".whole")
        form = FORMATS[ending(self._path.name)[1:]]
        try:
            columns = form.join([form.columns(self._lines())])
            with self._packing(whole) as out:
                form.write(self._lines(), columns, out)
        except Unfit as error:
            whole.unlink(missing_ok=True)
            raise Stop(f"{self._part} {error}; it contains JSON lines") from error
        whole.replace(self._path)
        self._part.unlink()

    def _lines(self) -> Iterator[bytes]:
        with self._part.open("rb") as lines:
            next(lines)
            yield from lines

    def _packing(self, whole: Path) -> BinaryIO:
        """The file, packed as its name says."""
        openers: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open}
        opener = openers.get(self._path.suffix.lower(), open)
        file: BinaryIO = opener(whole, "wb")
        return file
