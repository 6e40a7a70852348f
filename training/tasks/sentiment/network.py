"""The classifier's network: recurrent layers over word vectors, then pooling over time.

The pooled text is the mean, the maximum and the last state of the top layer side by side (as in Howard and Ruder
2018), and the mean of the embeddings of each pair of neighbouring words (as in fastText).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.nn.batches import mask
from training.nn.layers import FORBIDDEN, RecurrentStack, VariationalDropout
from training.nn.words import drop_words
from training.tasks.sentiment.config import Architecture

LONG = 1000
"""Words from which on a longer text makes the classifier no more confident."""
HASH = 1_000_003
"""Distributes pairs of words over the table; a prime."""


class Network(nn.Module):
    """Shapes: words [batch, time] int64, lengths [batch], logits [batch, labels]."""

    def __init__(self, options: Architecture, vocabulary: int, labels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, options.embedding)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.stack = RecurrentStack(
            options.embedding,
            options.hidden,
            cell=options.cell,
            layers=options.layers,
            bidirectional=options.bidirectional,
            merge=options.merge,
            dropout=options.dropout,
        )
        features = 2 * self.stack.outputs + self.stack.last_outputs
        self.pairs: nn.Embedding | None = None
        if options.pairs:
            self.pairs = nn.Embedding(options.pairs, options.pair_features, padding_idx=0)
            nn.init.normal_(self.pairs.weight[1:], std=0.1)
            features += options.pair_features
        self.output = nn.Linear(features, labels)
        self.variational_dropout = VariationalDropout(options.dropout / 2)
        self.dropout = nn.Dropout(options.dropout)
        self.word_dropout = options.word_dropout
        self.temperature: Tensor
        self.growth: Tensor
        self.prior: Tensor
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("growth", torch.zeros(()))
        self.register_buffer("prior", torch.zeros(labels))

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        ids = drop_words(ids, self.word_dropout) if self.training else ids
        outputs, last = self.stack(self.variational_dropout(self.embedding(ids)), lengths)
        real = mask(lengths, ids.shape[1])[..., None]
        mean = outputs.sum(1) / lengths[:, None]
        highest = outputs.masked_fill(~real, FORBIDDEN).amax(1)
        pooled = [mean, highest, last]
        if self.pairs:
            found = self.pairs(pair_rows(ids, self.pairs.num_embeddings))
            pooled.append(found.sum(1) / lengths[:, None])
        logits: Tensor = self.output(self.dropout(torch.cat(pooled, -1)))
        scale = lengths.clamp(max=LONG)[:, None] ** self.growth
        return logits * scale / self.temperature + self.prior


def pair_rows(ids: Tensor, rows: int) -> Tensor:
    """The row of each word and the next one (of the last word and padding) in a table of `rows`; 0 is padding's.

    >>> pair_rows(torch.tensor([[5, 7]]), 1000).tolist()
    [[22, 21]]
    """
    following = functional.pad(ids[:, 1:], (0, 1))
    return (ids * HASH + following) % rows
