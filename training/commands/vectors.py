"""`python -m training vectors`: learns word vectors from plain text."""

from collections.abc import Sequence
from pathlib import Path

from training.config import parse
from training.pretraining.word_vectors import Config, learn


def main(argv: Sequence[str]) -> Path:
    """Gives the file of the vectors."""
    return learn(parse(Config, argv, "vectors", "Learns word vectors from plain text."))
