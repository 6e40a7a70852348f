"""Texts of corpora as the classifier reads them, and the labels of each file.

A file teaches only between the labels that it has: reviews, which are never neutral, say nothing about what is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor

from training.data import corpora
from training.errors import TrainingError

LABELS = ["negative", "neutral", "positive"]
"""Their usual order."""


@dataclass(frozen=True, slots=True)
class EncodedText:
    """An example as the network reads it."""

    ids: list[int]
    label: int
    file: int
    """Which of its split's files it comes from."""


def labels_in(data: corpora.Data[corpora.Labelled]) -> list[str]:
    """The labels of the training files, in their usual order.

    Raises TrainingError if there is only one, or if dev or a test has one that training lacks.
    """
    known = {example.label for example in data.train}
    if len(known) < 2:
        raise TrainingError(
            f"the training files have only the label {known.pop()!r}; two are needed"
        )
    for name, examples in {"dev": data.dev, **data.tests}.items():
        if unseen := {example.label for example in examples} - known:
            raise TrainingError(
                f"{name} has labels that the training files lack: {', '.join(sorted(unseen))}; "
                "rename or drop them with --labels"
            )
    return sorted(known, key=lambda label: (LABELS.index(label) if label in LABELS else 9, label))


def encode(
    examples: Sequence[corpora.Labelled],
    files: Sequence[int],
    tokenizer: Tokenizer,
    labels: list[str],
) -> list[EncodedText]:
    """The examples, without those that have no word."""
    encodings = tokenizer.encode_batch([example.text for example in examples])
    return [
        EncodedText(encoding.ids, labels.index(example.label), file)
        for encoding, example, file in zip(encodings, examples, files, strict=True)
        if encoding.ids
    ]


def labels_by_file(texts: Sequence[EncodedText], labels: int) -> Tensor:
    """Which labels occur in each file, or all of them for a file of only one: [files, labels] bool."""
    known = torch.zeros(1 + max(text.file for text in texts), labels, dtype=torch.bool)
    known[[text.file for text in texts], [text.label for text in texts]] = True
    known[known.sum(1) == 1] = True
    return known


def random_stretch(ids: list[int], longest: int) -> list[int]:
    """`longest` ids from a random place, the first and the last ones as often as those between."""
    spare = len(ids) - longest
    if spare <= 0:
        return ids
    place = int(torch.rand(()) * (spare + longest)) - longest // 2
    start = min(max(place, 0), spare)
    return ids[start : start + longest]
