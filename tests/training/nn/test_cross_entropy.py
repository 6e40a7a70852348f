"""Projection and cross-entropy in one give what they give one after the other."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from training.nn.cross_entropy import ROWS, projected_cross_entropy


def inputs(rows: int) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    torch.manual_seed(1)
    shapes = ((rows, 16), (50, 16), (50,))
    read, weight, bias = (torch.randn(shape, requires_grad=True) for shape in shapes)
    return (read, weight, bias), torch.randint(50, (rows,))


@pytest.mark.parametrize("rows", [1, ROWS, 2 * ROWS + 3])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_and_gradients_are_those_of_pytorch(rows: int, smoothing: float) -> None:
    known, target = inputs(rows)
    logits = functional.linear(*known)
    expected = functional.cross_entropy(logits, target, label_smoothing=smoothing)
    found = projected_cross_entropy(*known, target, smoothing)
    torch.testing.assert_close(found, expected)
    wanted = torch.autograd.grad(expected * 3, known)
    for one, other in zip(wanted, torch.autograd.grad(found * 3, known), strict=True):
        torch.testing.assert_close(other, one, atol=1e-6, rtol=1e-4)


def test_bfloat16_is_near() -> None:
    known, target = inputs(700)
    expected = projected_cross_entropy(*known, target, 0.1)
    with torch.autocast("cpu", torch.bfloat16):
        found = projected_cross_entropy(*known, target, 0.1)
    assert 0 < abs(found - expected) < 0.02 * expected
    gradients = zip(
        torch.autograd.grad(expected, known), torch.autograd.grad(found, known), strict=True
    )
    assert all((one - other).norm() < 0.02 * one.norm() for one, other in gradients)


def test_a_target_that_is_impossible_gives_no_infinity() -> None:
    read, weight = torch.ones(1, 1), torch.tensor([[1000.0], [-1000.0]])
    assert projected_cross_entropy(read, weight, torch.zeros(2), torch.tensor([1]), 0.0) > 60


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_sample_of_the_classes_estimates_loss_and_gradients(smoothing: float) -> None:
    (read, weight, bias), target = inputs(8)
    known = ((read / 8).detach().requires_grad_(), weight, bias)  # no class outweighs all others
    expected = projected_cross_entropy(*known, target, smoothing)
    wanted = torch.autograd.grad(expected, known)
    draws = 400
    mean, gradients = 0.0, [torch.zeros_like(one) for one in known]
    for _ in range(draws):
        loss = projected_cross_entropy(*known, target, smoothing, 0.7)
        mean += loss.item() / draws
        for total, one in zip(gradients, torch.autograd.grad(loss, known), strict=True):
            total += one / draws
    assert mean == pytest.approx(expected.item(), rel=0.02)
    assert all(
        (one - other).norm() < 0.15 * one.norm()
        for one, other in zip(wanted, gradients, strict=True)
    )


def test_of_a_sample_the_targets_are_always_part() -> None:
    known, target = inputs(8)
    loss = projected_cross_entropy(*known, target, 0.0, 1e-9)
    alone = functional.linear(*known)[:, target.unique()]
    place = {one: at for at, one in enumerate(target.unique().tolist())}
    wanted = functional.cross_entropy(alone, torch.tensor([place[one] for one in target.tolist()]))
    torch.testing.assert_close(loss, wanted)
