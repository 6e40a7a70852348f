"""`python -m training translate`: trains a translator."""

from collections.abc import Sequence
from pathlib import Path

from training.config import parse
from training.tasks.translate.config import Config
from training.tasks.translate.train import train


def main(argv: Sequence[str]) -> Path:
    """Gives the folder of the published bundle."""
    return train(
        parse(Config, argv, "translate", "Trains a translator and publishes it as a bundle.")
    )
