"""The optimiser of a training (AdamW, or Muon for the matrices and AdamW for the rest), the average of weights."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from training.config import Fit
from training.nn.muon import Muon
from training.nn.precision import multiplies_bfloat16


class Optimizer:
    """What `options` ask for, as one optimiser."""

    def __init__(self, network: nn.Module, options: Fit) -> None:
        learnt = {name: value for name, value in network.named_parameters() if value.requires_grad}
        orthogonal = (
            {name for name in learnt if _is_matrix(network, name)}
            if options.optimizer == "muon"
            else set()
        )
        self._parts: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(
                [value for name, value in learnt.items() if name not in orthogonal],
                lr=options.learning_rate,
                weight_decay=options.weight_decay,
                fused=True,
            )
        ]
        if orthogonal:
            matrices = [value for name, value in learnt.items() if name in orthogonal]
            self._parts.append(
                Muon(
                    matrices,
                    lr=options.learning_rate,
                    weight_decay=options.weight_decay,
                    dtype=torch.bfloat16
                    if multiplies_bfloat16(matrices[0].device)
                    else torch.float32,
                )
            )

    def step(self, rate: float) -> None:
        """One step with this learning rate, after which there are no gradients."""
        for part in self._parts:
            for group in part.param_groups:
                group["lr"] = rate
            part.step()
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        return [part.state_dict() for part in self._parts]

    def load_state_dict(self, states: Iterable[dict[str, Any]]) -> None:
        for part, state in zip(self._parts, states, strict=True):
            part.load_state_dict(state)


class WeightAverage:
    """A running mean of the weights (Polyak and Juditsky 1992), which forgets by `decay` at each step.

    In the first steps it forgets faster, so that it is not bound to where the weights began.
    """

    def __init__(self, weights: list[nn.Parameter], decay: float) -> None:
        self._weights, self._decay = weights, decay
        self.values = [weight.detach().clone() for weight in weights] if decay else []

    def add(self, step: int) -> None:
        if self.values:
            share = 1 - min(self._decay, (1 + step) / (10 + step))
            torch._foreach_lerp_(self.values, [weight.data for weight in self._weights], share)

    def swap(self) -> None:
        """Puts the mean into the network, and by the next call the weights back."""
        if self.values:
            for index, weight in enumerate(self._weights):
                weight.data, self.values[index] = self.values[index], weight.data


def _is_matrix(network: nn.Module, name: str) -> bool:
    """Whether a parameter maps vectors to vectors; the rows of an embedding are vectors of their own."""
    owner, _, _ = name.rpartition(".")
    return network.get_parameter(name).ndim == 2 and not isinstance(
        network.get_submodule(owner), nn.Embedding
    )
