"""The benchmark of training: both steps are of the same loss, and it prints their speeds."""

import pytest
import torch

from benchmarks import training_speed
from benchmarks.training_speed import NETWORK, batch, main, ours, plain
from training.tasks.translate.network import Network


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"vocabulary": 300, "embedding": 16, "hidden": 16, "decoder": 16, "dropout": 0.0}
    monkeypatch.setattr(training_speed, "NETWORK", NETWORK.model_copy(update=sizes))


def test_both_compute_the_same_loss() -> None:
    options = training_speed.NETWORK
    networks = [Network(options, options.vocabulary) for _ in range(2)]
    slow, fast = plain(networks[0]), ours(networks[1])
    networks[0].load_state_dict(networks[1].state_dict())
    one = batch(8, 64)
    assert slow(one).item() == pytest.approx(fast(one).item(), rel=0.01)


def test_it_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    threads = torch.get_num_threads()
    speeds = main(["--tokens", "64", "--rounds", "1", "--threads", str(threads)])
    printed = capsys.readouterr().out
    assert speeds.keys() == {"plain", "ours"}
    assert all(f"| {name} |" in printed for name in speeds)


@pytest.mark.slow
def test_processes_are_compared_with_one(capsys: pytest.CaptureFixture[str]) -> None:
    speeds = main(["--tokens", "256", "--rounds", "1", "--processes", "2"])
    assert list(speeds) == ["1 processes", "2 processes"]
    printed = capsys.readouterr().out
    assert all(f"| {name} |" in printed for name in speeds)
    assert min(speeds.values()) > 0
