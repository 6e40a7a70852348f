"""Orders to a furniture shop with the names in them, and a network that tags each word."""

import random
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.data import corpora
from training.nn.batches import mask, pad
from training.nn.crf import CRF
from training.nn.layers import RecurrentStack
from training.nn.words import UNKNOWN, drop_words
from training.understand.figure import train

ORDERS = Path(__file__).parents[2] / "docs" / "examples"
TAGS = ["O", "B-CITY", "I-CITY", "B-PRODUCT", "I-PRODUCT"]
EMBEDDING, HIDDEN, BATCH = 100, 32, 16
WORD_DROPOUT = 0.1


def read_orders(split: str) -> list[corpora.Tagged]:
    """Those of `train`, `dev` or `test`."""
    return list(corpora.read_conll(ORDERS / f"orders-{split}.conll", {}))


def words_in(orders: Iterable[corpora.Tagged]) -> list[str]:
    return list(dict.fromkeys(word.lower() for one in orders for word in one.tokens))


class Tagger(nn.Module):
    """Words through an LSTM in both directions to the conditional random field."""

    def __init__(self, words: Iterable[str]) -> None:
        """words: those that get a vector of their own; all others share one."""
        super().__init__()
        self.rows = {word: row for row, word in enumerate(words, UNKNOWN + 1)}
        self.embedding = nn.Embedding(UNKNOWN + 1 + len(self.rows), EMBEDDING)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.stack = RecurrentStack(
            EMBEDDING, HIDDEN, cell="lstm", layers=1, bidirectional=True, merge="concat"
        )
        self.output = nn.Linear(self.stack.outputs, len(TAGS))
        self.crf = CRF(TAGS)

    def forward(self, orders: list[corpora.Tagged]) -> tuple[Tensor, Tensor, Tensor]:
        """Emissions [orders, longest, tags], the true tags [orders, longest] and the lengths [orders]."""
        words = [[self.rows.get(word.lower(), UNKNOWN) for word in one.tokens] for one in orders]
        ids, lengths = pad(words)
        gold, _ = pad([[TAGS.index(tag) for tag in one.tags] for one in orders])
        ids = drop_words(ids, WORD_DROPOUT) if self.training else ids
        outputs, _ = self.stack(self.embedding(ids), lengths)
        return self.output(outputs), gold, lengths


def learn(tagger: Tagger, orders: list[corpora.Tagged], *, steps: int, seed: int) -> None:
    draw = random.Random(seed)
    train(tagger, lambda: tagger.crf.loss(*tagger(draw.choices(orders, k=BATCH))), steps=steps)


def marginals(tagger: Tagger, orders: list[corpora.Tagged]) -> Tensor:
    """The probability of each tag of each word over all chains of tags [orders, longest, tags].

    It is the derivative, with respect to the emission, of the logarithm of the sum over all chains. The loss is
    this logarithm less the score of the true chain, divided by the number of words.
    """
    emissions, gold, lengths = tagger(orders)
    loss = tagger.crf.loss(emissions, gold, lengths) * lengths.sum()
    (gradient,) = torch.autograd.grad(loss, emissions)
    true = functional.one_hot(gold, len(TAGS)) * mask(lengths, gold.shape[1])[..., None]
    return gradient + true


def recall(tagger: Tagger, orders: list[corpora.Tagged]) -> float:
    """The share of the words of names whose likeliest tag is the true one."""
    found = marginals(tagger, orders).argmax(-1)
    _, gold, _ = tagger(orders)
    named = gold != TAGS.index("O")
    return float((found == gold)[named].float().mean())
