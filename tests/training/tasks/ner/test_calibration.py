"""The confidence of entities at a temperature, against the share that is right."""

import numpy as np
import pytest
import torch

from training.evaluation.calibration import mean_log_loss
from training.nn.crf import CRF
from training.tasks.ner.calibration import Batch, graded_predictions

TAGS = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]


def test_the_log_loss_is_least_where_confidence_meets_the_share_that_is_right() -> None:
    emissions = torch.tensor([[[0.0, 3.0, -9.0, -9.0, -9.0]]]).expand(4, 1, 5)
    gold = torch.tensor([[1], [1], [1], [0]])
    lengths = torch.tensor([1, 1, 1, 1])
    batches = [Batch(emissions, gold, lengths, unknown=torch.zeros(4, 5, dtype=torch.bool))]

    def loss_at(temperature: float) -> float:
        found = graded_predictions(CRF(TAGS), TAGS, batches, temperature)
        assert found["LOC"].right == [True, True, True, False]
        assert found["PER"].right == []
        return mean_log_loss(found.values())

    # three of four are right, so odds of 3 to 1 are best: a score of log 3 instead of 3
    best = 3 / np.log(3)
    losses = [loss_at(best * by) for by in (0.8, 1, 1.25)]
    assert losses[1] == min(losses)
    assert losses[1] == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25), abs=1e-3)


def test_a_label_that_is_not_annotated_in_a_text_is_not_graded_there() -> None:
    emissions = torch.tensor([[[0.0, 3.0, -9.0, -9.0, -9.0]]]).expand(2, 1, 5)
    gold, lengths = torch.tensor([[1], [0]]), torch.tensor([1, 1])
    unknown = torch.tensor([[False] * 5, [False, True, True, False, False]])
    found = graded_predictions(CRF(TAGS), TAGS, [Batch(emissions, gold, lengths, unknown)], 1.0)
    assert found["LOC"].right == [True]
