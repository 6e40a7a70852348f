"""The conditional random field of a tagger: its loss, also for texts in which only some labels are annotated.
Decoding is the service's (`service/tasks`).
"""

import torch
from torch import Tensor, nn

from training.nn.batches import mask
from training.nn.layers import FORBIDDEN


class CRF(nn.Module):
    """A linear-chain conditional random field over IOB2 tags (Lafferty et al. 2001).

    Transitions that IOB2 forbids carry a large negative score that is not learned.
    """

    def __init__(self, tags: list[str]) -> None:
        super().__init__()
        count = len(tags)
        self.outside = tags.index("O")
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
        unknown: Tensor | None = None,
    ) -> Tensor:
        """Negative log-likelihood of `tags` [batch, time], as a mean per word.

        unknown: the tags of labels that are not annotated in a text [batch, tags], bool. A word that is O there
        may have any of them, and the likelihood is the sum over all such paths (Tsuboi et al. 2008; for corpora
        with different labels, Greenberg et al. 2018).

        All scores are divided by `temperature`.
        """
        emissions = emissions / temperature
        potentials = [potential / temperature for potential in self.potentials()]
        if unknown is None or not unknown.any():
            right = _path_score(emissions, tags, lengths, *potentials)
            everything = _log_sum(emissions, lengths, *potentials)
        else:
            allowed = nn.functional.one_hot(tags, emissions.shape[2]).bool()
            allowed |= (tags == self.outside)[..., None] & unknown[:, None]
            both = torch.cat([emissions.masked_fill(~allowed, FORBIDDEN), emissions])
            right, everything = _log_sum(both, lengths.repeat(2), *potentials).chunk(2)
        return (everything - right).sum() / lengths.sum()


def _path_score(
    emissions: Tensor,
    tags: Tensor,
    lengths: Tensor,
    transitions: Tensor,
    start: Tensor,
    end: Tensor,
) -> Tensor:
    """Of the path `tags` [batch, time] through each text: [batch]."""
    rows = torch.arange(len(tags), device=tags.device)
    real = mask(lengths, tags.shape[1])
    scores = emissions.gather(2, tags[..., None])[..., 0] * real
    steps = transitions[tags[:, :-1], tags[:, 1:]] * real[:, 1:]
    return start[tags[:, 0]] + scores.sum(1) + steps.sum(1) + end[tags[rows, lengths - 1]]


def _log_sum(
    emissions: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor
) -> Tensor:
    """Logarithm of the sum over all paths through each text: [batch]."""
    real = mask(lengths, emissions.shape[1])
    alpha = start + emissions[:, 0]
    for step in range(1, emissions.shape[1]):
        ahead = torch.logsumexp(alpha[:, :, None] + transitions, 1) + emissions[:, step]
        alpha = torch.where(real[:, step, None], ahead, alpha)
    return torch.logsumexp(alpha + end, 1)
