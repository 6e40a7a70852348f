"""What networks that read words share: their options, and word dropout."""

from pathlib import Path

import torch
from pydantic import Field
from torch import Tensor

from training.config import Options
from training.nn.layers import Cell, Merge

UNKNOWN = 1
"""Id of a word that is not in the vocabulary."""


class WordNetworkOptions(Options):
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
    language_model`), whose recurrent layer and character CNN are taken too; from scratch without."""
    dropout: float = 0.4
    """Share of features that training hides."""
    word_dropout: float = 0.05
    """Share of words that training reads as unknown."""


def drop_words(ids: Tensor, rate: float) -> Tensor:
    """`ids` with the share `rate` of words replaced by the unknown one."""
    return torch.where(torch.rand(ids.shape, device=ids.device) < rate, UNKNOWN, ids)
