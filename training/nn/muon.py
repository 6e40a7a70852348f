"""Muon: momentum for matrices, orthogonalised by Newton-Schulz iterations (Jordan et al. 2024).

`torch.optim.Muon` always multiplies in bfloat16, which a CPU without instructions for it emulates: a step of the
shipped translator took four times as long there. This one takes the type in which it multiplies as an option.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic polynomial, chosen by Jordan et al. for its slope at zero."""

ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """For matrices only; steps are as large as those of AdamW, so one learning rate fits both (Liu et al. 2025).

    dtype: in which matrices are multiplied.
    """

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        *,
        lr: float,
        weight_decay: float,
        momentum: float = 0.95,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self._dtype = dtype

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Changes each matrix that has a gradient. `closure` is not supported."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(matrix.grad)
                mean = state["momentum_buffer"]
                mean.lerp_(matrix.grad, 1 - group["momentum"])
                update = matrix.grad.lerp(mean, group["momentum"])  # Nesterov
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(
                    orthogonalized(update, self._dtype),
                    alpha=-group["lr"] * 0.2 * math.sqrt(max(matrix.shape)),
                )


def orthogonalized(matrix: Tensor, dtype: torch.dtype) -> Tensor:
    """About U V^T, where U S V^T is the singular value decomposition: its singular values are 0.7 to 1.2.

    matrix: (rows, columns); the result has its shape, and `dtype`.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    found = (matrix.T if tall else matrix).to(dtype)
    found = found / found.norm().clamp(min=1e-7)  # no singular value above 1
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        gram = found @ found.T
        found = torch.addmm(found, torch.addmm(gram, gram, gram, beta=b, alpha=c), found, beta=a)
    return found.T if tall else found
