"""Options of a language model."""

from pathlib import Path

from pydantic import Field

from training.config import Fit, Options
from training.nn.layers import Cell


class Architecture(Options):
    cell: Cell = "lstm"
    """Recurrent cell."""
    hidden: int = Field(default=200, ge=1)
    """Units of each direction."""
    embedding: int = Field(default=100, ge=1)
    """Dimensions of a word; those of the vectors."""
    vectors: Path | None = None
    """Word vectors to start from (`python -m training vectors`); their words are the vocabulary."""
    vocabulary: int = Field(default=100_000, ge=1)
    """Most words known: the most frequent of the vectors."""
    character_embedding: int = Field(default=24, ge=1)
    """Dimensions of a character."""
    character_filters: int = Field(default=0, ge=0)
    """Convolutions over the characters of a word, as a tagger has them; 0: no character CNN."""
    word_characters: int = Field(default=16, ge=2)
    """Characters of a word that are read: of a longer one its first and last."""
    dropout: float = 0.1
    """Share of features that training hides."""
    word_dropout: float = 0.05
    """Share of words that training reads as unknown."""


class Config(Options):
    text: tuple[str, ...] = ()
    """Files of plain text, a paragraph a line, or JSON lines with the field `text`; .xz too."""
    data: Path | None = None
    """Folder in which relative file names are looked up, after the current one."""
    out: Path = Path("runs/language-model.pt")
    """File to write."""
    runs: Path = Path("runs")
    """Folder for checkpoints and logs of trainings under way."""
    web: bool = False
    """Read links, names of users and numbers as the classifier does."""
    stretch: int = Field(default=40, ge=2)
    """Most words read as one sequence; longer paragraphs are cut."""
    negatives: int = Field(default=2048, ge=1)
    """Words sampled in a step, with which the right ones are compared, beside each other."""
    network: Architecture = Architecture()
    fit: Fit = Fit(epochs=1, batch_tokens=4096, weight_decay=0.0)
