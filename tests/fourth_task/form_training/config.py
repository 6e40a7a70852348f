"""Options of the classifier of bytes."""

from pathlib import Path

from pydantic import Field

from training.config import Files, Fit, Options, Precision


class Architecture(Options):
    language: str = "en"
    """Code of the language of the texts."""
    embedding: int = Field(default=8, ge=1)
    """Dimensions of a byte."""
    max_tokens: int = Field(default=200, ge=1)
    """Longest window in bytes."""


class Config(Options):
    files: Files = Files(out=Path("models/form"))
    network: Architecture = Architecture()
    fit: Fit = Fit(epochs=60, patience=60, batch_tokens=256, learning_rate=0.1, device="cpu")
    precision: Precision = "float32"
    """Of the bundle."""

    @property
    def languages(self) -> list[str]:
        return [self.network.language]
