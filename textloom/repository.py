"""Where the models are that run in this process: the variable TEXTLOOM_MODELS, a checkout, or the data package.

Leaves out what a repository holds: service/registry reads it.
"""

import os
from importlib import import_module
from pathlib import Path

from textloom.errors import LoadError

VARIABLE = "TEXTLOOM_MODELS"
PACKAGE = "textloom_models"
"""What `make wheel` makes of models/, beside the wheel of this package."""
CHECKOUT = Path(__file__).parents[1] / "models"


def find() -> Path:
    """The model repository. Raises LoadError if there is none."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    if CHECKOUT.is_dir():
        return CHECKOUT
    try:
        found: Path = import_module(PACKAGE).MODELS
    except ModuleNotFoundError:
        raise LoadError(
            f"there are no models here: name their folder in {VARIABLE}, or install the wheel of"
            f" {PACKAGE.replace('_', '-')}"
        ) from None
    return found
