"""A GRU layer that trains fast on a CPU: the backward pass is written by hand.

PyTorch's own layer records every operation of every step and then multiplies the gradients of the weights step
by step. Here a step of either pass is one product of matrices and a few operations on whole rows, and the
gradients of the weights are one product over all steps (Appleyard et al. 2016, Optimizing Performance of
Recurrent Neural Networks on GPUs).
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional


class GRU(nn.GRU):
    """`nn.GRU` of one layer and one direction, batch first; the same weights and the same function.

    Under `torch.autocast("cpu", torch.bfloat16)` products and gates are in bfloat16, the state in float32.
    """

    def forward(  # type: ignore[override]  # no packed sequences
        self, x: Tensor, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """[batch, time, inputs], [1, batch, hidden] -> [batch, time, hidden], [1, batch, hidden]."""
        if x.is_cuda:
            return super().forward(x, state)  # cuDNN's
        narrow = torch.is_autocast_enabled("cpu")
        dtype, wide = (torch.bfloat16, torch.float32) if narrow else (x.dtype, x.dtype)
        first = x.new_zeros(len(x), self.hidden_size) if state is None else state[0]
        with torch.autocast("cpu", enabled=False):
            outputs = _Recurrence.apply(
                x.to(dtype).transpose(0, 1),
                first.to(wide),
                self.weight_ih_l0,
                self.weight_hh_l0,
                self.bias_ih_l0,
                self.bias_hh_l0,
                dtype,
            )
        return outputs.transpose(0, 1), outputs[-1:]


class _Recurrence(torch.autograd.Function):
    """[time, batch, inputs], [batch, hidden] -> [time, batch, hidden] with gates in PyTorch's order r, z, n."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        first: Tensor,
        input_weight: Tensor,
        hidden_weight: Tensor,
        input_bias: Tensor,
        hidden_bias: Tensor,
        dtype: torch.dtype,
    ) -> Tensor:
        x, input_weight, hidden_weight = (
            each.to(dtype) for each in (x.contiguous(), input_weight, hidden_weight)
        )
        steps, rows, hidden = len(x), len(first), first.shape[1]
        from_input = functional.linear(x, input_weight, input_bias.to(dtype))
        from_hidden = torch.empty_like(from_input)
        gates = torch.empty(steps, rows, 2 * hidden, dtype=dtype)
        news = torch.empty(steps, rows, hidden, dtype=dtype)
        outputs = torch.empty(1 + steps, rows, hidden, dtype=dtype)
        outputs[0] = first
        transposed, bias, state = hidden_weight.t(), hidden_bias.to(dtype), first
        for step in range(steps):
            ahead = torch.addmm(bias, outputs[step], transposed, out=from_hidden[step])
            gate = torch.add(
                from_input[step, :, : 2 * hidden], ahead[:, : 2 * hidden], out=gates[step]
            ).sigmoid_()
            new = torch.addcmul(
                from_input[step, :, 2 * hidden :],
                gate[:, :hidden],
                ahead[:, 2 * hidden :],
                out=news[step],
            ).tanh_()
            state = torch.lerp(new.to(state.dtype), state, gate[:, hidden:].to(state.dtype))
            outputs[step + 1] = state
        ctx.wide = first.dtype
        ctx.save_for_backward(
            x,
            input_weight,
            hidden_weight,
            gates,
            news,
            outputs,
            from_hidden[:, :, 2 * hidden :],
        )
        return outputs[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, input_weight, hidden_weight, gates, news, outputs, ahead = ctx.saved_tensors
        steps, rows, hidden = news.shape
        dtype, befores, both = news.dtype, outputs[:-1], 2 * hidden
        # what reaches r, z and n from the input's side; n's hidden side lies behind its reset gate
        to_gates = torch.empty(steps, rows, 3 * hidden, dtype=dtype)
        to_ahead = torch.empty(steps, rows, hidden, dtype=dtype)
        inside = torch.empty(rows, both, dtype=dtype)
        carried = torch.zeros(rows, hidden, dtype=ctx.wide)
        for step in reversed(range(steps)):
            total = carried + gradient[step].to(ctx.wide)
            narrow, gate, new = total.to(dtype), gates[step], news[step]
            reset, update = gate[:, :hidden], gate[:, hidden:]
            from_new = torch.ops.aten.tanh_backward(
                torch.addcmul(narrow, narrow, update, value=-1), new
            )
            to_gates[step, :, both:] = from_new
            torch.mul(from_new, reset, out=to_ahead[step])
            torch.mul(from_new, ahead[step], out=inside[:, :hidden])
            torch.mul(befores[step] - new, narrow, out=inside[:, hidden:])
            torch.ops.aten.sigmoid_backward.grad_input(
                inside, gate, grad_input=to_gates[step, :, :both]
            )
            back = torch.addmm(
                to_ahead[step] @ hidden_weight[both:],
                to_gates[step, :, :both],
                hidden_weight[:both],
            )
            carried = torch.addcmul(back.to(ctx.wide), total, update.to(ctx.wide))
        flat_gates = to_gates.view(steps * rows, -1)
        flat_ahead = to_ahead.view(steps * rows, -1)
        flat_before = befores.reshape(steps * rows, -1)
        ones = torch.ones(1, steps * rows, dtype=dtype)  # a product adds up faster than `sum` does
        by_bias, by_ahead_bias = (ones @ flat_gates)[0], (ones @ flat_ahead)[0]
        by_hidden_weight = torch.cat(
            [flat_gates[:, :both].t() @ flat_before, flat_ahead.t() @ flat_before]
        )
        return (
            (flat_gates @ input_weight).view(steps, rows, -1),
            carried,
            (flat_gates.t() @ x.reshape(steps * rows, -1)).to(ctx.wide),
            by_hidden_weight.to(ctx.wide),
            by_bias.to(ctx.wide),
            torch.cat([by_bias[:both], by_ahead_bias]).to(ctx.wide),
            None,
        )
