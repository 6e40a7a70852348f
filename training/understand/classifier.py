"""Short remarks with their sentiment, and a network that reads them from left to right."""

import random
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.data import corpora
from training.data.tokenization import words_of
from training.nn.batches import pad
from training.nn.layers import RecurrentStack
from training.nn.words import UNKNOWN
from training.understand.figure import train

REMARKS = Path(__file__).parents[1] / "remarks.jsonl"
LABELS = ("negative", "neutral", "positive")
EMBEDDING, HIDDEN, BATCH = 100, 48, 32

Remark = tuple[list[str], int]
"""Its words, and the index of its label."""


def read_remarks(seed: int) -> list[Remark]:
    """In random order."""
    remarks = list(corpora.read_labelled(REMARKS, {}))
    random.Random(seed).shuffle(remarks)
    words = words_of((remark.text for remark in remarks), web=True)
    return [
        (own, LABELS.index(remark.label)) for own, remark in zip(words, remarks, strict=True) if own
    ]


def vocabulary_of(remarks: list[Remark]) -> dict[str, int]:
    """An id for each word; 0 is padding's, 1 is that of every word not seen here."""
    words = dict.fromkeys(word for own, _ in remarks for word in own)
    return {word: index for index, word in enumerate(words, UNKNOWN + 1)}


class Classifier(nn.Module):
    """An LSTM from left to right, and the label read off its state after each word."""

    def __init__(self, vocabulary: dict[str, int]) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.embedding = nn.Embedding(2 + len(vocabulary), EMBEDDING)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.stack = RecurrentStack(
            EMBEDDING, HIDDEN, cell="lstm", layers=1, bidirectional=False, merge="concat"
        )
        self.output = nn.Linear(HIDDEN, len(LABELS))

    def forward(self, texts: list[list[str]]) -> tuple[Tensor, Tensor]:
        """Logits after each word [texts, longest, labels], and after the last one [texts, labels]."""
        ids, lengths = pad([[self.vocabulary.get(w, UNKNOWN) for w in words] for words in texts])
        outputs, last = self.stack(self.embedding(ids), lengths)
        return self.output(outputs), self.output(last)


def learn(network: Classifier, remarks: list[Remark], *, steps: int, seed: int) -> None:
    """Trains on the verdict after the last word."""
    draw = random.Random(seed)

    def loss() -> Tensor:
        texts, gold = zip(*draw.choices(remarks, k=BATCH), strict=True)
        return functional.cross_entropy(network(list(texts))[1], torch.tensor(gold))

    train(network, loss, steps=steps)


@torch.no_grad()
def accuracy(network: Classifier, remarks: list[Remark]) -> float:
    texts, gold = zip(*remarks, strict=True)
    return float((network(list(texts))[1].argmax(-1) == torch.tensor(gold)).float().mean())
