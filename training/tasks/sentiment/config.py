"""Options of a classifier of sentiment."""

from pathlib import Path

from pydantic import Field

from training.config import Files, Fit, Options, Precision
from training.nn.words import WordNetworkOptions


class Architecture(WordNetworkOptions):
    hidden: int = Field(default=128, ge=1)
    """Units of a direction of a layer."""
    vocabulary: int = Field(default=30_000, ge=1)
    """Most words known: those of the training files, then the most frequent of the vectors."""
    at_least: int = Field(default=3, ge=1)
    """Times that a word without a vector must occur in the training files."""
    pairs: int = Field(default=0, ge=0)
    """Rows of the table that pairs of neighbouring words share by hash; 0: no pairs."""
    pair_features: int = Field(default=8, ge=1)
    """Dimensions of a pair of words."""
    max_tokens: int = Field(default=256, ge=1)
    """Longest window in words; a longer text is cut into several."""
    stretch: int = Field(default=128, ge=1)
    """Most words of a text that a training step reads, from a random place in it."""


class Config(Options):
    files: Files = Files(out=Path("models/sentiment"))
    network: Architecture = Architecture()
    fit: Fit = Fit(batch_tokens=1024)
    precision: Precision = "float32"
    """Precision of the recurrent layers in the bundle; int8, for the cell lstm, is faster and smaller."""
    behaviour: Path | None = None
    """Folder of the small sets of `training behaviour`, which the bundle is then scored on too."""
    notes: str = ""
    """What the bundle's card says of strengths and weaknesses, in Markdown."""

    @property
    def languages(self) -> list[str]:
        return [self.network.language]
