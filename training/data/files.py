"""Reads lines and rows of corpus files, plain or `.xz`, and says where one cannot be read.

Leaves out what a row means: that is `corpora.py`.
"""

import csv
import json
import lzma
from collections.abc import Iterator
from pathlib import Path

from training.errors import TrainingError


def kind_of(path: Path) -> str:
    """Its ending, without that of a compressed file: `.csv` of `a.csv.xz`."""
    suffixes = [suffix for suffix in path.suffixes if suffix != ".xz"]
    return suffixes[-1] if suffixes else ""


def read_lines(path: Path) -> Iterator[str]:
    """The lines of a plain or compressed file. Raises TrainingError if it is not UTF-8 or damaged."""
    try:
        if path.suffix == ".xz":
            with lzma.open(path, "rt", encoding="utf-8", newline="\n") as file:
                yield from file
        else:
            with path.open(encoding="utf-8", newline="\n") as file:
                yield from file
    except UnicodeDecodeError as error:
        raise TrainingError(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from error
    except (lzma.LZMAError, EOFError) as error:
        raise TrainingError(f"{path}: not a whole .xz file: {error}") from error


LEAVE_OUT = "leave_out_of_training.tsv"
"""Beside a corpus: the file (without endings) and `id` of the rows that no training may see."""


def left_out_ids(path: Path) -> set[str]:
    """The ids of the rows of a file that may not be trained on."""
    beside = path.with_name(LEAVE_OUT)
    if not beside.is_file():
        return set()
    rows = (line.rstrip("\n").split("\t") for line in read_lines(beside))
    return {row[1] for row in rows if row[0] == path.name.split(".")[0]}


def json_rows(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Objects of JSON lines, each with its line number. Raises TrainingError for a line that is none."""
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise unparsable(path, number, 'a JSON object like {"text": ..., "label": ...}', line)
        yield number, row


def csv_rows(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Rows of CSV with a header, each with its line number. Raises TrainingError with file and line."""
    reader = csv.DictReader(read_lines(path), strict=True)
    fields = reader.fieldnames or []
    if "text" not in fields or "label" not in fields:
        raise unparsable(path, 1, "a header with the columns text and label", ",".join(fields))
    try:
        for row in reader:
            yield reader.line_num, dict(row)
    except csv.Error as error:
        raise unparsable(path, reader.line_num, "a CSV row", str(error)) from error


def unparsable(path: Path, line: int, expected: str, found: str) -> TrainingError:
    """Names the place, what would be right there, and what is there."""
    return TrainingError(f"{path}:{line}: expected {expected}, found {found.strip()[:80]!r}")
