"""The training loop on a network of one weight: what stops it, what it keeps, and that it resumes."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import nn

from training.config import Fit
from training.errors import TrainingError
from training.nn.batches import BatchLoss, bucketed
from training.nn.checkpoint import History
from training.nn.fit import _rate, device_of, fit
from training.nn.precision import multiplies_bfloat16


class Straight(nn.Module):
    """y = weight * x, with dropout, so that the random state matters."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.0))
        self.dropout = nn.Dropout(0.2)

    def loss(self, indices: list[int]) -> BatchLoss:
        x = torch.arange(1.0, 9.0)[indices]
        mean = (self.dropout(self.weight * x) - 3 * x).square().mean()
        return BatchLoss(mean, len(indices), len(indices))


def run(
    folder: Path,
    *,
    score: Callable[[Straight], float] = lambda network: -abs(network.weight.item() - 3),
    lengths: Sequence[int] | Callable[[int], Sequence[int]] = (1,) * 8,
    begun: Path | None = None,
    **options: object,
) -> tuple[Straight, History]:
    torch.manual_seed(0)
    network = Straight()
    usual = {"epochs": 5, "batch_tokens": 2, "learning_rate": 0.1, "device": "cpu"}
    settings = Fit.model_validate({**usual, **options})
    history = fit(
        network,
        lengths=lengths,
        loss=network.loss,
        validate=lambda: score(network),
        options=settings,
        folder=folder,
        begun=begun,
    )
    return network, history


def test_the_loss_falls_and_each_validation_is_logged(tmp_path: Path) -> None:
    _, history = run(tmp_path)
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [point["step"] for point in log] == [4, 8, 12, 16, 20]
    assert [point["epoch"] for point in log] == [1, 2, 3, 4, 5]
    assert log[-1]["loss"] < log[0]["loss"] / 2
    assert [point.loss for point in history.points] == [point["loss"] for point in log]


@pytest.mark.parametrize("asked", [True, False])
def test_steps_are_in_bfloat16_where_asked_for_and_of_use(
    tmp_path: Path, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = set()
    loss = Straight.loss

    def watched(self: Straight, indices: list[int]) -> BatchLoss:
        seen.add(torch.is_autocast_enabled("cpu"))
        return loss(self, indices)

    monkeypatch.setattr(Straight, "loss", watched)
    run(tmp_path, bfloat16=asked)
    assert seen == {asked and multiplies_bfloat16(torch.device("cpu"))}


@pytest.mark.parametrize(("validations", "steps"), [(2, [2, 4, 6, 8]), (9, list(range(1, 9)))])
def test_an_epoch_has_as_many_validations_as_asked_for(
    tmp_path: Path, validations: int, steps: list[int]
) -> None:
    _, history = run(tmp_path, epochs=2, validations=validations)
    assert [point.step for point in history.points] == steps


def test_it_stops_early_and_keeps_the_best_weights(tmp_path: Path) -> None:
    seen: list[float] = []

    def score(network: Straight) -> float:
        seen.append(network.weight.item())
        return 1.0 if len(seen) == 2 else 0.0

    network, history = run(tmp_path, epochs=50, patience=3, score=score)
    assert len(seen) == 2 + 3
    assert network.weight.item() == seen[1]
    assert history.best.step == 8


def test_a_run_taken_up_again_ends_in_the_same_weights(tmp_path: Path) -> None:
    whole, history = run(tmp_path / "whole")
    calls = 0

    def dies(network: Straight) -> float:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return -abs(network.weight.item() - 3)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", score=dies, checkpoint_seconds=0)
    again, taken_up = run(tmp_path / "cut")
    assert again.weight.item() == whole.weight.item()
    assert taken_up.resumed == 1
    assert [(p.step, p.loss, p.score) for p in taken_up.points] == [
        (p.step, p.loss, p.score) for p in history.points
    ]


def test_the_mean_of_the_weights_is_kept_and_survives_a_stop(tmp_path: Path) -> None:
    seen: list[float] = []

    def score(network: Straight) -> float:
        seen.append(network.weight.item())
        if len(seen) == 3:
            raise KeyboardInterrupt
        return seen[-1]

    plain, _ = run(tmp_path / "plain")
    whole, _ = run(tmp_path / "whole", average=0.8, score=lambda network: network.weight.item())
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", average=0.8, score=score, checkpoint_seconds=0)
    again, _ = run(tmp_path / "cut", average=0.8, score=lambda network: network.weight.item())
    assert again.weight.item() == whole.weight.item()
    assert 0 < whole.weight.item() < plain.weight.item()  # it lags behind a weight that grows


def test_a_weight_that_is_not_learnt_stays(tmp_path: Path) -> None:
    network = Straight()
    network.fixed = nn.Parameter(torch.tensor(5.0), requires_grad=False)
    fit(
        network,
        lengths=[1, 1],
        loss=network.loss,
        validate=lambda: 1.0,
        options=Fit(epochs=2, weight_decay=0.5, average=0.5, device="cpu"),
        folder=tmp_path,
    )
    assert network.fixed.item() == 5.0
    assert network.weight.item() != 0.0


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    first, _ = run(tmp_path)
    again, history = run(tmp_path)
    assert again.weight.item() == first.weight.item()
    assert len(history.points) == 5


def test_a_loss_that_is_no_number_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"the loss is .*lower --learning-rate"):
        run(tmp_path, learning_rate=1e30, epochs=20)


