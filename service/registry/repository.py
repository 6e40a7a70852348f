"""What a model repository stores at a moment, and which version of each name should serve.

The one place that chooses a version, for the service, its commands and the command line. Leaves out whether a
bundle can serve: bundle.py reads one, tasks/ tries it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service import tasks
from service.errors import BundleError
from service.registry import bundle


@dataclass(frozen=True)
class StoredModel:
    """The stored versions of one name. Equal ones hold the same files, so there is nothing new to load."""

    path: Path
    versions: list[int]
    pinned: int | None
    pin_error: str | None
    """Why the pinned version cannot be read."""
    files: list[tuple[str, int, int]]
    """Of the wanted version: names, sizes and times."""
    task: str | None
    """Of the wanted version, or what its name says; None if neither says it."""
    languages: tuple[str, ...]
    """Of the wanted version, or what its name says."""

    @property
    def wanted(self) -> int:
        """The version that should serve."""
        return self.pinned or self.versions[-1]

    @property
    def folder(self) -> Path:
        """Of the version that should serve. Raises BundleError if the pinned version cannot be read."""
        if self.pin_error:
            raise BundleError(self.pin_error)
        return self.path / str(self.wanted)


def scan(repository: Path, pins: Mapping[str, int]) -> dict[str, StoredModel]:
    """Every name that has a version. `pins` take precedence over those of the repository itself."""
    return {
        name: _stored_model(repository, name, pins.get(name)) for name in bundle.names(repository)
    }


def _stored_model(repository: Path, name: str, pinned: int | None) -> StoredModel:
    pin_error = None
    versions = bundle.versions(repository, name)
    try:
        pinned = pinned or bundle.pinned(repository, name)
    except BundleError as error:
        pin_error = error.detail
    folder = repository / name / str(pinned or versions[-1])
    files = [
        (path.name, path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.glob("*"))
    ]
    task, languages = _declared(folder, name)
    return StoredModel(repository / name, versions, pinned, pin_error, files, task, languages)


def _declared(folder: Path, name: str) -> tuple[str | None, tuple[str, ...]]:
    """The task and the languages of a bundle. A default name says them, though the bundle be broken."""
    said = tasks.name_says(name)
    try:
        manifest = bundle.read_manifest(folder)
    except BundleError:
        return said or (None, ())
    task, languages = said or (manifest.task, ())
    return task, languages or tuple(manifest.languages)
