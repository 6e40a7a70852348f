"""`python -m training language_model`: learns a language model from plain text."""

from collections.abc import Sequence
from pathlib import Path

from training.config import parse
from training.pretraining.language_model.config import Config
from training.pretraining.language_model.train import train

DESCRIPTION = "Learns a language model for a tagger or classifier to start from."


def main(argv: Sequence[str]) -> Path:
    """Gives the file of the language model."""
    return train(parse(Config, argv, "language_model", DESCRIPTION))
