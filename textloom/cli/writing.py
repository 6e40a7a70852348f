"""Writes records: to standard output as they come, or to a file that is there only once it is complete.

Until then the records lie as JSON lines in `FILE.part`, whose first line tells which run they belong to. A run
that was broken off goes on behind its last whole line. At the end the lines become what the file's ending says.
"""

import csv
import gzip
import json
import lzma
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Self, TextIO

from textloom.cli.errors import Stop
from textloom.cli.opening import ending
from textloom.cli.rows import Row

SYNC_EVERY = 256
"""Records after which the file is handed to the operating system."""


ENDINGS = (".jsonl", ".csv", ".tsv", ".parquet")
"""Of files that hold rows; the first three may be packed."""


def stream(form: str, file: TextIO) -> "JsonLines | Csv":
    return JsonLines(file) if form == "jsonl" else Csv(file)


def open_output(path: Path, *, fingerprint: dict[str, Any], overwrite: bool) -> "Output":
    """Raises Stop if the file is there already, or cannot be written."""
    if ending(path.name) not in ENDINGS:
        raise Stop(
            f"{path}: end it in .jsonl, .csv, .tsv or .parquet; the first three also in .gz or .xz"
        )
    part = path.with_name(path.name + ".part")
    if overwrite:
        part.unlink(missing_ok=True)
    elif path.exists():
        raise Stop(f"{path} is there already; --overwrite replaces it")
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
                f"line {row.number} has a column {unknown.pop()!r} that the first has not; use --output"
            )
        writer.writerow([_cell(record.get(name)) for name in self._columns])


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
            raise Stop(f"{part} is of another run; remove it, or use --overwrite")
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
        match ending(self._path.name):
            case ".csv":
                self._write_table(whole, ",")
            case ".tsv":
                self._write_table(whole, "\t")
            case ".parquet":
                self._write_parquet(whole)
            case _:
                with self._packing(whole) as out:
                    out.writelines(map(bytes.decode, self._lines()))
        whole.replace(self._path)
        self._part.unlink()

    def _lines(self) -> Iterator[bytes]:
        with self._part.open("rb") as lines:
            next(lines)
            yield from lines

    def _records(self) -> Iterator[dict[str, Any]]:
        return map(json.loads, self._lines())

    def _packing(self, whole: Path) -> TextIO:
        """The file, packed as its name says."""
        openers: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open}
        opener = openers.get(self._path.suffix.lower(), open)
        file: TextIO = opener(whole, "wt", encoding="utf-8", newline="")
        return file

    def _write_table(self, whole: Path, delimiter: str) -> None:
        columns: dict[str, None] = {}
        for record in self._records():
            columns.update(dict.fromkeys(record))
        columns.pop("error", None)
        names = [*columns, "error"]
        with self._packing(whole) as out:
            writer = csv.writer(out, delimiter=delimiter)
            writer.writerow(names)
            writer.writerows(
                [_cell(record.get(name)) for name in names] for record in self._records()
            )

    def _write_parquet(self, whole: Path) -> None:
        import pyarrow
        from pyarrow import parquet

        try:
            schema = pyarrow.schema([("error", pyarrow.string())])
            for batch in self._batches():
                found = [schema, pyarrow.Table.from_pylist(batch).schema]
                schema = pyarrow.unify_schemas(found, promote_options="permissive")
            # the names of scores are those of the model's labels; `error` stands last
            schema = schema.remove(0).append(schema.field(0))
            with parquet.ParquetWriter(whole, schema, compression="zstd") as out:
                for batch in self._batches():
                    out.write_table(pyarrow.Table.from_pylist(batch, schema))
        except pyarrow.ArrowException as error:
            whole.unlink(missing_ok=True)
            raise Stop(
                f"{self._part} cannot become Parquet: {error}; it is JSON lines as it is"
            ) from error

    def _batches(self) -> Iterator[list[dict[str, Any]]]:
        records = self._records()
        while batch := list(islice(records, 10_000)):
            names = dict.fromkeys(name for record in batch for name in record)
            yield [{name: record.get(name) for name in names} for record in batch]


def json_line(record: Any) -> str:
    """One line; what JSON has no word for, as a date of Parquet's, becomes text."""
    return _clean(json.dumps(record, ensure_ascii=False, default=str))


def _cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        return json_line(value)
    return "" if value is None else _clean(value) if isinstance(value, str) else value


def _clean(text: str) -> str:
    """Half a character, or what was no UTF-8, becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
