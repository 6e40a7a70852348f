"""Trainings in two processes of torchrun: they learn what one does, and go on when a process was killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.training import tiny
from tests.training.nn import shared_fit

ROOT = Path(__file__).parents[3]

TOLERANCE = 1e-4
"""Relative. Sums of float32 in another order differ by some 1e-7; every step builds on those before."""


def torchrun(*arguments: str, processes: int = 2) -> subprocess.Popen[str]:
    options = ("--standalone", "--nproc-per-node", str(processes))
    return subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", *options, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=800)
    assert process.returncode == 0, err
    return out


def curve(points: list[dict[str, Any]]) -> list[float]:
    return [value for point in points for value in (point["loss"], point["score"])]


def fitted(folder: Path, *options: str) -> list[dict[str, Any]]:
    """The histories of the optimisers."""
    script = str(Path(shared_fit.__file__))
    lines = output(torchrun(*options[1:], script, str(folder), *options[:1])).splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def assert_as_one_process(histories: list[dict[str, Any]], folder: Path) -> None:
    for history, optimizer in zip(histories, ("adamw", "muon"), strict=True):
        alone = shared_fit.run(folder / optimizer, optimizer)
        expected = [value for point in alone.points for value in (point.loss, point.score)]
        assert curve(history["points"]) == pytest.approx(expected, rel=TOLERANCE)
        assert [point["tokens"] for point in history["points"]] == [
            point.tokens for point in alone.points
        ]
        assert expected[-2] < expected[0] / 2


def test_two_processes_learn_what_one_learns_with_each_optimiser(tmp_path: Path) -> None:
    assert_as_one_process(fitted(tmp_path / "two"), tmp_path / "one")


@pytest.mark.slow
def test_a_killed_process_is_started_again_and_the_training_goes_on(tmp_path: Path) -> None:
    histories = fitted(tmp_path / "two", "killed", "--max-restarts", "1")
    assert histories[0]["resumed"] == 1
    assert_as_one_process(histories, tmp_path / "one")


PLAIN = {
    "ner": ("--dropout", "0", "--word-dropout", "0", "--name-dropout", "0", "--other-case", "0"),
    "sentiment": ("--dropout", "0", "--word-dropout", "0", "--optimizer", "muon"),
    "translate": ("--sampled", "1", "--changed", "0", "--optimizer", "muon", "--epochs", "6"),
}
"""Nothing drawn at random within a step, so that processes draw nothing unlike."""


@pytest.mark.slow
@pytest.mark.parametrize("task", ["ner", "sentiment", "translate"])
def test_the_command_in_two_processes_gives_the_loss_curve_of_one(
    task: str, corpora: Path, tmp_path: Path
) -> None:
    tiny.train(task, corpora, tmp_path / "one", *PLAIN[task])
    two = tiny.arguments(task, corpora, tmp_path / "two", *PLAIN[task])
    said = output(torchrun("-m", "training", task, *two))
    assert said.count("published ") == 1
    assert len(list((tmp_path / "two").glob("models/*/*"))) == 1
    curves = [
        curve([json.loads(line) for line in log.read_text().splitlines()])
        for count in ("one", "two")
        for log in (tmp_path / count).glob("runs/*/log.jsonl")
    ]
    assert curves[0] == pytest.approx(curves[1], rel=0.01)  # Muon, in bfloat16, widens what differs


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_run_killed_at_any_process_ends_in_the_same_bundle(
    victim: int, corpora: Path, tmp_path: Path
) -> None:
    """Also with dropout, for which each process draws numbers of its own."""

    def command(folder: Path) -> list[str]:
        options = ("--dropout", "0.3", "--checkpoint-seconds", "0")
        return ["-m", "training", *("ner", *tiny.arguments("ner", corpora, folder, *options))]

    output(torchrun(*command(tmp_path / "whole")))
    process = torchrun(*command(tmp_path / "cut"))
    (log,) = wait_for(process, tmp_path / "cut", "runs/*/log.jsonl")
    while len(log.read_text().splitlines()) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    os.kill(process_of_rank(process.pid, victim), signal.SIGKILL)
    process.communicate(timeout=300)
    assert process.returncode != 0
    assert not list((tmp_path / "cut").glob("models/*/1"))
    assert "resumed at step" in output(torchrun(*command(tmp_path / "cut")))
    whole, cut = (next((tmp_path / name).glob("models/*/1")) for name in ("whole", "cut"))
    assert (whole / "model.onnx").read_bytes() == (cut / "model.onnx").read_bytes()


def wait_for(process: subprocess.Popen[str], folder: Path, pattern: str) -> list[Path]:
    while not (found := list(folder.glob(pattern))):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    return found


def process_of_rank(parent: int, rank: int) -> int:
    """By what Linux says of the environment of its children."""
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        if f"RANK={rank}".encode() in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
            return int(child)
    raise AssertionError("no such process")


@pytest.mark.slow
def test_what_is_no_training_and_what_differs_is_refused(corpora: Path, tmp_path: Path) -> None:
    process = torchrun("-m", "training", "evaluate", "--help")
    assert "torchrun is for trainings" in process.communicate()[1]
    assert process.returncode == 1
    script = tmp_path / "differs.py"
    options = tiny.arguments("sentiment", corpora, tmp_path)
    script.write_text(
        "import os, sys\n"
        "from training.__main__ import main\n"
        f"options = {options!r} + ['--learning-rate', os.environ['RANK']]\n"
        "sys.exit(main(['sentiment', *options]))\n"
    )
    process = torchrun(str(script))
    assert "the processes have different options or examples" in process.communicate()[1]
    assert process.returncode == 1
