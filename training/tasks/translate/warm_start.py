"""Warm start of a translator from a published one, which gives its subwords and its weights."""

from pathlib import Path

from service.errors import BundleError
from service.registry import bundle
from service.registry.bundle import Bundle
from training.errors import TrainingError
from training.tasks.translate.config import Architecture

SIZES = ("source", "target", "vocabulary", "embedding", "hidden", "layers", "decoder")
"""Options of the network that must be those of the bundle."""


def open_bundle(path: Path, options: Architecture) -> Bundle:
    """The bundle in folder `path`. Raises TrainingError if it is damaged or no translator of these sizes."""
    try:
        found = bundle.read(path.resolve())
    except BundleError as error:
        raise TrainingError(error.detail) from error
    if found.manifest.task != "translate":
        raise TrainingError(f"--start {path}: this bundle is no translator")
    theirs, ours = found.manifest.training.recipe["network"], options.model_dump()
    if other := [f"{size} {theirs[size]}" for size in SIZES if theirs[size] != ours[size]]:
        raise TrainingError(f"--start {path}: this training needs its {', '.join(other)}")
    return found
