"""The fast GRU is PyTorch's, in values and in gradients."""

import pytest
import torch
from torch import Tensor, nn

from training.nn.gru import GRU


def both(inputs: int, hidden: int) -> tuple[nn.GRU, GRU]:
    torch.manual_seed(1)
    slow, fast = nn.GRU(inputs, hidden, batch_first=True), GRU(inputs, hidden, batch_first=True)
    fast.load_state_dict(slow.state_dict())
    return slow, fast


def run(layer: nn.GRU, x: Tensor, state: Tensor | None) -> list[Tensor]:
    """Outputs, the last state, and the gradient of something of both by all that goes in."""
    known = [each for each in (x, state) if each is not None]
    outputs, last = layer(x, state)
    aim = outputs.float().sin().sum() + last.float().square().sum()
    return [outputs, last, *torch.autograd.grad(aim, [*known, *layer.parameters()])]


@pytest.mark.parametrize("with_state", [True, False])
@pytest.mark.parametrize(("rows", "steps"), [(3, 9), (1, 1), (5, 30)])
def test_values_and_gradients_are_those_of_pytorch(rows: int, steps: int, with_state: bool) -> None:
    slow, fast = (layer.double() for layer in both(7, 5))
    x = torch.randn(rows, steps, 7, dtype=torch.float64, requires_grad=True)
    state = torch.randn(1, rows, 5, dtype=torch.float64, requires_grad=True) if with_state else None
    for expected, found in zip(run(slow, x, state), run(fast, x, state), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


def test_bfloat16_is_near() -> None:
    slow, fast = both(64, 48)
    x = torch.randn(8, 20, 64, requires_grad=True)
    expected = run(slow, x, None)
    with torch.autocast("cpu", torch.bfloat16):
        found = run(fast, x, None)
    assert found[0].dtype == torch.bfloat16
    for one, other in zip(expected, found, strict=True):
        difference = (one - other.float()).norm() / one.norm()
        assert 0 < difference < 0.02


def test_without_gradients_it_gives_the_same() -> None:
    _, fast = both(4, 3)
    x = torch.randn(2, 6, 4)
    with torch.no_grad():
        still = fast(x)[0]
    assert torch.equal(still, fast(x)[0])
