"""Directions, merges and depth: a tagging problem that needs what stands on both sides, and two layers.

Sequences are random zeros and ones. The tag of a step says whether the signs before and after it differ; the first
and the last step have no tag.

    0 1 1 0 1 0 0
      1 1 0 0 1
"""

from itertools import product
from pathlib import Path
from typing import get_args

import torch
from matplotlib import pyplot as plt
from torch import Tensor, nn
from torch.nn import functional

from training.nn.layers import Merge, RecurrentStack
from training.understand.figure import FigureOptions, save, train

LENGTH, BATCH, HIDDEN = 8, 32, 16


class Config(FigureOptions):
    steps: int = 300
    """Steps of a training."""


class Tagger(nn.Module):
    """GRU layers, and a tag read off each output."""

    def __init__(self, layers: int, merge: Merge | None) -> None:
        """merge: of the two directions; None: only one, forward."""
        super().__init__()
        self.stack = RecurrentStack(
            2,
            HIDDEN,
            cell="gru",
            layers=layers,
            bidirectional=merge is not None,
            merge=merge or "concat",
        )
        self.output = nn.Linear(self.stack.outputs, 2)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, time, 2] -> [batch, time - 2, 2]: no tags for the first and the last step."""
        outputs, _ = self.stack(x, torch.full((len(x),), x.shape[1]))
        logits: Tensor = self.output(outputs[:, 1:-1])
        return logits


def draw(config: Config) -> list[Path]:
    """Prints the accuracy of each network, and draws them as bars."""
    merges: tuple[Merge | None, ...] = (None, *get_args(Merge))
    figure, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
    for layers, merge in product((1, 2), merges):
        accuracy = learn(layers, merge, steps=config.steps, seed=config.seed)
        print(f"{layers} layers, {merge or 'forward only'}: {accuracy:.0%}")
        place = merges.index(merge) + (layers - 1.5) * 0.4
        bars = axes.bar(place, accuracy, 0.36, color=("#9db8d9", "#1f5fa8")[layers - 1])
        axes.bar_label(bars, fmt="{:.0%}")
        if not merge:
            bars.set_label(f"{layers} layer{'s' * (layers > 1)}")
    axes.axhline(0.5, color="black", linewidth=0.8, linestyle=":")
    names = ["forward only", *(f"both, {merge}" for merge in merges[1:])]
    axes.set_xticks(range(len(merges)), names)
    axes.set(ylabel="tags right", ylim=(0, 1.1))
    axes.grid(visible=False)
    axes.legend(loc="lower right", framealpha=1)
    path = save(figure, config.out, "layers")
    plt.close(figure)
    return [path]


def learn(layers: int, merge: Merge | None, *, steps: int, seed: int) -> float:
    """The accuracy on new sequences after a training."""
    torch.manual_seed(seed)
    network = Tagger(layers, merge)

    def loss() -> Tensor:
        x, gold = sequences(BATCH)
        return functional.cross_entropy(network(x).flatten(0, 1), gold.flatten())

    train(network, loss, steps=steps, learning_rate=0.01)
    x, gold = sequences(1000)
    with torch.no_grad():
        return float((network(x).argmax(-1) == gold).float().mean())


def sequences(count: int) -> tuple[Tensor, Tensor]:
    """One-hot signs [count, time, 2] and the tags [count, time - 2]."""
    signs = torch.randint(2, (count, LENGTH))
    return functional.one_hot(signs, 2).float(), signs[:, :-2] ^ signs[:, 2:]
