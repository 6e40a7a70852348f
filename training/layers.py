"""The bricks that the three networks share: the recurrent stack, the CRF, attention.

All tensors are batch first: `x` is [batch, time, features], `lengths` is [batch].
"""

from typing import Literal

import torch
from torch import Tensor, nn

from training.batches import mask
from training.gru import GRU

Cell = Literal["rnn", "lstm", "gru"]
Merge = Literal["concat", "sum", "mean", "max"]
CELLS: dict[Cell, type[nn.RNN] | type[nn.LSTM] | type[nn.GRU]] = {
    "rnn": nn.RNN,
    "lstm": nn.LSTM,
    "gru": GRU,
}
FORBIDDEN = -10_000.0
"""Score of a transition that cannot be, as from O to I-PER."""


class RecurrentStack(nn.Module):
    """Layers of one recurrent cell, in one or both directions, merged after every layer.

    Sequences are padded at their end; the backward direction reads each one reversed within its own
    length, so padding never reaches a state. Outputs at padded positions are 0.
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        *,
        cell: Cell,
        layers: int,
        bidirectional: bool,
        merge: Merge,
        dropout: float = 0.0,
        residual: bool = False,
    ) -> None:
        """residual: from the second layer on, the output of a layer is added to that of the one below."""
        super().__init__()
        self.residual = residual
        self.cell, self.bidirectional, self.merge, self.hidden = cell, bidirectional, merge, hidden
        self.outputs = hidden * (2 if bidirectional and merge == "concat" else 1)
        """Features of the output."""
        self.last_outputs = hidden * (2 if bidirectional else 1)
        """Features of the last state."""
        self.forwards, self.backwards = nn.ModuleList(), nn.ModuleList()
        for layer in range(layers):
            size = inputs if layer == 0 else self.outputs
            self.forwards.append(CELLS[cell](size, hidden, batch_first=True))
            if bidirectional:
                self.backwards.append(CELLS[cell](size, hidden, batch_first=True))
        self.dropout = nn.Dropout(dropout)
        for name, parameter in self.named_parameters():
            if "weight_hh" in name:  # one orthogonal matrix a gate keeps long gradients alive
                for block in parameter.data.split(hidden):
                    nn.init.orthogonal_(block)
            elif "bias" in name:
                nn.init.zeros_(parameter)
                if cell == "lstm" and "bias_ih" in name:
                    parameter.data[hidden : 2 * hidden] = (
                        1.0  # remember at first (Gers et al. 2000)
                    )

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs of the top layer [batch, time, self.outputs] and its last states, the two directions
        side by side [batch, self.last_outputs]."""
        real = mask(lengths, x.shape[1])[..., None]
        back = reversed_within(lengths, x.shape[1])
        for layer, forwards in enumerate(self.forwards):
            below = x
            x = self.dropout(x) if layer else x
            ahead = forwards(x)[0] * real
            last = ahead[torch.arange(len(x), device=x.device), lengths - 1]
            if not self.bidirectional:
                x = ahead + below if self.residual and layer else ahead
                continue
            rows = torch.arange(len(x), device=x.device)[:, None]
            behind = self.backwards[layer](x[rows, back])[0][rows, back] * real
            last = torch.cat([last, behind[:, 0]], dim=-1)
            x = merged(ahead, behind, self.merge)
            if self.residual and layer:
                x = x + below
        return x, last


def reversed_within(lengths: Tensor, longest: int) -> Tensor:
    """Indices that turn each sequence round and leave its padding: [batch, longest].

    >>> reversed_within(torch.tensor([2, 3]), 3).tolist()
    [[1, 0, 2], [2, 1, 0]]
    """
    steps = torch.arange(longest, device=lengths.device)[None, :]
    return torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)


def merged(ahead: Tensor, behind: Tensor, merge: Merge) -> Tensor:
    if merge == "concat":
        return torch.cat([ahead, behind], dim=-1)
    if merge == "max":
        return torch.maximum(ahead, behind)
    total = ahead + behind
    return total / 2 if merge == "mean" else total