def test_the_gradient_is_clipped(tmp_path: Path) -> None:
    def first_moment(clip: float) -> float:
        run(tmp_path / str(clip), epochs=1, clip=clip)
        state = torch.load(tmp_path / str(clip) / "checkpoint.pt", weights_only=True)
        return abs(state["optimizer"][0]["state"][0]["exp_avg"].item())

    assert first_moment(1e-3) <= 1e-3 < 1.0 < first_moment(1e6)


def test_weight_decay_pulls_weights_to_zero(tmp_path: Path) -> None:
    free, _ = run(tmp_path / "a", weight_decay=0.0, score=lambda _: 0.0, patience=99)
    held, _ = run(tmp_path / "b", weight_decay=5.0, score=lambda _: 0.0, patience=99)
    assert abs(held.weight.item()) < abs(free.weight.item())


def test_the_learning_rate_rises_and_then_falls_to_zero() -> None:
    options = Fit(learning_rate=2.0, warmup=0.1)
    rates = [_rate(done, done / 100, options) for done in range(101)]
    assert max(rates) == rates[10] == 2.0
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert math.isclose(rates[55], 1.0, rel_tol=1e-6)
    assert rates[100] < 1e-6
    assert _rate(0, 0.0, Fit(learning_rate=2.0, warmup=0.0)) == 2.0


def test_a_constant_rate_rises_and_stays() -> None:
    options = Fit(learning_rate=2.0, warmup_steps=10, schedule="constant")
    rates = [_rate(step, step / 100, options) for step in range(101)]
    assert rates[:10] == pytest.approx([0.2 * step for step in range(1, 11)])
    assert set(rates[10:]) == {2.0}
    share = Fit(learning_rate=2.0, warmup=0.1, schedule="constant")
    assert [_rate(0, done, share) for done in (0.0, 0.049, 0.5, 1.0)] == pytest.approx(
        [0.02, 1.0, 2.0, 2.0]
    )


def test_a_decaying_rate_falls_in_a_line_and_never_below_zero() -> None:
    options = Fit(learning_rate=2.0, warmup=0.0, schedule="decay")
    rates = [_rate(step, step / 100, options) for step in range(101)]
    assert rates == pytest.approx([2 - 0.02 * step for step in range(101)])
    assert rates[-1] == 0.0


def test_steps_of_a_rise_count_whatever_their_share() -> None:
    for schedule in ("cosine", "constant", "decay"):
        options = Fit.model_validate(
            {"learning_rate": 1.0, "warmup_steps": 4, "warmup": 0.0, "schedule": schedule}
        )
        rises = [_rate(step, step / 1000, options) for step in range(4)]
        assert rises == pytest.approx([0.25, 0.5, 0.75, 1.0], abs=0.01)


