"""Reads rows, each with a text, from lines, CSV, JSON lines or Parquet, one after the other.

Nothing is held in memory but the row at hand. A row that cannot be read says so and is followed by the next one.
"""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from textloom.cli.errors import Stop

csv.field_size_limit(1 << 30)


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    """Of its line; of a Parquet file, of its row; from 1."""
    fields: Mapping[str, Any]
    """Everything that stood in it."""
    text: str = ""
    problem: str = ""
    """Why it has no text."""


def read(file: str, column: str | None) -> Iterator[Row]:
    """The rows of a file, whose ending says what it is. Raises Stop if it cannot be opened."""
    if file == "-":
        return _lines(sys.stdin.buffer)
    return _reader(file)(file, column)


def count(file: str) -> int | None:
    """How many rows there are, as far as can be told without reading them all as such."""
    if not Path(file).is_file():  # standard input, or a pipe, which can be read only once
        return None
    if file.endswith(".parquet"):
        rows: int = _parquet_file(file).metadata.num_rows
        return rows
    with _open(file) as lines:
        if file.endswith(".csv"):
            return max(0, sum(1 for _ in csv.reader(_decoded(lines))) - 1)
        return sum(1 for _ in lines)


def _reader(file: str) -> Callable[[str, str | None], Iterator[Row]]:
    match Path(file).suffix.lower():
        case ".csv":
            return _csv
        case ".jsonl" | ".ndjson":
            return _jsonl
        case ".parquet":
            return _parquet
        case ".json":
            raise Stop(f"{file}: JSON is read line by line, from a file that ends in .jsonl")
    return _text


def _text(file: str, column: str | None) -> Iterator[Row]:
    if column is not None:
        raise Stop(f"--column {column}: {file} is read as plain lines, which have no columns")
    with _open(file) as lines:
        yield from _lines(lines)


def _lines(lines: Iterable[bytes]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        raw = line.removesuffix(b"\n").removesuffix(b"\r")
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            readable = raw.decode("utf-8", "replace")
            problem = f"not UTF-8: byte {error.start} is wrong"
            yield Row(number, {"line": number, "text": readable}, problem=problem)
        else:
            yield Row(number, {"line": number, "text": text}, text)


def _csv(file: str, column: str | None) -> Iterator[Row]:
    with _open(file) as lines:
        reader = csv.reader(_decoded(lines), strict=True)
        header = next(reader, [])
        name = _known(file, column, header)
        if len(set(header)) < len(header):
            raise Stop(f"{file}: two columns have the same name")
        while True:
            number = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(number, {}, problem=f"not CSV: {error}")
                continue
            if not cells:
                continue
            fields = dict(zip(header, cells, strict=False))
            if len(cells) != len(header):
                problem = f"{len(cells)} columns in place of {len(header)}"
                yield Row(number, fields, problem=problem)
            else:
                yield _row(number, fields, name)


def _jsonl(file: str, column: str | None) -> Iterator[Row]:
    with _open(file) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield Row(number, {}, problem=f"not JSON: {error}")
                continue
            if isinstance(fields, dict):
                yield _row(number, fields, column or "text")
            else:
                yield Row(number, {}, problem="not a JSON object")


def _parquet(file: str, column: str | None) -> Iterator[Row]:
    parquet = _parquet_file(file)
    name = _known(file, column, parquet.schema_arrow.names)
    number = 0
    for batch in parquet.iter_batches(batch_size=1024):
        for fields in batch.to_pylist():
            number += 1
            yield _row(number, fields, name)


def _parquet_file(file: str) -> Any:
    import pyarrow
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(file)
    except (OSError, pyarrow.ArrowException) as error:
        raise Stop(f"{file}: {error}") from error


def _row(number: int, fields: dict[str, Any], column: str) -> Row:
    text = fields.get(column)
    if not isinstance(text, str):
        problem = f"{column!r} is no text" if column in fields else f"there is no {column!r}"
        return Row(number, fields, problem=problem)
    try:
        text.encode()
    except UnicodeEncodeError:
        return Row(number, fields, problem="not UTF-8, or half a character")
    return Row(number, fields, text)


def _known(file: str, column: str | None, names: Iterable[str]) -> str:
    known = list(names)
    if (column or "text") in known:
        return column or "text"
    listed = ", ".join(known) or "none"
    raise Stop(f"{file} has no column {column or 'text'!r}; name one with --column: {listed}")


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    """Lines for the csv module; what is not UTF-8 becomes surrogates, which `_row` finds."""
    for number, line in enumerate(lines):
        text = line.decode("utf-8", "surrogateescape")
        yield text.removeprefix("\ufeff") if number == 0 else text


def _open(file: str) -> BinaryIO:
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise Stop(f"{file}: {error.strerror}") from error
