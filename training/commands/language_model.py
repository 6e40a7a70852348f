"""`python -m training language_model`: learns a language model from plain text."""

from collections.abc import Sequence
from pathlib import Path

from training.config import parse
from training.language_model import Config, train

DESCRIPTION = "Learns a language model for a tagger or classifier to start from."


def main(argv: Sequence[str]) -> Path:
    """Gives the file of the language model."""
    return train(parse(Config, argv, "language_model", DESCRIPTION))
