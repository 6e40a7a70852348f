"""Options of a tagger."""

from pathlib import Path

from pydantic import Field

from training.config import Files, Fit, Options, Pairs, Precision
from training.nn.words import WordNetworkOptions


class Architecture(WordNetworkOptions):
    hidden: int = Field(default=200, ge=1)
    """Units of a direction of a layer."""
    vocabulary: int = Field(default=40_000, ge=1)
    """Most words known: those of the training files, then the most frequent of the vectors."""
    at_least: int = Field(default=2, ge=1)
    """Times that a word without a vector must occur in the training files."""
    max_tokens: int = Field(default=128, ge=1)
    """Longest window in words; a longer text is cut into several, in training at its end."""
    character_embedding: int = Field(default=24, ge=1)
    """Dimensions of a character."""
    character_filters: int = Field(default=48, ge=1)
    """Filters of the second convolution over characters, whose maxima describe a word; the first has half as
    many."""
    word_characters: int = Field(default=16, ge=2)
    """Characters of a word that are read: of a longer one its first and last."""
    name_dropout: float = 0.0
    """Share of the words of names that training reads as unknown, beside those of `word_dropout`."""
    other_case: float = 0.0
    """Share of training texts read in lower case, in capitals or with Every Word Capitalised."""
    joined: float = 0.0
    """Share of training texts that are read again, together with the text that follows."""
    fixed_vectors: bool = False
    """Keeps the word vectors as they are; those of words that are not in the training texts always stay."""


class Config(Options):
    files: Files = Files(out=Path("models/ner"))
    guidelines: Pairs = {}
    """Rules that bring a corpus's labels to ours (training/data/guidelines.py), by a part of its path, as
    `btc "mentions titles"`; tests are scored as they are written and after these rules."""
    annotated: Pairs = {}
    """Labels that a corpus has, by a part of its path, as `btc "PER ORG LOC"`; what it leaves unlabelled may still
    be one of the others, and scores on it do not count them. A corpus without an entry has all labels."""
    start: Path | None = None
    """A published tagger to start from, as models/ner/6, in place of vectors: it gives its words, its letters,
    its weights and what it knows of the labels that both have. Sizes must be the same; a lower rate keeps more
    of it."""
    network: Architecture = Architecture()
    fit: Fit = Fit(epochs=15, batch_tokens=512, learning_rate=3e-3)
    precision: Precision = "float32"
    """Precision of the recurrent layers in the bundle; int8, for the cell lstm, is faster and smaller."""
    notes: str = ""
    """What the bundle's card says of strengths and weaknesses, in Markdown."""

    @property
    def languages(self) -> list[str]:
        return [self.network.language]
