"""The command line as a person types it: real files, real models, real processes."""

import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

import httpx
import pyarrow
import pytest
from pyarrow import parquet

from service.settings import Settings
from tests.service import tiny
from tests.service.conftest import serving
from textloom.cli import engines, main, rows
from textloom.cli.annotate import CHUNK, answer
from textloom.cli.opening import Source
from textloom.cli.rows import Row
from textloom.errors import LoadError

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "textloom"]


@pytest.fixture
def textloom(tiny_models: Path, tmp_path: Path) -> Any:
    """Runs the command on the tiny models; checks its exit status."""

    def run(
        *arguments: Any, status: int = 0, stdin: str | bytes = b""
    ) -> subprocess.CompletedProcess[str]:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        command = [*COMMAND, *map(str, arguments)]
        if arguments[0] not in ("serve", "evaluate") and "--url" not in arguments:
            command += ["--models", str(tiny_models)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
        done = subprocess.run(
            command, input=given, cwd=tmp_path, env=environment, capture_output=True, check=False
        )
        assert done.returncode == status, done.stderr.decode()
        return subprocess.CompletedProcess(
            command, status, done.stdout.decode(), done.stderr.decode()
        )

    return run


def lines_in(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def records(lines: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.splitlines()]


# --- what is read


def test_lines_come_back_as_json_lines_in_order(textloom: Any) -> None:
    stdin = "\ufeffAda Lovelace in London\r\n\n😀 London\nno end"
    found = records(textloom("ner", stdin=stdin).stdout)
    assert [record["line"] for record in found] == [1, 2, 3, 4]
    assert [record["text"] for record in found] == [
        "Ada Lovelace in London",
        "",
        "😀 London",
        "no end",
    ]
    assert [[entity["label"] for entity in record["entities"]] for record in found] == [
        ["PER", "LOC"], [], ["LOC"], [],
    ]  # fmt: skip
    assert found[2]["entities"][0]["start"] == 2


def test_a_bad_line_is_reported_and_the_rest_goes_on(textloom: Any, tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_bytes(b"good\nbad \xff byte\nawful\n")
    done = textloom("sentiment", file, status=1)
    assert (
        done.stderr
        == "textloom: line 2: not UTF-8 at byte 4; set another encoding with --encoding\n"
    )
    found = records(done.stdout)
    assert [record.get("sentiment") for record in found] == ["positive", None, "negative"]
    assert found[1]["error"] == "not UTF-8 at byte 4; set another encoding with --encoding"


def test_a_table_keeps_its_columns(textloom: Any, tmp_path: Path) -> None:
    table = tmp_path / "reviews.csv"
    table.write_bytes(
        '\ufeffid,review,note\n1,"good,\ngood",é\n2,awful,"a ""quote"""\n\n3,too,many,cells\n4,good,'.encode()
        + b"\xff\n5,\xff,x\n"
    )
    out = tmp_path / "judged.csv"
    done = textloom("sentiment", table, "--column", "review", "-o", out, status=1)
    assert "line 6: 4 columns instead of 3" in done.stderr
    assert "line 8: not UTF-8" in done.stderr
    with out.open(encoding="utf-8", newline="") as lines:
        found = list(csv.DictReader(lines))
    assert [row["id"] for row in found] == ["1", "2", "3", "4", "5"]
    assert [row["review"] for row in found][:2] == ["good,\ngood", "awful"]
    assert found[1]["note"] == 'a "quote"'
    assert [row["sentiment"] for row in found] == ["positive", "negative", "", "positive", ""]
    assert json.loads(found[0]["sentiment_scores"])["positive"] == float(
        found[0]["sentiment_score"]
    )
    assert found[2]["error"] == "4 columns instead of 3"


def test_json_lines_keep_their_fields(textloom: Any, tmp_path: Path) -> None:
    lines = tmp_path / "in.jsonl"
    lines.write_text(
        '{"text": "London", "n": [1]}\n\n[]\n{"n": 5}\n{"text": 5}\n{broken\n{"text": "\\ud800"}\n'
    )
    done = textloom("ner", lines, status=1)
    found = records(done.stdout)
    assert found[0]["n"] == [1]
    assert found[0]["entities"][0].keys() == {"text", "label", "start", "end", "score"}
    assert re.findall(r"line (\d+): (.{12})", done.stderr) == [
        ("3", "not a JSON o"), ("4", "there is no "), ("5", "'text' is no"), ("6", "not JSON: Ex"),
        ("7", "contains a l"),
    ]  # fmt: skip
    assert found[4]["error"].endswith("enclosed in double quotes at column 2")


def test_parquet_comes_in_and_goes_out(textloom: Any, tmp_path: Path) -> None:
    source, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    texts = ["a good table", None, "", "Le chat dort sur la chaise dans la cuisine."]
    table = pyarrow.table({"body": texts, "number": [1, 2, 3, 4]})
    parquet.write_table(table, source)
    options = ("--column", "body", "--to", "fr", "--alternatives", "1")
    textloom("translate", source, *options, "-o", out, status=1)
    found = parquet.read_table(out)
    assert found.column("number").to_pylist() == [1, 2, 3, 4]
    assert found.column("translation_source").to_pylist() == ["en", None, "en", "fr"]
    assert found.column("translation").to_pylist()[3] == texts[3]
    assert found.schema.field("translation_alternatives").type == pyarrow.list_(pyarrow.string())
    assert found.column("error").to_pylist() == [None, "'body' is not a string", None, None]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_names_are_written_to_every_format(textloom: Any, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"out.{ending}"
    textloom("ner", "-o", out, stdin="nothing\nLondon\n")
    if ending == "jsonl":
        found = [record["entities"] for record in records(out.read_text())]
    elif ending == "csv":
        with out.open(newline="") as lines:
            found = [json.loads(row["entities"]) for row in csv.DictReader(lines)]
    else:
        found = parquet.read_table(out).column("entities").to_pylist()
    assert found[0] == []
    assert [entity["text"] for entity in found[1]] == ["London"]
    assert sorted(tmp_path.iterdir()) == [out]


def test_csv_goes_to_standard_output_too(textloom: Any) -> None:
    done = textloom("translate", "--from", "en", "--to", "fr", "--format", "csv", stdin="table\n")
    found = list(csv.DictReader(done.stdout.splitlines()))
    assert found[0].keys() >= {"line", "text", "translation", "error"}


# --- what is wrong


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ner", "missing.txt"], "missing.txt: No such file"),
        (["ner", "here.csv"], "no column 'text'; choose one with --column: a, b"),
        (["ner", "here.csv", "--column", "c"], "no column 'c'"),
        (
            ["ner", "here.json"],
            "here.json is not JSON: Expecting ',' delimiter at line 1, column 6",
        ),
        (["ner", "here.txt", "--column", "a"], "no columns"),
        (["ner", "--column", "a"], "no columns"),
        (["ner", "-o", "out.xml"], "its extension must be .jsonl"),
        (["ner", "-o", "there.csv"], "use --overwrite to replace it"),
        (
            ["ner", "mixed.jsonl", "-o", "out.parquet"],
            "out.parquet.part cannot be converted to Parquet",
        ),
        (["ner", "-o", "nowhere/out.csv"], "there is no folder nowhere"),
        (["ner", "empty.csv"], "empty.csv is empty"),
        (["ner", "-o", "out.csv", "--format", "csv"], "--format is for"),
        (["ner", "--format", "parquet"], "here, write a file: -o NAME.parquet"),
        (["ner", "-o", "out.parquet.gz"], "Parquet is compressed already"),
        (["ner", "--labels", "PER,XXX"], "unknown label; the model knows LOC, PER"),
        (["ner", "--min-score", "2"], "min_score: Input should be less than or equal to 1"),
        (["ner", "--model", "legal"], "no model 'legal' for ner here; there are: ner"),
        (["translate", "--to", "de"], "auto to de is not served; served: en to fr, fr to en"),
        (["translate", "--from", "de", "--to", "en"], "de to en is not served"),
        (["ner", "taken.jsonl"], "'entities' already"),
        (["ner", "broken.parquet"], "broken.parquet"),
        (["ner", "--url", "http://127.0.0.1:9"], "refused"),
    ],
)
def test_a_mistake_is_explained(
    textloom: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    (tmp_path / "here.csv").write_text("a,b\n1,2\n")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "here.txt").write_text("a\n")
    (tmp_path / "there.csv").write_text("kept")
    (tmp_path / "here.json").write_text("[1, 2")
    (tmp_path / "taken.jsonl").write_text('{"text": "a", "entities": 1}\n')
    (tmp_path / "broken.parquet").write_text("PAR1")
    (tmp_path / "mixed.jsonl").write_text('{"text": "a", "n": 1}\n{"text": "b", "n": "x"}\n')
    done = textloom(*arguments, status=1, stdin="a\n")
    (line,) = (line for line in done.stderr.splitlines() if "; retry 1 of 1 in " not in line)
    assert line.startswith("textloom: ")
    assert said in line
    assert (tmp_path / "there.csv").read_text() == "kept"


def test_help_says_how_several_labels_are_given(textloom: Any) -> None:
    assert "Separate several by commas." in " ".join(textloom("ner", "--help").stdout.split())


def test_a_wrong_command_shows_how_it_is_used(textloom: Any) -> None:
    assert "Usage: textloom ner" in textloom("ner", "--workers", "0", status=2).stderr
    assert "--alternatives" in subprocess.run(
        [*COMMAND, "translate", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout  # fmt: skip


# --- many rows


def test_processes_answer_as_one_does(textloom: Any, tmp_path: Path) -> None:
    lines = tmp_path / "many.txt"
    lines.write_bytes(b"".join(b"London %d\n" % number for number in range(500)) + b"\xff\n")
    alone = textloom("ner", lines, "--workers", 1, status=1)
    many = textloom("ner", lines, "--workers", 2, status=1)
    assert many.stdout == alone.stdout
    assert [record["line"] for record in records(many.stdout)] == list(range(1, 502))


def test_a_pinned_version_answers_as_it_does_in_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.ner(tmp_path)
    tiny.ner(tmp_path)
    here = partial(engines.Here, tmp_path, "ner", {})
    assert here().models == ["ner 2"]
    (tmp_path / "ner" / "pinned").write_text("1\n")
    assert here().models == ["ner 1"]
    monkeypatch.setenv("TEXTLOOM_PINS", "ner=2")
    assert here().models == ["ner 2"]
    monkeypatch.delenv("TEXTLOOM_PINS")
    (tmp_path / "ner" / "pinned").write_text("first")
    with pytest.raises(LoadError, match="pinned must hold a version"):
        here()


def test_models_lists_the_version_that_serves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed() -> list[list[str]]:
        assert main(["models", "--models", str(tmp_path)]) == 0
        return [line.split()[:3] for line in capsys.readouterr().out.splitlines()]

    tiny.ner(tmp_path)
    tiny.ner(tmp_path)
    assert listed() == [["model", "task", "version"], ["ner", "ner", "2"]]
    (tmp_path / "ner" / "pinned").write_text("1\n")
    assert listed()[1] == ["ner", "ner", "1"]
    monkeypatch.setenv("TEXTLOOM_PINS", "ner=2")
    assert listed()[1] == ["ner", "ner", "2"]
    monkeypatch.setenv("TEXTLOOM_PINS", "ner")
    assert main(["models", "--models", str(tmp_path)]) == 1
    assert "TEXTLOOM_PINS: Input should be names and versions" in capsys.readouterr().err
    monkeypatch.delenv("TEXTLOOM_PINS")
    (tmp_path / "ner" / "pinned").write_text("first")
    assert main(["models", "--models", str(tmp_path)]) == 0
    assert "pinned must hold a version" in capsys.readouterr().out


def test_a_model_is_picked_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.sentiment(tmp_path, {"refund": "bad"}, name="tickets", labels=["bad", "fine"])
    lines = tmp_path / "lines.txt"
    lines.write_text("refund\n")
    command = ["sentiment", str(lines), "--models", str(tmp_path), "--format", "jsonl"]
    assert main([*command, "--model", "tickets"]) == 0
    assert records(capsys.readouterr().out)[0]["sentiment"] == "bad"
    assert main(command) == 1
    assert "no default model here; name one as `model`: tickets" in capsys.readouterr().err
    with serving(tmp_path) as server:
        url = str(server.base_url)
        assert main([*command, "--model", "tickets", "--url", url]) == 0
        assert records(capsys.readouterr().out)[0]["sentiment"] == "bad"
        assert main(["models", "--url", url]) == 0
        assert "tickets  sentiment  1        en         bad fine" in capsys.readouterr().out


def test_a_text_in_a_language_that_is_not_served_comes_back_as_it_is(textloom: Any) -> None:
    german = "Der Hund schläft auf dem Sofa."
    (record,) = records(textloom("translate", "--to", "en", stdin=german + "\n").stdout)
    assert (record["translation"], record["translation_source"]) == (german, "de")
    assert record["translation_score"] == 0


def test_a_server_answers_as_the_models_do_here(textloom: Any, tiny_client: httpx.Client) -> None:
    url = str(tiny_client.base_url)
    stdin = "Le chat dort sur la chaise.\n\nThe table is good, good.\n" * 50
    for arguments in (
        ("ner", "--labels", "LOC", "--offsets", "byte", "--min-score", "0.5"),
        ("sentiment", "--sentences"),
        ("translate", "--to", "en", "--alternatives", "2"),
    ):
        here = records(textloom(*arguments, stdin=stdin).stdout)
        there = records(textloom(*arguments, "--url", url, stdin=stdin).stdout)
        assert there == here
    listed = textloom("models", "--url", url).stdout.splitlines()
    assert listed == textloom("models").stdout.splitlines()
    assert [line.split()[0] for line in listed] == [
        "model", "ner", "sentiment", "translate-en-fr", "translate-fr-en",
    ]  # fmt: skip


class Counting:
    """An engine that tells how many texts it was given."""

    workers = 2
    models: list[str] = []

    def __init__(self) -> None:
        self.asked = 0

    def ask(self, texts: Any) -> Any:
        self.asked += len(texts)
        done: Future[Any] = Future()
        if "bad" in texts:
            done.set_exception(ValueError("no"))
        else:
            done.set_result([{"entities": []} for _ in texts])
        return done

    def close(self) -> None: ...


def endless(word: str = "text") -> Iterable[Row]:
    return (Row(number, {}, word) for number in count(1))


def test_rows_are_read_only_a_little_ahead_of_their_answers() -> None:
    engine = Counting()
    first = list(islice(answer(endless(), engine, CHUNK), 1000))
    assert [row.number for row, _, _ in first] == list(range(1, 1001))
    assert engine.asked <= 1000 + (2 * engine.workers + 1) * CHUNK


def test_a_text_that_fails_fails_alone() -> None:
    source = [
        Row(1, {}, "fine"),
        Row(2, {}, "bad"),
        Row(3, {}, problem="no text"),
        Row(4, {}, "fine"),
    ]
    found = list(answer(source, Counting(), CHUNK))
    assert [problem for _, _, problem in found] == ["", "ValueError: no", "no text", ""]


@pytest.mark.parametrize(
    ("stop", "workers", "status"), [(signal.SIGKILL, "1", -9), (signal.SIGINT, "2", 130)]
)
def test_a_broken_run_goes_on_where_it_was(
    textloom: Any, tmp_path: Path, tiny_models: Path, stop: int, workers: str, status: int
) -> None:
    lines, out = tmp_path / "many.txt", tmp_path / "out.csv"
    part = tmp_path / "out.csv.part"
    lines.write_text("".join(f"London {number}\n" for number in range(10_000)))
    command = [*COMMAND, "ner", str(lines), "-o", str(out), "--workers", workers]
    command += ["--models", str(tiny_models)]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had us ignore it
    for _ in range(5):  # a run may come to its end while this process is not let run
        out.unlink(missing_ok=True)
        part.unlink(missing_ok=True)
        broken = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
        while broken.poll() is None and lines_in(part) < 500:
            time.sleep(0.01)
        broken.send_signal(stop)
        broken.communicate()
        if 500 <= lines_in(part) < 10_000:
            break
    assert broken.returncode == status
    assert not out.exists()
    with part.open("ab") as torn:
        torn.write(b'{"line": 99')
    other = textloom("ner", lines, "-o", out, "--labels", "LOC", status=1)
    assert "belongs to another run" in other.stderr
    done = textloom("ner", lines, "-o", out, "--workers", 1)
    before = int(
        re.findall(r"10,000 texts, ([\d,]+) of them from an earlier run", done.stderr)[0].replace(
            ",", ""
        )
    )
    assert 0 < before < 10_000
    with out.open(newline="") as rows_out:
        assert [int(row["line"]) for row in csv.DictReader(rows_out)] == list(range(1, 10_001))
    assert not part.exists()
    again = textloom("ner", lines, "-o", out, "--overwrite", stdin="")
    assert "before" not in again.stderr


def test_ctrl_c_waits_for_the_end_of_a_block() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    done = []

    def block() -> None:
        with engines.uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.append("the block")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == ["the block"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_than_the_main_one_answer_too() -> None:
    """As those of an actor of Ray's: a handler of signals cannot be set there."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(lambda: [*answer([Row(1, {}, "fine")], Counting(), CHUNK)])
    assert [problem for _, _, problem in asked.result()] == [""]


def test_ctrl_c_twice_does_not_wait() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def block() -> None:
        with engines.uninterrupted():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            pytest.fail("went on")

    with pytest.raises(KeyboardInterrupt):
        block()


def test_ctrl_c_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with engines.uninterrupted():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


# --- people


def on_terminal(*arguments: str, stdin: bytes = b"", **environment: str) -> str:
    """What is shown on a terminal."""
    mine, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=theirs, stderr=theirs,
        env={**os.environ, **environment},
    )  # fmt: skip
    os.close(theirs)
    assert process.stdin
    process.stdin.write(stdin)
    process.stdin.close()
    shown = b""
    try:
        while piece := os.read(mine, 65536):
            shown += piece
    except OSError:  # how a terminal says that the other side is closed
        pass
    os.close(mine)
    assert process.wait(60) == 0, shown
    return shown.decode().replace("\r\n", "\n")


def test_on_a_terminal_answers_are_coloured(tiny_models: Path) -> None:
    options = ("--models", str(tiny_models))
    text = b"Ada Lovelace, London, London\n"
    names = on_terminal("ner", "--offsets", "byte", *options, stdin=text)
    assert re.findall("\x1b\\[1;(\\d+)m([^\x1b]+)\x1b", names) == [
        ("34", "Ada Lovelace"), ("31", "London"), ("31", "London"),
    ]  # fmt: skip
    plain = on_terminal(
        "sentiment", "--sentences", *options, stdin=b"good good. awful\n", NO_COLOR="1"
    )
    assert "\x1b" not in plain
    assert [line.split()[1] for line in plain.splitlines()][1:] == ["positive", "negative"]
    translated = on_terminal(
        "translate", "--to", "fr", "--alternatives", "1", *options, stdin=b"a table\n"
    )
    assert len(translated.splitlines()) >= 2


def test_a_bar_shows_the_rate_and_the_time_left(tiny_models: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines.csv"
    lines.write_text("text\n" + "London\n" * 200)
    out = tmp_path / "out.jsonl"
    shown = on_terminal(
        "ner", str(lines), "-o", str(out), "--models", str(tiny_models), "--workers", "1"
    )
    assert re.search(r"200/200 \[\d\d:\d\d<\d\d:\d\d, .*texts/s\]", shown)


def test_a_reader_that_leaves_ends_the_command_quietly(tiny_models: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("London\n" * 20_000)
    command = f"{' '.join(COMMAND)} ner {lines} --models {tiny_models} --workers 1 | head -1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


# --- the other commands


def test_serve_takes_the_options_of_the_service() -> None:
    command = [*COMMAND, "serve", "--help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in Settings.model_fields:
        assert f"--{name.replace('_', '-')}" in shown


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert rows.count(Source(str(pipe))) is None


@pytest.mark.parametrize(
    ("command", "extra"),
    [("serve", "server"), ("evaluate", "train"), ("models", "local"), ("ner", "cli")],
)
def test_where_only_the_client_is_the_command_says_what_it_lacks(command: str, extra: str) -> None:
    block = "import sys; sys.modules |= dict.fromkeys(['service', 'training']);"
    run = f"{block} from textloom.cli import main; sys.exit(main(['{command}']))"
    done = subprocess.run(
        [sys.executable, "-c", run], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("textloom: ")
    assert f"install textloom-service[{extra}]" in done.stderr