class Locked(nn.Module):
    """Dropout with one mask for all time steps of a sequence (Gal and Ghahramani 2016)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.rate:
            return x
        keep = torch.rand(x.shape[0], 1, x.shape[2], device=x.device) >= self.rate
        return x * keep / (1 - self.rate)


class Spelling(nn.Module):
    """What the letters of a word say: the strongest answer of each filter of two convolutions, the second over
    the answers of half as many others, each over three characters."""

    def __init__(self, alphabet: int, embedding: int, filters: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(alphabet, embedding, padding_idx=0)
        nn.init.normal_(self.letters.weight, std=0.2)
        self.letters.weight.data[0] = 0
        near = (filters + 1) // 2
        self.near = nn.Conv1d(embedding, near, kernel_size=3, padding=1)
        self.convolution = nn.Conv1d(near, filters, kernel_size=3, padding=1)

    def forward(self, characters: Tensor) -> Tensor:
        """[words, letters] -> [words, filters]."""
        near = self.near(self.letters(characters).transpose(1, 2)).relu()
        answers: Tensor = self.convolution(near).amax(-1)
        return answers


class CRF(nn.Module):
    """A linear-chain conditional random field over IOB2 tags (Lafferty et al. 2001).

    Transitions that IOB2 forbids carry a large negative score that is not learnt.
    """

    def __init__(self, tags: list[str]) -> None:
        super().__init__()
        count = len(tags)
        self.transitions = nn.Parameter(torch.zeros(count, count))
        self.start = nn.Parameter(torch.zeros(count))
        self.end = nn.Parameter(torch.zeros(count))
        forbidden = torch.zeros(count, count)
        forbidden_start = torch.zeros(count)
        for after, tag in enumerate(tags):
            if tag.startswith("I-"):
                forbidden_start[after] = FORBIDDEN
                for before, previous in enumerate(tags):
                    if previous[2:] != tag[2:]:
                        forbidden[before, after] = FORBIDDEN
        self.forbidden: Tensor
        self.forbidden_start: Tensor
        self.register_buffer("forbidden", forbidden)
        self.register_buffer("forbidden_start", forbidden_start)

    def potentials(self) -> tuple[Tensor, Tensor, Tensor]:
        """Transitions [from, to], start and end scores, with what is forbidden."""
        return (
            self.transitions + self.forbidden,
            self.start + self.forbidden_start,
            self.end,
        )

    def loss(
        self,
        emissions: Tensor,
        tags: Tensor,
        lengths: Tensor,
        temperature: Tensor | float = 1.0,
    ) -> Tensor:
        """Negative log-likelihood of `tags` [batch, time], as a mean per word.

        All scores are divided by `temperature`.
        """
        transitions, start, end = (potential / temperature for potential in self.potentials())
        emissions = emissions / temperature
        rows = torch.arange(len(tags), device=tags.device)
        real = mask(lengths, tags.shape[1])
        scores = emissions.gather(2, tags[..., None])[..., 0] * real
        steps = transitions[tags[:, :-1], tags[:, 1:]] * real[:, 1:]
        gold = start[tags[:, 0]] + scores.sum(1) + steps.sum(1) + end[tags[rows, lengths - 1]]
        alpha = start + emissions[:, 0]
        for step in range(1, tags.shape[1]):
            ahead = torch.logsumexp(alpha[:, :, None] + transitions, 1) + emissions[:, step]
            alpha = torch.where(real[:, step, None], ahead, alpha)
        return (torch.logsumexp(alpha + end, 1) - gold).sum() / lengths.sum()


class Attention(nn.Module):
    """Multiplicative attention (Luong et al. 2015): which source positions a decoder state looks at."""

    def __init__(self, queries: int, memory: int) -> None:
        super().__init__()
        self.project = nn.Linear(memory, queries, bias=False)
        self.scale = queries**-0.5

    def keys(self, memory: Tensor) -> Tensor:
        """Memory [batch, source, memory] as keys [batch, source, queries]."""
        return self.project(memory)

    def forward(self, queries: Tensor, keys: Tensor, memory: Tensor, real: Tensor) -> Tensor:
        """Contexts [batch, time, memory] for queries [batch, time, queries]; `real` is [batch, source]."""
        scores = queries @ keys.transpose(1, 2) * self.scale
        scores = scores.masked_fill(~real[:, None, :], FORBIDDEN)
        return torch.softmax(scores, dim=-1) @ memory
