"""What admission learns about the time that tokens take."""

import random

import pytest

from service.pace import ENOUGH, FULL, Pace


def test_nothing_is_estimated_from_the_first_batches() -> None:
    pace = Pace(1000, slices=False)
    for _ in range(ENOUGH - 1):
        pace.learn(1, 10.0)
        assert pace.token == 0
    pace.learn(1, 10.0)
    assert pace.token > 0


def test_short_batches_tell_how_long_full_ones_take() -> None:
    chance = random.Random(0)
    pace = Pace(1000, slices=False)
    for _ in range(100):
        tokens = chance.randrange(3, 30)
        pace.learn(tokens, 0.0005 + 0.00001 * tokens)
    assert 10_000 * pace.token == pytest.approx(10 / FULL * 0.0005 + 10_000 * 0.00001)


def test_batches_all_alike_and_slices_tell_their_sums() -> None:
    alike, slices = Pace(1000, slices=False), Pace(1000, slices=True)
    for number in range(100):
        alike.learn(20, 0.001)
        slices.learn(0 if number % 2 else 40, 0.001)
    assert 200 * alike.token == pytest.approx(0.01)
    assert 200 * slices.token == pytest.approx(0.01, rel=0.05)


def test_what_is_long_ago_is_forgotten() -> None:
    pace = Pace(1000, slices=False)
    for seconds in [1.0] * 200 + [0.001] * 1000:
        pace.learn(100, seconds)
    assert 100 * pace.token == pytest.approx(0.001, rel=0.01)
