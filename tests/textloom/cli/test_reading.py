"""What is read, whatever it is called, packed or written in; and what is refused, with a reason."""

import csv
import gzip
import json
import lzma
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from textloom.cli.delimiters import delimiter_of

from .conftest import Run

ROOT = Path(__file__).parents[3]
TABLE = "id;review;price\n1;a good table, good;3,50\n2;awful;1,20\n"


def judged(out: str) -> list[str]:
    return [json.loads(line)["sentiment"] for line in out.splitlines()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_table_is_read_whatever_its_delimiter_and_encoding(
    run: Run, tmp_path: Path, delimiter: str, encoding: str
) -> None:
    (tmp_path / "reviews.csv").write_bytes(TABLE.replace(";", delimiter).encode(encoding))
    out = run("sentiment", "reviews.csv", "--column", "review", "--format", "jsonl").out
    assert judged(out) == ["positive", "negative"]
    assert json.loads(out.splitlines()[0])["price"] == "3,50"


def test_cp1252_is_read_and_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "caf\u00e9.txt").write_bytes("un café good\nun thé awful – déjà\n".encode("cp1252"))
    done = run("sentiment", "café.txt", "--format", "jsonl")
    assert json.loads(done.out.splitlines()[1])["text"] == "un thé awful – déjà"
    assert "café.txt is read as cp1252 (Windows); use --encoding if it is not" in done.err
    assert run("sentiment", "café.txt", "--format", "jsonl", "--encoding", "cp1252").err == ""


def test_an_encoding_that_is_named_is_used(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_bytes("Łódź good\nŻółw\n".encode("cp1250"))
    assert "give its encoding" in run("sentiment", "text.txt", status=1).err
    done = run("sentiment", "text.txt", "--encoding", "windows-1250", "--format", "jsonl")
    assert json.loads(done.out.splitlines()[0])["text"] == "Łódź good"
    assert "no encoding 'nonsense'" in run(
        "sentiment", "text.txt", "--encoding", "nonsense", status=1
    ).err  # fmt: skip
    wrong = run("sentiment", "text.txt", "--encoding", "ascii", status=1).err
    assert "give its encoding with --encoding" in wrong


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_a_line_ends_as_it_does_on_any_system(run: Run, tmp_path: Path, ends: str) -> None:
    (tmp_path / "lines.txt").write_bytes(f"good{ends}awful{ends}".encode())
    assert judged(run("sentiment", "lines.txt", "--format", "jsonl").out) == [
        "positive",
        "negative",
    ]
    (tmp_path / "lines.csv").write_bytes(f"id,text{ends}1,good{ends}2,awful{ends}".encode())
    assert judged(run("sentiment", "lines.csv", "--format", "jsonl").out) == [
        "positive",
        "negative",
    ]


def test_excels_first_line_names_the_delimiter_and_is_no_row(run: Run, tmp_path: Path) -> None:
    (tmp_path / "excel.csv").write_text("sep=;\ntext;n\ngood, very;1\nbad;row;3\n")
    done = run("sentiment", "excel.csv", "--format", "jsonl", status=1)
    assert judged(done.out.splitlines()[0]) == ["positive"]
    assert "line 4: 3 columns instead of 2" in done.err


def test_tabs_are_columns_and_any_delimiter_can_be_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tabs.tsv").write_text("n\ttext\n1\tgood, very; good\n")
    assert judged(run("sentiment", "tabs.tsv", "--format", "jsonl").out) == ["positive"]
    (tmp_path / "hash.csv").write_text("n#text\n1#awful\n")
    command = ("sentiment", "hash.csv", "--format", "jsonl", "--delimiter")
    assert judged(run(*command, "#").out) == ["negative"]
    assert "one character, or tab" in run(*command, "##", status=1).err


@pytest.mark.parametrize(
    ("sample", "delimiter"),
    [
        ("text\na, b; c\n", ","),
        ("a,b\n1,\"x;y;z\"\n", ","),
        ("a;b;c\n1,5;2,5;3,5\n", ";"),
        ("a\tb\n1, 2\t3, 4\n", "\t"),
        ("", ","),
    ],
)  # fmt: skip
def test_a_delimiter_is_what_all_lines_agree_on(sample: str, delimiter: str) -> None:
    assert delimiter_of(sample) == delimiter


@pytest.mark.parametrize("opener", [gzip.open, lzma.open])
@pytest.mark.parametrize("name", ["reviews.csv.gz", "reviews.csv.xz", "reviews.csv"])
def test_packed_files_are_unpacked_whatever_they_are_called(
    run: Run, tmp_path: Path, opener: Any, name: str
) -> None:
    with opener(tmp_path / name, "wt") as file:
        file.write("text\ngood\nawful\n")
    assert judged(run("sentiment", name, "--format", "jsonl").out) == ["positive", "negative"]


def test_what_is_written_may_be_packed_or_have_tabs(run: Run, tmp_path: Path) -> None:
    (tmp_path / "reviews.txt").write_text("good\nawful\n")
    for name, opener in (("out.csv.gz", gzip.open), ("out.jsonl.xz", lzma.open)):
        run("sentiment", "reviews.txt", "-o", name)
        with opener(tmp_path / name, "rt") as file:
            assert len(file.read().splitlines()) == (3 if "csv" in name else 2)
    run("sentiment", "reviews.txt", "-o", "out.tsv")
    with (tmp_path / "out.tsv").open(newline="") as file:
        found = list(csv.DictReader(file, delimiter="\t"))
    assert [row["sentiment"] for row in found] == ["positive", "negative"]


def test_json_arrays_hold_objects_or_texts(run: Run, tmp_path: Path) -> None:
    (tmp_path / "objects.json").write_text(
        '[\n {"text": "good", "n": 1},\n {"text": "awful"}, 3\n]'
    )
    done = run("sentiment", "objects.json", "--format", "jsonl", status=1)
    assert judged("\n".join(done.out.splitlines()[:2])) == ["positive", "negative"]
    assert "line 3: not a JSON object" in done.err
    (tmp_path / "texts.json").write_text('["awful", "good"]')
    assert judged(run("sentiment", "texts.json", "--format", "jsonl").out) == [
        "negative",
        "positive",
    ]
    (tmp_path / "lines.json").write_text('{"text": "good"}\n{"text": "awful"}\n')
    assert judged(run("sentiment", "lines.json", "--format", "jsonl").out) == [
        "positive",
        "negative",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04rest", "a zip archive, as Excel and Word files are"),
        (b"\xd0\xcf\x11\xe0rest", "an Excel or Word file"),
        (b"%PDF-1.7", "a PDF"),
        (b"PAR1", "Parquet; rename it to .parquet"),
        (b"\x28\xb5\x2f\xfdrest", "compressed with zstd"),
        (b"a\0b\0\0\0c" * 9, "contains NUL bytes"),
        (b"\x1f\x8bnothing", "reviews.csv: "),
        (gzip.compress(b"text\ngood\n" * 999, mtime=0)[:-9], "reviews.csv: "),
    ],
)
def test_what_is_no_text_is_refused_by_name(
    run: Run, tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "reviews.csv").write_bytes(content)
    done = run("sentiment", "reviews.csv", status=1)
    assert done.err.startswith("textloom: reviews.csv")
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_a_nul_byte_far_into_a_file_is_a_bad_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_bytes((b"good" + b" " * 9_000 + b"\n") * 40 + b"a\0b\nawful\n")
    done = run("sentiment", "long.txt", "-o", "out.jsonl", "--workers", 1, status=1)
    assert "line 41: contains a NUL byte" in done.err
    with (tmp_path / "out.jsonl").open() as lines:
        assert judged([*lines][-1]) == ["negative"]


