"""The optimiser: which parameters Muon takes, what its steps are like, and that it goes on where it was."""

import pytest
import torch
from torch import Tensor, nn

from training.config import Fit
from training.nn.optimizer import Optimizer


class Embedded(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(20, 12)
        self.linear = nn.Linear(12, 8)

    def loss(self, shift: int) -> Tensor:
        read: Tensor = self.linear(self.embedding((torch.arange(20) + shift) % 20))
        return (read.cos() * torch.linspace(-1, 1, 8)).sum()


def trained(network: Embedded, optimizer: Optimizer, steps: range) -> None:
    for step in steps:
        network.loss(step).backward()  # type: ignore[no-untyped-call]
        optimizer.step(0.01)


def options(optimizer: str) -> Fit:
    return Fit.model_validate({"optimizer": optimizer, "weight_decay": 0.0})


def test_adamw_is_that_of_pytorch() -> None:
    network, ours = Embedded(), Embedded()
    trained(ours, Optimizer(ours, options("adamw")), range(3))
    theirs = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=0.0, fused=True)
    for step in range(3):
        theirs.zero_grad()
        network.loss(step).backward()  # type: ignore[no-untyped-call]
        theirs.step()
    for mine, other in zip(ours.parameters(), network.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_muon_moves_a_matrix_alike_in_all_directions_and_nothing_else() -> None:
    moved, plain = Embedded(), Embedded()
    before = moved.linear.weight.detach().clone()
    trained(moved, Optimizer(moved, options("muon")), range(1))
    trained(plain, Optimizer(plain, options("adamw")), range(1))
    values = torch.linalg.svdvals(moved.linear.weight.detach() - before)
    assert values.max() < 2 * values.min()
    by_adamw = torch.linalg.svdvals(plain.linear.weight.detach() - before)
    assert by_adamw.max() > 4 * by_adamw.min()
    assert torch.equal(moved.embedding.weight, plain.embedding.weight)
    assert torch.equal(moved.linear.bias, plain.linear.bias)


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_it_goes_on_from_its_state(name: str) -> None:
    whole = Embedded()
    trained(whole, Optimizer(whole, options(name)), range(6))
    half = Embedded()
    first = Optimizer(half, options(name))
    trained(half, first, range(3))
    second = Optimizer(half, options(name))
    second.load_state_dict(first.state_dict())
    trained(half, second, range(3, 6))
    for mine, other in zip(half.parameters(), whole.parameters(), strict=True):
        assert torch.equal(mine, other)
