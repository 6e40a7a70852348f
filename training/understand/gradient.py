"""How the gradient fades on its way back through time: before and after learning the copy problem."""

from pathlib import Path

import numpy as np
import torch
from matplotlib import pyplot as plt
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.nn.layers import CELLS
from training.understand.copy_task import CHECKED, Reader, learn, sequences
from training.understand.figure import COLOURS, NAMES, FigureOptions, save

FACTORS = (0.8, 1.0, 1.4)
"""What the simple RNN's recurrent matrix, orthogonal at first, is multiplied by."""
SHADES = ("#bbbbbb", "#777777", "#222222")


class Config(FigureOptions):
    steps: int = 1600
    """Most steps of a training, which ends once the problem is solved."""
    gap: int = 100
    """Steps of noise between the symbol and its recall."""


def draw(config: Config) -> list[Path]:
    """Draws the curves, and prints their values ten steps before the end and at the symbol."""
    figure, (factors, before, after) = plt.subplots(
        1, 3, figsize=(11, 3.6), sharey=True, layout="constrained"
    )
    torch.manual_seed(config.seed)
    x, gold = sequences(config.gap, CHECKED)
    for factor, shade in zip(FACTORS, SHADES, strict=True):
        torch.manual_seed(config.seed)
        network = Reader("rnn")
        dict(network.stack.named_parameters())["forwards.0.weight_hh_l0"].data *= factor
        norms = norms_by_distance(network, x, gold)
        factors.semilogy(norms, color=shade, label=f"matrix times {factor}")
        print(f"simple RNN, matrix times {factor}: {norms[:11][-1]:.1e}, {norms[-1]:.1e}")
    for cell in CELLS:
        for axes, when, steps in ((before, "before", 0), (after, "after", config.steps)):
            network = learn(cell, config.gap, steps=steps, seed=config.seed).network
            norms = norms_by_distance(network, x, gold)
            axes.semilogy(norms, color=COLOURS[cell], label=NAMES[cell])
            print(f"{NAMES[cell]}, {when} training: {norms[:11][-1]:.1e}, {norms[-1]:.1e}")
    factors.set_ylim(1e-16, 1e4)
    factors.set(title="simple RNN, before training", ylabel="gradient, as a share of the last")
    before.set(title="three cells, before training", xlabel="steps before the end")
    after.set(title="after training")
    for axes in (factors, before):
        axes.legend(loc="lower left")
    path = save(figure, config.out, "gradient")
    plt.close(figure)
    return [path]


def norms_by_distance(network: Reader, x: Tensor, gold: Tensor) -> NDArray[np.float64]:
    """Norm of d(loss)/d(input at t) by the distance of t from the end, as a share of that at the end.

    Shares are averaged as logarithms over the sequences.
    """
    inputs = x.clone().requires_grad_()
    loss = functional.cross_entropy(network(inputs), gold, reduction="sum")
    norms = torch.autograd.grad(loss, inputs)[0].double().norm(dim=-1).flip(1).clamp_min(1e-30)
    shares: NDArray[np.float64] = (norms / norms[:, :1]).log().mean(0).exp().numpy()
    return shares