def test_a_text_may_be_the_argument(run: Run) -> None:
    assert judged(run("sentiment", "a good one", "--format", "jsonl").out) == ["positive"]
    out = run("sentiment", "a good one", "an awful one", "--text", "good", "--format", "jsonl").out
    assert judged(out) == ["positive", "positive", "negative"]
    assert "missing.txt: No such file" in run("sentiment", "missing.txt", status=1).err
    assert "--text 'good'" in run("sentiment", "good", status=1).err
    assert judged(run("sentiment", "good " * 5000, "--format", "jsonl").out) == ["positive"]


def test_several_files_are_read_one_after_the_other(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("good\n")
    (tmp_path / "b.csv").write_text("text\nawful\nbad,row\n")
    done = run("sentiment", "a.txt", "b.csv", "--format", "jsonl", status=1)
    found = [json.loads(line) for line in done.out.splitlines()]
    assert [(row["file"], row.get("sentiment")) for row in found] == [
        ("a.txt", "positive"), ("b.csv", "negative"), ("b.csv", None),
    ]  # fmt: skip
    assert "textloom: b.csv, line 3: 2 columns instead of 1" in done.err
    (tmp_path / "c.csv").write_text("file,text\nx,good\n")
    assert "c.csv has a column 'file' already" in run("sentiment", "a.txt", "c.csv", status=1).err


def test_shards_are_disjoint_and_make_the_whole(run: Run, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("".join(f"good {number}\n" for number in range(10)))
    found = []
    for number in (1, 2, 3):
        run("sentiment", "lines.txt", "--shard", f"{number}/3", "-o", f"{number}.jsonl")
        lines = (tmp_path / f"{number}.jsonl").read_text().splitlines()
        found.append([json.loads(line)["line"] for line in lines])
    assert found == [[1, 4, 7, 10], [2, 5, 8], [3, 6, 9]]
    for wrong in ("0/3", "4/3", "1", "a/b"):
        assert "not of the form I/N, such as 2/4" in run(
            "sentiment", "lines.txt", "--shard", wrong, status=2
        ).err  # fmt: skip


def test_standard_input_is_what_it_is_said_to_be(tiny_models: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "textloom",
        "sentiment",
        "--input-format",
        "csv",
        "--column",
        "b",
    ]
    done = subprocess.run(
        command, cwd=ROOT, input=gzip.compress(b"a;b\n1;good\n"), capture_output=True, check=True,
        env={**os.environ, "TEXTLOOM_MODELS": str(tiny_models)},
    )  # fmt: skip
    assert judged(done.stdout.decode()) == ["positive"]
