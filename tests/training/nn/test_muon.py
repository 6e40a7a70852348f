"""Muon makes the steps of PyTorch's, in bfloat16 bit for bit, and its updates are nearly orthogonal."""

import pytest
import torch
from torch import nn

from training.nn.muon import Muon, orthogonalized


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("shape", [(6, 40), (40, 6), (16, 16)])
def test_its_steps_are_those_of_pytorch(shape: tuple[int, int], dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    ours, theirs = (nn.Parameter(torch.zeros(shape)) for _ in range(2))
    mine = Muon([ours], lr=0.01, weight_decay=0.1, dtype=dtype)
    other = torch.optim.Muon([theirs], lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(5):
        gradient = torch.randn(shape)
        for parameter, optimizer in ((ours, mine), (theirs, other)):
            parameter.grad = gradient.clone()
            optimizer.step()
    if dtype == torch.bfloat16:
        assert torch.equal(ours, theirs)
    else:
        assert (
            torch.nn.functional.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0) > 0.999
        )


@pytest.mark.parametrize("shape", [(8, 50), (50, 8)])
def test_an_update_is_nearly_orthogonal(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    found = orthogonalized(torch.randn(shape) @ torch.diag(torch.rand(shape[1])), torch.float32)
    assert found.shape == shape
    sizes = torch.linalg.svdvals(found)
    assert sizes.min() > 0.6
    assert sizes.max() < 1.3


def test_matrices_without_a_gradient_stay() -> None:
    matrix = nn.Parameter(torch.ones(2, 3))
    Muon([matrix], lr=1.0, weight_decay=0.5).step()
    assert torch.equal(matrix, torch.ones(2, 3))
