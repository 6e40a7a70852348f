"""The steps written as equations are PyTorch's layers; the problems are what they say."""

import numpy as np
import pytest
import torch
from torch import Tensor

from training.nn.layers import CELLS, Cell
from training.understand import cells, copy_task, layers
from training.understand.gradient import norms_by_distance


@pytest.mark.parametrize("cell", CELLS)
def test_the_equations_give_the_states_of_the_layer(cell: Cell) -> None:
    torch.manual_seed(0)
    layer = CELLS[cell](4, 5, batch_first=True)
    x = torch.randn(3, 7, 4)
    states = torch.stack([step["h"] for step in cells.unroll(layer, x)], dim=1)
    torch.testing.assert_close(states, layer(x)[0])


def signs(x: Tensor) -> list[list[int]]:
    return [[int(sign) for sign in row] for row in x.argmax(-1)]


def test_the_last_symbol_is_the_one_after_which_only_noise_comes() -> None:
    x, gold = cells.sequences(50)
    for row, symbol in zip(signs(x), gold.tolist(), strict=True):
        assert [sign for sign in row if sign < copy_task.SYMBOLS][-1] == symbol


def test_the_symbol_to_copy_is_the_first_and_only_one() -> None:
    x, gold = copy_task.sequences(9, 50)
    assert x.shape == (50, 10, copy_task.SYMBOLS + copy_task.NOISE)
    for row, symbol in zip(signs(x), gold.tolist(), strict=True):
        assert [sign for sign in row if sign < copy_task.SYMBOLS] == [symbol] == row[:1]


def test_a_short_gap_is_learnt_and_then_the_training_ends() -> None:
    learnt = copy_task.learn("lstm", 4, steps=600, seed=1)
    assert learnt.accuracy == 1.0
    assert learnt.accuracies[-1][0] < 600


def test_a_matrix_that_halves_the_state_halves_the_gradient_at_each_step() -> None:
    reader = copy_task.Reader("rnn")
    weights = dict(reader.stack.named_parameters())
    weights["forwards.0.weight_hh_l0"].data = 0.5 * torch.eye(copy_task.HIDDEN)
    weights["forwards.0.weight_ih_l0"].data *= 1e-4  # where tanh is a straight line
    shares = norms_by_distance(reader, *copy_task.sequences(6, 4))
    np.testing.assert_allclose(shares, 0.5 ** np.arange(7), rtol=1e-3)


def test_a_tag_says_whether_the_neighbours_differ() -> None:
    x, tags = layers.sequences(20)
    for row, own in zip(signs(x), tags.tolist(), strict=True):
        assert own == [int(row[at - 1] != row[at + 1]) for at in range(1, len(row) - 1)]
