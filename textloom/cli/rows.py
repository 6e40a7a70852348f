"""Reads rows, each with a text, from lines, tables (CSV, tabs), JSON or Parquet, one after the other.

Nothing is held in memory but the row at hand, unless a file is one JSON array. A row that cannot be read says so
and is followed by the next one. Leaves out opening and decoding (opening.py) and documents (documents/).
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from textloom.cli import documents
from textloom.cli.delimiters import delimiter_of
from textloom.cli.errors import Stop
from textloom.cli.opening import Source

csv.field_size_limit(1 << 30)


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    """Of its line; of a Parquet file or a JSON array, of its row; from 1."""
    fields: Mapping[str, Any]
    """Everything that stood in it."""
    text: str = ""
    problem: str = ""
    """Why it has no text."""
    column: str = "text"
    """Where in `fields` the text stands."""
    file: str = ""
    """Where it stood, if there are several."""

    @property
    def place(self) -> str:
        return f"{self.file}, line {self.number}" if self.file else f"line {self.number}"

    @classmethod
    def of_text(cls, number: int, text: str, file: str) -> "Row":
        """A text of a document, whose line is `number`."""
        return replace(_row(number, {"line": number, "text": text}, "text"), file=file)

    def of(self, file: str) -> "Row":
        """With the name of its file, also as a column. Raises Stop if it has such a column already."""
        if "file" in self.fields:
            raise Stop(
                f"{file} has a column 'file' already, which is needed for several files; rename it"
            )
        return replace(self, fields={"file": file, **self.fields}, file=file)


def read(source: Source, column: str | None) -> Iterator[Row]:
    """The rows of what is no document. Raises Stop if it cannot be opened, or has no such column."""
    match source.kind:
        case "csv" | "tsv":
            return _table(source, column)
        case "jsonl":
            return _json_lines(source, column)
        case "json":
            return _json(source, column)
        case "parquet":
            return _parquet(source, column)
    if source.kind in documents.KINDS:
        return _document(source)
    if column is not None:
        hint = "; use --input-format if it is a table" if source.file == "-" else ""
        raise Stop(f"--column: {source.name} is read as plain lines, which have no columns{hint}")
    return _lines(source)


def texts(given: Iterable[str]) -> Iterator[Row]:
    """Texts of the command line as rows."""
    for number, text in enumerate(given, 1):
        yield _row(number, {"text": text}, "text")


def count(source: Source) -> int | None:
    """How many rows there are, as far as can be told without reading them as such."""
    if source.kind == "parquet" and source.file != "-":
        rows: int = parquet_file(source).metadata.num_rows
        return rows
    # standard input or a pipe can be read only once
    if not Path(source.file).is_file() or source.kind in (*documents.KINDS, "json"):
        return None
    if source.kind in ("csv", "tsv"):
        with source.text(newline="") as (lines, _):
            return max(0, sum(1 for _ in csv.reader(lines)) - 1)
    with source.text() as (lines, _):
        return sum(1 for _ in lines)


def _document(source: Source) -> Iterator[Row]:
    """Its texts, where they are not to be put back."""
    with source.text(newline="") as (content, _):
        found = documents.read(source, content.read())
        for line, text in zip(found.lines, found.texts, strict=True):
            yield _row(line, {"line": line, "text": text}, "text")


def _lines(source: Source) -> Iterator[Row]:
    with source.text() as (lines, _):
        for number, line in enumerate(lines, 1):
            text = line.removesuffix("\n")
            yield _row(number, {"line": number, "text": text}, "text")


def _table(source: Source, column: str | None) -> Iterator[Row]:
    with source.text(newline="") as (lines, sample):
        lines_read, delimiter = _announced(lines)
        if delimiter:
            sample = sample.partition("\n")[2]
        delimiter = source.delimiter or delimiter or ("\t" if source.kind == "tsv" else None)
        reader = csv.reader(
            chain(lines_read, lines), strict=True, delimiter=delimiter or delimiter_of(sample)
        )
        skipped = 0 if lines_read else 1
        header = next(reader, [])
        name = _known(source.name, column, header)
        if len(set(header)) < len(header):
            raise Stop(f"{source.name}: two columns have the same name")
        while True:
            number = reader.line_num + 1 + skipped
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
                problem = f"{len(cells)} columns instead of {len(header)}"
                yield Row(number, fields, problem=problem, column=name)
            else:
                yield _row(number, fields, name)


def _announced(lines: TextIO) -> tuple[list[str], str | None]:
    """The first line, or if it is `sep=;` (Excel's), none and the delimiter."""
    first = lines.readline()
    start, sign, rest = first.partition("=")
    if sign and start.strip().lower() == "sep" and len(rest.strip("\r\n")) == 1:
        return [], rest[0]
    return [first] if first else [], None


def _json_lines(source: Source, column: str | None) -> Iterator[Row]:
    with source.text() as (lines, _):
        yield from _objects(lines, column)


def _objects(lines: Iterable[str], column: str | None) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Row(number, {}, problem=f"not JSON: {_cause(error, place='column {0.colno}')}")
            continue
        yield _object(number, fields, column or "text")


def _json(source: Source, column: str | None) -> Iterator[Row]:
    """An array of objects or of texts; or what are lines of JSON, whatever the file is called."""
    with source.text() as (lines, sample):
        if not sample.lstrip().startswith("["):
            yield from _objects(lines, column)
            return
        try:
            found = json.load(lines)
        except (ValueError, RecursionError) as error:
            cause = _cause(error, place="line {0.lineno}, column {0.colno}")
            raise Stop(f"{source.name} is not JSON: {cause}") from error
        for number, fields in enumerate(found, 1):
            if isinstance(fields, str) and column is None:
                fields = {"text": fields}
            yield _object(number, fields, column or "text")


def _cause(error: Exception, place: str) -> str:
    """What is wrong with JSON, and where."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at {place.format(error)}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _object(number: int, fields: Any, column: str) -> Row:
    if isinstance(fields, dict):
        return _row(number, fields, column)
    return Row(number, {}, problem="not a JSON object", column=column)


def _parquet(source: Source, column: str | None) -> Iterator[Row]:
    parquet = parquet_file(source)
    name = _known(source.name, column, parquet.schema_arrow.names)
    number = 0
    for batch in parquet.iter_batches(batch_size=1024):
        for fields in batch.to_pylist():
            number += 1
            yield _row(number, fields, name)


def parquet_file(source: Source) -> Any:
    """A file opened as Parquet. Raises Stop."""
    import pyarrow
    from pyarrow import parquet

    if source.file == "-":
        raise Stop("Parquet is read from a file, not from standard input")
    try:
        return parquet.ParquetFile(source.stream or source.file)
    except (OSError, pyarrow.ArrowException) as error:
        raise Stop(f"{source.name}: {error}") from error


def _row(number: int, fields: dict[str, Any], column: str) -> Row:
    text = fields.get(column)
    if not isinstance(text, str):
        problem = f"{column!r} is not a string" if column in fields else f"there is no {column!r}"
    else:
        problem = _wrong(text)
    return Row(number, fields, "" if problem else str(text), problem, column)


def _wrong(text: str) -> str:
    """What is wrong with the characters of a text, or nothing."""
    if "\0" in text:
        return "contains a NUL byte"
    if text.isascii():
        return ""
    try:
        text.encode()
    except UnicodeEncodeError:
        try:
            text.encode("utf-8", "surrogateescape").decode()
        except UnicodeDecodeError as error:
            return f"not UTF-8 at byte {error.start}; set another encoding with --encoding"
        except UnicodeEncodeError:
            pass
        return "contains a lone surrogate"
    return ""


def _known(name: str, column: str | None, names: Iterable[str]) -> str:
    known = list(names)
    if (column or "text") in known:
        return column or "text"
    if not known:
        raise Stop(f"{name} is empty: a table needs a line with the names of its columns")
    listed = ", ".join(known)
    raise Stop(f"{name} has no column {column or 'text'!r}; choose one with --column: {listed}")
