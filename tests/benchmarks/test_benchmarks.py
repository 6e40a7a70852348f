"""`python -m benchmarks`: a short run of it against the real service."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import loopback, servers
from benchmarks.__main__ import RESULTS
from benchmarks.fairness import fairness
from benchmarks.measures import MEASURES
from benchmarks.overload import overload
from benchmarks.report import kept, put, summary, table
from benchmarks.rows import QUICK, Row

ROOT = Path(__file__).parents[2]


def row(value: float, *, higher_is_better: bool, floor: float | None = 2.0) -> Row:
    return Row("name", "measure", value, "x", floor, 3.0, higher_is_better, [1.0, 2.0, 4.0])


def test_a_row_says_whether_its_floor_is_met() -> None:
    assert row(2.0, higher_is_better=True).met is True
    assert row(1.9, higher_is_better=True).met is False
    assert row(2.1, higher_is_better=False).met is False
    assert row(9.9, higher_is_better=True, floor=None).met is None


@pytest.mark.parametrize(
    ("value", "higher_is_better", "verdict"),
    [
        (3.0, True, "goal met"),
        (2.9, True, "floor met"),
        (1.9, True, "**missed**"),
        (1.0, False, "goal met"),
        (1.5, False, "floor met"),
        (2.1, False, "**missed**"),
    ],
)
def test_the_verdict_says_which_of_floor_and_goal_is_met(
    value: float, higher_is_better: bool, verdict: str
) -> None:
    judged = replace(
        row(value, higher_is_better=higher_is_better), goal=3.0 if higher_is_better else 1.0
    )
    assert judged.verdict == verdict
    assert table([judged]).endswith(f" | {verdict} |")


def test_a_row_without_a_floor_has_no_verdict() -> None:
    shown = table([row(9.9, higher_is_better=True, floor=None)])
    assert shown.endswith("| measure | 2 (1 to 4) |  | 9.9 x |  | 3 |  |")


def test_the_pages_have_the_tables_of_the_results_that_are_kept() -> None:
    rows = kept(RESULTS, list(MEASURES))
    assert f"\n{summary(rows)}\n" in (ROOT / "README.md").read_text()
    assert summary(rows).count("\n") == 1 + 5
    assert f"\n{table(rows)}\n" in (ROOT / "benchmarks" / "README.md").read_text()


def test_a_table_replaces_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nafter\n")
    put(page, "new")
    assert page.read_text() == "before\n<!-- benchmarks -->\nnew\n<!-- /benchmarks -->\nafter\n"
    page.write_text("nothing")
    with pytest.raises(ValueError, match="has no <!-- benchmarks"):
        put(page, "new")


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
def test_a_quick_run_measures_prints_and_keeps_its_figures(tmp_path: Path) -> None:
    asked = ["--quick", "--only", "many-texts", "one-connection", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *asked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("| /ner, ") == done.stdout.count("| /sentiment, ") == 2
    run = json.loads((tmp_path / "many-texts.json").read_text())
    assert [each["name"] for each in run["rows"]] == ["ner-64", "sentiment-64"]
    for each in run["rows"]:
        assert each["value"] == pytest.approx(each["ours"][0] / each["theirs"][0])
        assert each["value"] > 0
    assert run["libraries"]["onnxruntime"] != "not installed"
    assert run["commit"]


def test_the_kernel_takes_what_comes_in_one_piece() -> None:
    assert loopback.exchange(200, 400) > 0
    with pytest.raises(ValueError, match="in one piece"):
        loopback.exchange(200, 1 << 20)


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
def test_an_overload_is_measured_with_one_text_a_request_and_with_16(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("benchmarks.servers.PEERS", ())  # they are in an environment of their own
    rows = {row.name: row for row in overload(QUICK)}
    allowed: list[int] = []
    for shape, told in (("overload", "one text"), ("overload-16-texts", "16 texts")):
        goodput, *others = (rows[f"{shape}-{what}"] for what in ("goodput", "p99", "recovery"))
        assert all(f"/ner, {told} a request" in row.measure for row in (goodput, *others))
        first, second, third = goodput.theirs  # the peak before, between and after two overloads
        turns = zip(goodput.ours, ((first + second) / 2, (second + third) / 2), strict=True)
        assert goodput.value == pytest.approx(sum(ours / peak for ours, peak in turns) / 2)
        assert "refused at once" in goodput.about
        floor = re.escape(str(goodput.floor))
        spare = re.search(
            rf"For {floor} a refusal may take (\d+) µs .* kernel alone takes (\d+),", goodput.about
        )
        assert spare
        allowed.append(int(spare[1]))
        assert int(spare[2]) > 0
    assert allowed[1] > allowed[0]  # it depends on how few there are, and on the floor
    one, many = rows["overload-goodput"], rows["overload-16-texts-goodput"]
    # far fewer requests, of which each has more texts; one of two short overloads may meet a stall
    assert 64 * max(many.ours) > max(one.ours) > max(many.ours)
    # the picture is of one text a request only
    assert [name for name, row in rows.items() if row.points] == [one.name]


def test_short_requests_are_measured_beside_documents_and_alone() -> None:
    goodput, slowest = fairness(QUICK)
    assert len(goodput.ours) == len(goodput.theirs) == QUICK.repeats
    assert goodput.value == pytest.approx(goodput.ours[0] / goodput.theirs[0])
    assert slowest.value == slowest.ours[0] > 0


def test_a_server_stands_still_while_another_is_measured() -> None:
    with servers.service() as port:
        with servers.alone(port, port):
            assert "live" in servers.page(port, "/health/live")
        with servers.alone(0, port), pytest.raises(OSError, match="timed out"):
            servers.ask(port, "/ner", '{"text": "a"}', timeout=0.5)
        assert servers.ask(port, "/ner", '{"text": "a"}')["results"]
