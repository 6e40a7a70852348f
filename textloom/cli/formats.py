"""Turns records, given as JSON lines, into what a file may hold: JSON lines, a table (CSV, tabs) or Parquet.

Records may have different columns, so a format first finds the columns of all lines, then writes. Where lines
lie in several files, the columns of each are joined before any is written: all then have the columns of one file
with all lines. Leaves out where lines come from and go to (writing.py, parts.py).
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO, Protocol

BATCH = 10_000
"""Records that are in memory at once, for Parquet."""


class Unfit(Exception):
    """Records that a format cannot hold."""


class Format(Protocol):
    def columns(self, lines: Iterable[bytes]) -> Any:
        """The columns of lines. Raises Unfit."""

    def join(self, found: Sequence[Any]) -> Any:
        """The columns of all lines, of those that `columns` gave for each part of them. Raises Unfit."""

    def write(self, lines: Iterable[bytes], columns: Any, out: BinaryIO) -> None:
        """Lines, with joined columns. Raises Unfit."""


class Lines:
    """Lines as they are: each has columns of its own."""

    def columns(self, lines: Iterable[bytes]) -> None:
        return None

    def join(self, found: Sequence[None]) -> None:
        return None

    def write(self, lines: Iterable[bytes], columns: None, out: BinaryIO) -> None:
        out.writelines(lines)


class Table:
    """Columns in the order in which they appear, `error` last; lists and objects as JSON."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter

    def columns(self, lines: Iterable[bytes]) -> list[str]:
        found: dict[str, None] = {}
        for record in map(json.loads, lines):
            found.update(dict.fromkeys(record))
        return list(found)

    def join(self, found: Sequence[list[str]]) -> list[str]:
        names = dict.fromkeys(name for part in found for name in part)
        names.pop("error", None)
        return [*names, "error"]

    def write(self, lines: Iterable[bytes], columns: list[str], out: BinaryIO) -> None:
        text = io.TextIOWrapper(out, "utf-8", newline="")
        writer = csv.writer(text, delimiter=self._delimiter)
        writer.writerow(columns)
        for record in map(json.loads, lines):
            writer.writerow([cell(record.get(name)) for name in columns])
        text.detach()  # flushes; otherwise it would close `out`


class Parquet:
    """Columns of types that hold all values, `error` last."""

    def columns(self, lines: Iterable[bytes]) -> Any:
        import pyarrow

        try:
            return self._unified(
                pyarrow.Table.from_pylist(batch).schema for batch in _batches(lines)
            )
        except (pyarrow.ArrowException, OverflowError) as error:
            raise Unfit(f"cannot be converted to Parquet: {error}") from error

    def join(self, found: Sequence[Any]) -> Any:
        import pyarrow

        try:
            schema = self._unified(found)
        except pyarrow.ArrowException as error:
            raise Unfit(f"cannot be converted to Parquet: {error}") from error
        # the names of scores are those of the model's labels; `error` stands last
        return schema.remove(0).append(schema.field(0))

    def write(self, lines: Iterable[bytes], columns: Any, out: BinaryIO) -> None:
        import pyarrow
        from pyarrow import parquet

        try:
            with parquet.ParquetWriter(out, columns, compression="zstd") as writer:
                for batch in _batches(lines):
                    writer.write_table(pyarrow.Table.from_pylist(batch, columns))
        except pyarrow.ArrowException as error:
            raise Unfit(f"cannot be converted to Parquet: {error}") from error

    def _unified(self, schemas: Iterable[Any]) -> Any:
        """One for all, `error` first."""
        import pyarrow

        found = pyarrow.schema([("error", pyarrow.string())])
        for schema in schemas:
            found = pyarrow.unify_schemas([found, schema], promote_options="permissive")
        return found


FORMATS: dict[str, Format] = {
    "jsonl": Lines(),
    "csv": Table(","),
    "tsv": Table("\t"),
    "parquet": Parquet(),
}


def _batches(lines: Iterable[bytes]) -> Iterator[list[dict[str, Any]]]:
    records = map(json.loads, lines)
    while batch := list(islice(records, BATCH)):
        names = dict.fromkeys(name for record in batch for name in record)
        yield [{name: record.get(name) for name in names} for record in batch]


def json_line(record: Any) -> str:
    """One line; what JSON has no word for, as a date of Parquet's, becomes text."""
    return _clean(json.dumps(record, ensure_ascii=False, default=str))


def cell(value: Any) -> Any:
    """What stands in a table for a value."""
    if isinstance(value, list | dict):
        return json_line(value)
    return "" if value is None else _clean(value) if isinstance(value, str) else value


def _clean(text: str) -> str:
    """Half a character, or what was no UTF-8, becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
