"""Warm start of a tagger or classifier: reads word vectors or a language model, and copies them into a network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from training.errors import TrainingError


class WordNetwork(Protocol):
    """A network that reads words."""

    embedding: nn.Embedding

    def state_dict(self) -> dict[str, Tensor]: ...
    def load_state_dict(self, weights: Mapping[str, Tensor], strict: bool) -> Any: ...


@dataclass(frozen=True)
class Pretrained:
    """Word vectors, or a language model."""

    words: list[str]
    """Most frequent first."""
    table: NDArray[np.float32]
    """[words, dimensions]"""
    alphabet: str = ""
    """Of a language model with a character CNN."""
    weights: Mapping[str, Tensor] = field(default_factory=dict)
    """Of a language model: its recurrent layer and its character CNN."""


def read_pretrained(path: Path | None, dimensions: int) -> Pretrained | None:
    """The vectors or the language model (.pt) in `path`, None without a path.

    Raises TrainingError for another number of dimensions.
    """
    if path is None:
        return None
    weights: dict[str, Tensor] = {}
    alphabet = ""
    if path.suffix == ".pt":
        model = _read_model(path)
        known, table, alphabet = model["words"], model["table"].numpy(), model["alphabet"]
        weights = model["weights"]
    else:
        from training.pretraining.word_vectors import read_word_vectors  # gensim imports slowly

        known, table = read_word_vectors(path)
    if table.shape[1] != dimensions:
        raise TrainingError(
            f"{path} holds vectors of {table.shape[1]} dimensions, --embedding is {dimensions}"
        )
    return Pretrained(known, table, alphabet, weights)


def _read_model(path: Path) -> dict[str, Any]:
    try:
        model: dict[str, Any] = torch.load(path, weights_only=True)
    except (OSError, ValueError, EOFError, RuntimeError, UnpicklingError) as error:
        raise TrainingError(f"{path}: cannot read this language model: {error}") from error
    return model


def fill_embedding(
    embedding: nn.Embedding, tokenizer: Tokenizer, pretrained: Pretrained | None
) -> None:
    """Copies the vectors into their rows; the other rows stay."""
    if pretrained is None:
        return
    rows = [(tokenizer.token_to_id(word), index) for index, word in enumerate(pretrained.words)]
    pairs = [(row, index) for row, index in rows if row is not None]
    places = torch.tensor([row for row, _ in pairs], device=embedding.weight.device)
    values = torch.from_numpy(pretrained.table[[index for _, index in pairs]])
    embedding.weight.data[places] = values.to(embedding.weight.device)


def warm_start(network: WordNetwork, tokenizer: Tokenizer, pretrained: Pretrained | None) -> None:
    """Copies the vectors, and the weights of a language model, into a network.

    Raises TrainingError if its first recurrent layer or its character CNN is of another size.
    """
    if pretrained is None:
        return
    fill_embedding(network.embedding, tokenizer, pretrained)
    own = network.state_dict()
    for name, value in pretrained.weights.items():
        if name not in own or own[name].shape != value.shape:
            raise TrainingError(
                "the language model has another cell, or other sizes of its layer or letters, "
                f"than this network ({name}: {list(value.shape)})"
            )
    network.load_state_dict(pretrained.weights, strict=False)
