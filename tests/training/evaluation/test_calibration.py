"""Calibration: its error, the temperature and the offsets, against cases worked by hand."""

import numpy as np
import pytest

from training.evaluation.calibration import (
    GradedPredictions,
    best_temperature,
    expected_error,
    log_odds_offsets,
    mean_log_loss,
)


def test_the_calibration_error_is_that_worked_by_hand() -> None:
    sure = [0.9, 0.9, 0.9, 0.9, 0.6, 0.6]
    right = [True, True, True, False, True, False]
    wanted = (4 * abs(0.75 - 0.9) + 2 * abs(0.5 - 0.6)) / 6
    assert expected_error(GradedPredictions(sure, right)) == round(wanted, 4)
    assert expected_error(GradedPredictions([1.0, 1.0], [True, True])) == 0.0
    assert expected_error(GradedPredictions([0.0], [True])) == 1.0
    assert expected_error(GradedPredictions([], [])) == 0.0


def test_the_temperature_is_the_likeliest_one_within_bounds() -> None:
    assert abs(best_temperature(lambda value: (value - 1.7) ** 2) - 1.7) < 1e-3
    assert abs(best_temperature(lambda value: value) - 0.2) < 1e-3
    assert abs(best_temperature(lambda value: -value) - 5.0) < 1e-3
    assert 0.2 <= best_temperature(lambda value: 0.0) <= 5.0


def test_a_label_that_is_right_more_often_than_sure_is_made_surer_by_its_odds() -> None:
    right = [True] * 300 + [False] * 100
    found = {
        "LOC": GradedPredictions([0.5] * 400, right),
        "ORG": GradedPredictions([0.9] * 400, right),
        "PER": GradedPredictions([0.75] * 400, right),
        "MISC": GradedPredictions([], []),
        "ALL": GradedPredictions([1.0] * 9, [True] * 9),
    }
    found_offsets = log_odds_offsets(found)
    assert found_offsets["LOC"] == pytest.approx(np.log(3), abs=0.02)
    assert found_offsets["ORG"] == pytest.approx(np.log(3 / 9), abs=0.02)
    assert abs(found_offsets["PER"]) < 0.02
    assert found_offsets["MISC"] == 0.0
    assert -0.1 < found_offsets["ALL"] < 0.1


def test_the_log_loss_is_that_worked_by_hand() -> None:
    found = [GradedPredictions([0.75, 0.75], [True, False]), GradedPredictions([0.5], [True])]
    losses = -np.log([0.75, 0.25, 0.5])
    assert mean_log_loss(found) == pytest.approx(losses.mean())
    assert mean_log_loss([]) == 0.0
