"""The table of faults in the documentation is what the command writes, and the command finds what is wrong."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import mutations, report, servers, soak
from benchmarks.faults import __main__ as command
from benchmarks.faults import bodies
from benchmarks.faults.watch import watched
from benchmarks.soak import Sample


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with servers.service("--workers", "2") as port:
        yield port


def test_the_page_has_every_fault_and_each_was_survived() -> None:
    page = command.PAGE.read_text(encoding="utf-8")
    table = page.partition(command.MARKS[0])[2].partition(command.MARKS[1])[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
    assert [row[0] for row in rows[2:]] == command.FAULTS
    assert {row[1] for row in rows[2:]} == {"yes"}
    assert command.COLUMNS in table


def test_a_fault_is_tried_on_the_real_service(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{command.MARKS[0]}\n| {command.NOTHING} | yes |\n{command.MARKS[1]}")
    assert command.main(["--only", "a bundle with a bit flipped", "--out", str(page)]) == 0
    kept, row = capsys.readouterr().out.splitlines()[-2:]
    assert kept == f"| {command.NOTHING} | yes |"
    assert row in page.read_text()
    assert row.startswith("| a bundle with a bit flipped | yes | ")
    assert row.endswith("| refused: model.onnx is damaged: its sha256 differs from the manifest |")


def test_what_others_lose_is_noticed(port: int) -> None:
    with watched(port, "") as seen:
        time.sleep(2)
    assert seen.asked > 1
    assert seen.lost == []
    assert seen.stall > 0
    assert 50 < seen.memory < 2_000

    def break_promise() -> str:
        raise AssertionError("another answer")

    tried = command._try(command.Case("a fault", port, break_promise))
    assert not tried.survived
    assert "| **no** |" in tried.row
    assert "AssertionError: another answer" in tried.row


def test_statuses_and_the_longest_error_are_said(port: int) -> None:
    good, bad = ("/ner", mutations.query(text="Ada")), ("/ner", mutations.query(txt="Ada"))
    said = bodies.send(port, [good, good, bad])
    assert said.startswith("2 x 200, 1 x 422; longest error ")


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no marks")
    with pytest.raises(ValueError, match="has no <!-- faults -->"):
        report.put(page, "table", command.MARKS)
    assert page.read_text() == "no marks"


def test_a_soak_has_its_samples_and_a_picture(port: int, tmp_path: Path) -> None:
    samples, failed = soak.soak(port, seconds=3, rate=10, samples=2)
    assert failed == 0
    assert [sample.requests > 0 for sample in samples] == [True, True]
    assert all(sample.memory > 50 and sample.descriptors > 10 for sample in samples)
    soak.picture(tmp_path / "soak.png", samples, "title")
    assert (tmp_path / "soak.png").read_bytes().startswith(b"\x89PNG")


def test_growth_is_said() -> None:
    def sample(memory: float) -> Sample:
        return Sample(0.0, memory, 60, 1.0, 2.0, 10)

    assert soak.grown([sample(400)] * 8) == []
    assert soak.grown([sample(100)] * 2 + [sample(400)] * 6) == []  # at first all is new
    assert soak.grown([sample(400)] * 6 + [sample(500)] * 2) == ["memory went from 400 to 500"]
