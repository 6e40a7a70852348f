"""What the tagger and the classifier share: options, vocabulary, word vectors, word dropout, random inputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from tokenizers import Tokenizer
from torch import Tensor, nn

from training.config import Options
from training.errors import TrainingError
from training.nn.layers import Cell, Merge

UNKNOWN = 1


class Starts(Protocol):
    """A network that reads words."""

    embedding: nn.Embedding

    def state_dict(self) -> dict[str, Tensor]: ...
    def load_state_dict(self, weights: Mapping[str, Tensor], strict: bool) -> Any: ...


class Reading(Options):
    """Options of a network that reads words."""

    language: str = "en"
    """Code of the language of the texts."""
    cell: Cell = "lstm"
    """Recurrent cell."""
    layers: int = Field(default=1, ge=1)
    """Recurrent layers, one above the other."""
    bidirectional: bool = True
    """Read the text in both directions."""
    merge: Merge = "concat"
    """How the outputs of the two directions become one."""
    embedding: int = Field(default=100, ge=1)
    """Dimensions of a word; those of the vectors, if there are any."""
    vectors: Path | None = None
    """Word vectors to start from (`python -m training vectors`), or a language model (`python -m training
    language_model`), whose recurrent layer and letters are taken too; from scratch without."""
    dropout: float = 0.4
    """Share of features that training hides."""
    word_dropout: float = 0.05
    """Share of words that training reads as unknown."""


@dataclass(frozen=True)
class Vectors:
    words: list[str]
    """Most frequent first."""
    table: NDArray[np.float32]
    """[words, dimensions]"""
    alphabet: str = ""
    """Of a language model that spells words."""
    weights: Mapping[str, Tensor] = field(default_factory=dict)
    """Of a language model: its recurrent layer and its letters."""


def read_vectors(path: Path | None, dimensions: int) -> Vectors | None:
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
        from training.vectors import read  # gensim takes a second to import

        known, table = read(path)
    if table.shape[1] != dimensions:
        raise TrainingError(
            f"{path} holds vectors of {table.shape[1]} dimensions, --embedding is {dimensions}"
        )
    return Vectors(known, table, alphabet, weights)


def _read_model(path: Path) -> dict[str, Any]:
    try:
        model: dict[str, Any] = torch.load(path, weights_only=True)
    except (OSError, ValueError, EOFError, RuntimeError, UnpicklingError) as error:
        raise TrainingError(f"{path}: cannot read this language model: {error}") from error
    return model


def fill(embedding: nn.Embedding, known: Tokenizer, vectors: Vectors | None) -> None:
    """Puts the vectors into their rows; the others keep what they have."""
    if vectors is None:
        return
    rows = [(known.token_to_id(word), index) for index, word in enumerate(vectors.words)]
    pairs = [(row, index) for row, index in rows if row is not None]
    places = torch.tensor([row for row, _ in pairs], device=embedding.weight.device)
    values = torch.from_numpy(vectors.table[[index for _, index in pairs]])
    embedding.weight.data[places] = values.to(embedding.weight.device)


def start(network: Starts, known: Tokenizer, vectors: Vectors | None) -> None:
    """Puts vectors, and the weights of a language model, where `network` has the like.

    Raises TrainingError if its first recurrent layer or its letters are of other sizes.
    """
    if vectors is None:
        return
    fill(network.embedding, known, vectors)
    own = network.state_dict()
    for name, value in vectors.weights.items():
        if name not in own or own[name].shape != value.shape:
            raise TrainingError(
                "the language model has another cell, or other sizes of its layer or letters, "
                f"than this network ({name}: {list(value.shape)})"
            )
    network.load_state_dict(vectors.weights, strict=False)


def dropped(ids: Tensor, rate: float) -> Tensor:
    """`ids` with the share `rate` of words replaced by the unknown one."""
    return torch.where(torch.rand(ids.shape, device=ids.device) < rate, UNKNOWN, ids)
