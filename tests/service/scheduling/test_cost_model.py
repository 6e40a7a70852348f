"""What the cost model says about the time that tokens take."""

import random

import pytest

from service.scheduling.cost_model import BATCH_FILL, MIN_BATCHES, CostModel


def test_nothing_is_estimated_from_the_first_batches() -> None:
    model = CostModel(1000, slices=False)
    for _ in range(MIN_BATCHES - 1):
        model.update(1, 10.0)
        assert model.seconds_per_token == 0
    model.update(1, 10.0)
    assert model.seconds_per_token > 0


def test_short_batches_tell_how_long_full_ones_take() -> None:
    chance = random.Random(0)
    model = CostModel(1000, slices=False)
    for _ in range(100):
        tokens = chance.randrange(3, 30)
        model.update(tokens, 0.0005 + 0.00001 * tokens)
    assert 10_000 * model.seconds_per_token == pytest.approx(
        10 / BATCH_FILL * 0.0005 + 10_000 * 0.00001
    )


def test_batches_all_alike_and_slices_tell_their_sums() -> None:
    alike, slices = CostModel(1000, slices=False), CostModel(1000, slices=True)
    for number in range(100):
        alike.update(20, 0.001)
        slices.update(0 if number % 2 else 40, 0.001)
    assert 200 * alike.seconds_per_token == pytest.approx(0.01)
    assert 200 * slices.seconds_per_token == pytest.approx(0.01, rel=0.05)


def test_what_is_long_ago_is_forgotten() -> None:
    model = CostModel(1000, slices=False)
    for seconds in [1.0] * 200 + [0.001] * 1000:
        model.update(100, seconds)
    assert 100 * model.seconds_per_token == pytest.approx(0.001, rel=0.01)