@pytest.mark.parametrize("schedule", ["cosine", "constant", "decay"])
def test_epochs_of_unlike_length_are_made_one_by_one_and_a_resumed_run_ends_alike(
    tmp_path: Path, schedule: str
) -> None:
    made: list[int] = []

    def lengths(epoch: int) -> list[int]:
        made.append(epoch)
        return [1] * (2, 8, 4, 6, 8)[epoch]

    whole, history = run(tmp_path / "whole", lengths=lengths, schedule=schedule)
    assert made == [0, 1, 2, 3, 4]
    assert [point.step for point in history.points] == [1, 5, 7, 10, 14]
    calls = 0

    def dies(network: Straight) -> float:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return -abs(network.weight.item() - 3)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", lengths=lengths, schedule=schedule, score=dies, checkpoint_seconds=0)
    again, taken_up = run(tmp_path / "cut", lengths=lengths, schedule=schedule)
    assert again.weight.item() == whole.weight.item()
    assert [point.score for point in taken_up.points] == [point.score for point in history.points]


def test_the_rate_falls_by_the_share_of_epochs_whatever_their_length(tmp_path: Path) -> None:
    sizes = (2, 8, 4, 6, 8)
    run(tmp_path, lengths=lambda epoch: [1] * sizes[epoch], schedule="decay", warmup=0.0)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    last = (4 + 3 / 4) / 5  # before the last of four steps
    assert state["optimizer"][0]["param_groups"][0]["lr"] == pytest.approx(0.1 * (1 - last))


def test_a_run_goes_on_with_more_epochs(tmp_path: Path) -> None:
    run(tmp_path / "a", epochs=2, schedule="constant", warmup_steps=2)
    longer, history = run(tmp_path / "a", epochs=5, schedule="constant", warmup_steps=2)
    whole, _ = run(tmp_path / "b", epochs=5, schedule="constant", warmup_steps=2)
    assert len(history.points) == 5
    assert longer.weight.item() == whole.weight.item()


def test_a_later_phase_goes_on_with_the_optimiser_of_the_one_before(tmp_path: Path) -> None:
    run(tmp_path / "first")
    begun = tmp_path / "first" / "checkpoint.pt"
    moments = []
    for name, before in (("with", begun), ("without", None)):
        run(tmp_path / name, epochs=1, learning_rate=0.0, begun=before)
        state = torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)
        moments.append(state["optimizer"][0]["state"][0]["step"].item())
    assert moments == [24, 4]


def test_the_device_is_cuda_only_where_there_is_one() -> None:
    assert device_of(Fit(device="cpu")).type == "cpu"
    if torch.cuda.is_available():
        assert device_of(Fit(device="auto")).type == "cuda"
    else:
        assert device_of(Fit(device="auto")).type == "cpu"
        with pytest.raises(TrainingError, match="finds no CUDA device"):
            device_of(Fit(device="cuda"))


def test_batches_hold_every_example_once_and_no_more_tokens_than_asked() -> None:
    lengths = [1 + number * 7 % 30 for number in range(500)]
    batches = bucketed(lengths, tokens=64, seed=1, epoch=0)
    assert sorted(index for batch in batches for index in batch) == list(range(500))
    assert all(max(lengths[i] for i in batch) * len(batch) <= 64 for batch in batches)
    assert bucketed(lengths, tokens=64, seed=1, epoch=0) == batches
    assert bucketed(lengths, tokens=64, seed=1, epoch=1) != batches
    assert bucketed(lengths, tokens=64, seed=2, epoch=0) != batches


def test_an_example_over_the_limit_is_a_batch_of_its_own() -> None:
    assert bucketed([99], tokens=10, seed=1, epoch=0) == [[0]]


def test_a_history_goes_on_in_a_later_one(tmp_path: Path) -> None:
    _, first = run(tmp_path / "first", epochs=2)
    _, second = run(tmp_path / "second", epochs=3)
    both = first.then(second)
    assert [point.step for point in both.points] == [4, 8, 12, 16, 20]
    assert [point.epoch for point in both.points] == [1, 2, 3, 4, 5]
    assert both.seconds == first.seconds + second.seconds
    assert both.points[-1].seconds == first.seconds + second.points[-1].seconds
