"""The three cells, a step at a time as their equations say, and what their gates do once they have learnt.

The networks learn to name the last symbol of a sequence in which symbols stand here and there among noise: so they
must overwrite what they remember when a symbol comes, and keep it otherwise.

    c  w z y a x w y z   ->  a

PyTorch's layers compute the same and show only the states; `tests/training/understand` compares the two.
"""

from pathlib import Path

import torch
from matplotlib import pyplot as plt
from torch import Tensor, nn
from torch.nn import functional

from training.nn.layers import Cell
from training.understand.copy_task import BATCH, NOISE, SYMBOLS, Reader
from training.understand.figure import NAMES, FigureOptions, save, train

LENGTH = 30
SHARE = 0.1
"""Of the signs that are symbols; the first one always is."""

Values = dict[str, Tensor]
"""Of one step: the state `h`, and the gates and what else is in the equations, [batch, hidden] each."""

SHOWN: dict[Cell, tuple[str, ...]] = {
    "rnn": ("h",),
    "lstm": ("i", "f", "o", "c"),
    "gru": ("r", "z", "h"),
}
LABELS = {
    "h": "state h",
    "c": "cell c",
    "i": "input gate i",
    "f": "forget gate f",
    "o": "output gate o",
    "r": "reset gate r",
    "z": "update gate z",
}


class Config(FigureOptions):
    steps: int = 800
    """Steps of a training."""
    cells: tuple[Cell, ...] = ("rnn", "lstm", "gru")
    """A picture for each."""


def draw(config: Config) -> list[Path]:
    """A picture for each cell: gates and states while it reads one sequence. Prints means over many sequences."""
    paths = []
    for cell in config.cells:
        names = SHOWN[cell]
        network = learn(cell, steps=config.steps, seed=config.seed)
        torch.manual_seed(config.seed)  # the same sequences for each cell
        x, gold = sequences(1000)
        with torch.no_grad():
            print(f"{NAMES[cell]}: {(network(x).argmax(-1) == gold).float().mean():.1%} right")
        values = unroll(network.stack.forwards[0], x)
        symbols = x[:, :, :SYMBOLS].sum(-1) > 0
        figure, panels = plt.subplots(
            len(names), 1, figsize=(8, 0.6 + 1.1 * len(names)), squeeze=False, layout="constrained"
        )
        for axes, name in zip(panels[:, 0], names, strict=True):
            whole = torch.stack([step[name] for step in values], dim=1)
            print(f"  {name}: {whole[symbols].mean():.2f} at symbols", end=", ")
            print(f"{whole[~symbols].mean():.2f} at noise")
            low, colours = (-1, "RdBu_r") if name in "hc" else (0, "Greys")
            image = axes.imshow(whole[0].T.numpy(), aspect="auto", cmap=colours, vmin=low, vmax=1)
            axes.set_ylabel(LABELS[name], rotation=0, ha="right", va="center")
            axes.set(yticks=[], xticks=[])
            axes.grid(visible=False)
            figure.colorbar(image, ax=axes, ticks=[low, 1])
        signs = ["abcdefghwxyz"[sign] for sign in x[0].argmax(-1)]
        panels[-1, 0].set_xticks(range(LENGTH), signs)
        paths.append(save(figure, config.out, cell))
        plt.close(figure)
    return paths


def learn(cell: Cell, *, steps: int, seed: int) -> Reader:
    torch.manual_seed(seed)
    network = Reader(cell)

    def loss() -> Tensor:
        x, gold = sequences(BATCH)
        return functional.cross_entropy(network(x), gold)

    train(network, loss, steps=steps)
    return network


def sequences(count: int) -> tuple[Tensor, Tensor]:
    """One-hot sequences [count, LENGTH, symbols and noise] and the last symbol of each [count]."""
    signs = torch.randint(SYMBOLS, SYMBOLS + NOISE, (count, LENGTH))
    symbol = torch.rand(count, LENGTH) < SHARE
    symbol[:, 0] = True
    signs[symbol] = torch.randint(SYMBOLS, (int(symbol.sum()),))
    last = (symbol * torch.arange(LENGTH)).argmax(1)
    return functional.one_hot(signs, SYMBOLS + NOISE).float(), signs[torch.arange(count), last]


def unroll(layer: nn.Module, x: Tensor) -> list[Values]:
    """The values of each step while `layer` (RNN, LSTM or GRU) reads x [batch, time, inputs]."""
    step = {"RNN": rnn_step, "LSTM": lstm_step, "GRU": gru_step}[type(layer).__name__]
    zeros = torch.zeros(len(x), layer.get_parameter("weight_hh_l0").shape[1])
    values: list[Values] = [{"h": zeros, "c": zeros}]
    with torch.no_grad():
        for now in x.unbind(1):
            values.append(step(layer, now, values[-1]))
    return values[1:]


def rnn_step(layer: nn.Module, x: Tensor, last: Values) -> Values:
    return {"h": torch.tanh(from_input(layer, x) + from_state(layer, last["h"]))}


def lstm_step(layer: nn.Module, x: Tensor, last: Values) -> Values:
    total = from_input(layer, x) + from_state(layer, last["h"])
    i, f, g, o = total.chunk(4, dim=-1)  # PyTorch's order
    i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
    c = f * last["c"] + i * g
    return {"i": i, "f": f, "g": g, "o": o, "c": c, "h": o * torch.tanh(c)}


def gru_step(layer: nn.Module, x: Tensor, last: Values) -> Values:
    r_input, z_input, n_input = from_input(layer, x).chunk(3, dim=-1)
    r_state, z_state, n_state = from_state(layer, last["h"]).chunk(3, dim=-1)
    r, z = torch.sigmoid(r_input + r_state), torch.sigmoid(z_input + z_state)
    n = torch.tanh(n_input + r * n_state)
    return {"r": r, "z": z, "n": n, "h": (1 - z) * n + z * last["h"]}


def from_input(layer: nn.Module, x: Tensor) -> Tensor:
    """W x + b for all gates side by side."""
    weight, bias = layer.get_parameter("weight_ih_l0"), layer.get_parameter("bias_ih_l0")
    return functional.linear(x, weight, bias)


def from_state(layer: nn.Module, h: Tensor) -> Tensor:
    """U h + b for all gates side by side."""
    weight, bias = layer.get_parameter("weight_hh_l0"), layer.get_parameter("bias_hh_l0")
    return functional.linear(h, weight, bias)
