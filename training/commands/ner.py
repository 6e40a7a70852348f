"""`python -m training ner`: trains a tagger."""

from collections.abc import Sequence
from pathlib import Path

from training.config import parse
from training.tasks.ner.config import Config
from training.tasks.ner.train import train


def main(argv: Sequence[str]) -> Path:
    """Gives the folder of the published bundle."""
    return train(
        parse(Config, argv, "ner", "Trains a tagger that finds names and publishes it as a bundle.")
    )
