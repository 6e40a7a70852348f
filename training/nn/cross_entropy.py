"""Projection onto a vocabulary and cross-entropy in one, a few rows at a time.

The logits of a batch, rows times vocabulary, are the largest tensor of a translator's training. Here they are
never all there, and their gradient is made while they are (Hsu et al. 2024, Liger Kernel).
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

ROWS = 512


def projected_cross_entropy(
    read: Tensor,
    weight: Tensor,
    bias: Tensor,
    target: Tensor,
    smoothing: float,
    sampled: float = 1.0,
) -> Tensor:
    """`cross_entropy(linear(read, weight, bias), target, label_smoothing=smoothing)`, the mean over rows.

    read: [rows, features], weight: [vocabulary, features], bias: [vocabulary], target: [rows].
    Under `torch.autocast` to bfloat16 the logits are in bfloat16.

    sampled: with less than 1 the sum over the vocabulary is estimated from the targets of all rows and this share
    of the other classes, drawn at random and weighted accordingly (Jean et al. 2015, On Using Very Large Target
    Vocabulary for Neural Machine Translation; here the estimate of the sum is unbiased).
    """
    if sampled < 1:
        present = torch.zeros(len(weight), dtype=torch.bool, device=weight.device)
        present[target] = True
        drawn = torch.rand(len(weight), device=weight.device) < sampled
        classes = (present | drawn).nonzero()[:, 0]
        place = torch.zeros(len(weight), dtype=torch.long, device=weight.device)
        place[classes] = torch.arange(len(classes), device=weight.device)
        counts = torch.where(present[classes], 1.0, 1.0 / sampled)
        weight, bias, target = weight[classes], bias[classes], place[target]
    else:
        counts = torch.ones_like(bias)
    dtype = read.dtype
    if torch.is_autocast_enabled(read.device.type):
        dtype = torch.get_autocast_dtype(read.device.type)
    with torch.autocast(read.device.type, enabled=False):  # it would have the softmax in float32
        loss: Tensor = _ProjectedCrossEntropy.apply(
            read, weight, bias, target, counts.float(), smoothing, dtype
        )
    return loss


class _ProjectedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        read: Tensor,
        weight: Tensor,
        bias: Tensor,
        target: Tensor,
        counts: Tensor,
        smoothing: float,
        dtype: torch.dtype,
    ) -> Tensor:
        """counts: for how many classes of the vocabulary each stands, the targets for themselves."""
        logarithms = counts.log()
        narrow, narrow_bias = weight.to(dtype), (bias + logarithms).to(dtype)
        size, everything = len(weight), counts.sum()
        shares = (counts / everything).to(dtype)
        offset = (shares.float() * logarithms).sum()
        by_read = torch.empty_like(read)
        by_weight = torch.zeros(weight.shape, dtype=torch.float32, device=weight.device)
        by_bias = torch.zeros(bias.shape, dtype=torch.float32, device=bias.device)
        ones = torch.ones(1, ROWS, dtype=dtype, device=weight.device)
        loss = torch.zeros((), dtype=torch.float32, device=read.device)
        # memory is taken once: to be given new pages costs as much as to compute them
        both = torch.empty(2, min(ROWS, len(read)), size, dtype=dtype, device=weight.device)
        for start in range(0, len(read), ROWS):
            part = slice(start, start + ROWS)
            rows = read[part].to(dtype)
            wanted = (torch.arange(len(rows), device=rows.device), target[part])
            logits, chances = both[:, : len(rows)]
            torch.addmm(narrow_bias, rows, narrow.t(), out=logits)
            torch.softmax(logits, dim=-1, out=chances)
            likelihood = chances[wanted].float().clamp_min_(1e-30).log_()
            loss -= (1 - smoothing) * likelihood.sum()
            if smoothing:
                # the mean log-probability of all: mean logit minus that of the target, plus the target's
                mean = (logits @ shares).float() - offset
                loss -= smoothing * (mean - logits[wanted].float() + likelihood).sum()
                chances -= smoothing * shares
            chances[wanted] -= 1 - smoothing
            by_read[part] = chances @ narrow
            by_weight += chances.t() @ rows
            by_bias += (ones[:, : len(rows)] @ chances)[0]  # faster than a sum
        ctx.save_for_backward(*(each / len(read) for each in (by_read, by_weight, by_bias)))
        return loss / len(read)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        by_read, by_weight, by_bias = ctx.saved_tensors
        by_all = gradient * by_read, gradient * by_weight, gradient * by_bias
        return *by_all, None, None, None, None
