"""A file of records, and the same records in several files, whose columns are joined."""

import csv
import io
import json
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from textloom.cli.formats import FORMATS, Unfit

RECORDS: list[dict[str, Any]] = [
    {"id": 1, "text": "Ada", "entities": []},
    {"id": 2, "text": None, "error": "'text' is not a string"},
    {"id": 3, "text": 'In "Rome,\nAda', "entities": [{"text": "Ada", "start": 10}]},
    {"id": 4.5, "text": "é", "entities": [{"text": "é", "end": 1}], "tags": {"a": [1]}},
]
LINES = [json.dumps(record).encode() + b"\n" for record in RECORDS]


def written(form: str, parts: list[list[bytes]]) -> list[bytes]:
    """The files of parts that have the columns of all."""
    chosen = FORMATS[form]
    columns = chosen.join([chosen.columns(part) for part in parts])
    files = []
    for part in parts:
        out = io.BytesIO()
        chosen.write(part, columns, out)
        files.append(out.getvalue())
    return files


def test_json_lines_stay_what_they_are() -> None:
    assert written("jsonl", [LINES[:3], LINES[3:]]) == [b"".join(LINES[:3]), LINES[3]]


@pytest.mark.parametrize(("form", "delimiter"), [("csv", ","), ("tsv", "\t")])
@pytest.mark.parametrize("cut", [1, 2, 3])
def test_parts_of_a_table_are_the_rows_of_one_under_one_header(
    form: str, delimiter: str, cut: int
) -> None:
    (whole,) = written(form, [LINES])
    header = "id,text,entities,tags,error\r\n".replace(",", delimiter).encode()
    first, second = written(form, [LINES[:cut], LINES[cut:]])
    assert whole.startswith(header)
    assert first + second.removeprefix(header) == whole
    rows = list(csv.DictReader(io.StringIO(whole.decode(), newline=""), delimiter=delimiter))
    assert [row["text"] for row in rows] == ["Ada", "", 'In "Rome,\nAda', "é"]
    assert json.loads(rows[2]["entities"]) == RECORDS[2]["entities"]
    assert [row["error"] for row in rows] == ["", "'text' is not a string", "", ""]


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_parts_of_parquet_are_the_rows_of_one_with_its_types(cut: int) -> None:
    (whole,) = written("parquet", [LINES])
    alone = parquet.read_table(io.BytesIO(whole))
    parts = [
        parquet.read_table(io.BytesIO(file))
        for file in written("parquet", [LINES[:cut], LINES[cut:]])
    ]
    assert pyarrow.concat_tables(parts).equals(alone, check_metadata=True)
    assert alone.column_names == ["id", "text", "entities", "tags", "error"]
    assert alone.schema.field("id").type == pyarrow.float64()
    assert alone["entities"].to_pylist()[2] == [{"text": "Ada", "start": 10, "end": None}]
    assert alone["error"].to_pylist() == [None, "'text' is not a string", None, None]


@pytest.mark.parametrize("other", [b'{"id": "five"}\n', b'{"id": %d}\n' % 2**70])
def test_what_has_no_type_of_parquets_is_refused_in_one_file_and_in_several(other: bytes) -> None:
    for parts in ([[*LINES, other]], [LINES, [other]]):
        with pytest.raises(Unfit, match="cannot be converted to Parquet"):
            written("parquet", parts)


def test_no_records_are_a_file_with_an_error_column() -> None:
    assert written("csv", [[]]) == [b"error\r\n"]
    assert parquet.read_table(io.BytesIO(*written("parquet", [[]]))).column_names == ["error"]
