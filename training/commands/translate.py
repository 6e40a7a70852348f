"""`python -m training translate`: trains a translator."""

from collections.abc import Sequence
from pathlib import Path

from training.config import parse
from training.translate import Config, train


def main(argv: Sequence[str]) -> Path:
    """Gives the folder of the published bundle."""
    return train(
        parse(Config, argv, "translate", "Trains a translator and publishes it as a bundle.")
    )
