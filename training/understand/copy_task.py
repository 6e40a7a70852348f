"""The copy problem with one symbol, and a network that learns it.

A sequence begins with one of 8 symbols; then come signs of noise, drawn from 4 others. After the last one the
network is to name the symbol. Guessing is right once in 8 times.

    c  w z z y x w y   ->  c        (a gap of 7)
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.nn.layers import Cell, RecurrentStack
from training.understand.figure import train

SYMBOLS, NOISE = 8, 4
BATCH, HIDDEN = 32, 32
CHECKED, CHECK_EVERY = 256, 50


class Reader(nn.Module):
    """A recurrent layer, and the symbol read off its last state."""

    def __init__(self, cell: Cell) -> None:
        super().__init__()
        self.stack = RecurrentStack(
            SYMBOLS + NOISE, HIDDEN, cell=cell, layers=1, bidirectional=False, merge="concat"
        )
        self.output = nn.Linear(HIDDEN, SYMBOLS)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, time, symbols and noise] -> [batch, symbols]."""
        lengths = torch.full((len(x),), x.shape[1])
        logits: Tensor = self.output(self.stack(x, lengths)[1])
        return logits


def sequences(gap: int, count: int) -> tuple[Tensor, Tensor]:
    """One-hot sequences [count, 1 + gap, symbols and noise] and the symbols to name [count]."""
    signs = torch.randint(SYMBOLS, SYMBOLS + NOISE, (count, 1 + gap))
    signs[:, 0] = torch.randint(SYMBOLS, (count,))
    return functional.one_hot(signs, SYMBOLS + NOISE).float(), signs[:, 0]


@dataclass
class Learnt:
    network: Reader
    accuracies: list[tuple[int, float]] = field(default_factory=list)
    """After how many steps which share of the longest gaps was right."""

    @property
    def accuracy(self) -> float:
        return self.accuracies[-1][1]


def learn(cell: Cell, gap: int, *, steps: int, seed: int) -> Learnt:
    """Trains on gaps from 1 to `gap`, all as likely, until the longest comes out right twice running."""
    torch.manual_seed(seed)
    learnt = Learnt(Reader(cell))
    checked = sequences(gap, CHECKED)

    def solved(step: int) -> bool:
        if step % CHECK_EVERY == 0 or step == steps:
            learnt.accuracies.append((step, accuracy(learnt.network, *checked)))
        return [share for _, share in learnt.accuracies[-2:]] == [1.0, 1.0]

    train(learnt.network, copy_loss(learnt.network, gap), steps=steps, solved=solved)
    return learnt


def copy_loss(network: Reader, longest: int) -> Callable[[], Tensor]:
    def loss() -> Tensor:
        x, gold = sequences(int(torch.randint(1, longest + 1, ())), BATCH)
        return functional.cross_entropy(network(x), gold)

    return loss


@torch.no_grad()
def accuracy(network: Reader, x: Tensor, gold: Tensor) -> float:
    return float((network(x).argmax(-1) == gold).float().mean())
