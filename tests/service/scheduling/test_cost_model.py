"""What the cost model says about the time that tokens take."""

import random

import pytest

from service.scheduling.cost_model import BATCH_FILL, MIN_BATCHES, CostModel


def test_nothing_is_estimated_from_the_first_batches() -> None:
    model = CostModel(1000, stepwise=False)
    for _ in range(MIN_BATCHES - 1):
        model.update(tokens=1, passes=1, units=1, seconds=10.0)
        assert model.seconds(1, 1) == 0
    model.update(tokens=1, passes=1, units=1, seconds=10.0)
    assert model.seconds(1, 1) > 0


def test_short_batches_tell_how_long_full_ones_take() -> None:
    chance = random.Random(0)
    model = CostModel(1000, stepwise=False)
    for _ in range(100):
        tokens = chance.randrange(3, 30)
        model.update(tokens=tokens, passes=1, units=tokens, seconds=0.0005 + 0.00001 * tokens)
    assert model.seconds(20, 1) == pytest.approx(0.0005 + 20 * 0.00001)
    assert model.seconds(10_000, 100) == pytest.approx(10 / BATCH_FILL * 0.0005 + 10_000 * 0.00001)


def test_a_few_sentences_tell_how_long_a_document_takes() -> None:
    """A step takes 1 ms, and 0.2 ms more for each sentence in it; a sentence takes as many steps as tokens."""
    model = CostModel(1000, stepwise=True)
    for number in range(40):
        together = 1 + number % 2
        model.update(
            tokens=20 * together,
            passes=20,
            units=20 * together,
            seconds=20 * (0.001 + 0.0002 * together),
        )
    assert model.seconds(20, 1) == pytest.approx(20 * 0.0012)
    full = BATCH_FILL * 1000 / 20  # sentences in a batch
    steps = 8000 / full
    assert model.seconds(8000, 400) == pytest.approx(steps * (0.001 + 0.0002 * full))


@pytest.mark.parametrize("stepwise", [False, True])
def test_of_batches_all_alike_half_of_the_cost_may_be_shared(stepwise: bool) -> None:
    model = CostModel(1000, stepwise=stepwise)
    for _ in range(100):
        model.update(tokens=20, passes=1, units=20, seconds=0.001)
    assert model.seconds(20, 20) == pytest.approx(0.001)
    assert model.seconds(200, 200) == pytest.approx(0.0005 + 10 * 0.0005)


def test_slices_in_which_nothing_finishes_count() -> None:
    model = CostModel(1000, stepwise=True)
    for number in range(100):
        model.update(tokens=0 if number % 2 else 40, passes=10, units=20, seconds=0.001)
    assert model.seconds(40, 2) == pytest.approx(0.002, rel=0.05)


def test_what_is_long_ago_is_forgotten() -> None:
    model = CostModel(1000, stepwise=False)
    for seconds in [1.0] * 200 + [0.001] * 1000:
        model.update(tokens=100, passes=1, units=100, seconds=seconds)
    assert model.seconds(100, 1) == pytest.approx(0.001, rel=0.01)
