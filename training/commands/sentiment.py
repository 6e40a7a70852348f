"""`python -m training sentiment`: trains a classifier."""

from collections.abc import Sequence
from pathlib import Path

from training.config import parse
from training.tasks.sentiment.config import Config
from training.tasks.sentiment.train import train


def main(argv: Sequence[str]) -> Path:
    """Gives the folder of the published bundle."""
    return train(
        parse(
            Config, argv, "sentiment", "Trains a sentiment classifier and publishes it as a bundle."
        )
    )
