"""What a model repository stores at a moment, and which version of each name should serve.

The one place that chooses a version, for the service, its commands and the command line. Leaves out whether a
bundle can serve: bundle.py reads one, tasks/ tries it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service import tasks
from service.errors import BundleError
from service.registry import bundle, canary
from service.registry.canary import Canary


@dataclass(frozen=True)
class StoredModel:
    """The stored versions of one name. Equal ones hold the same files, so there is nothing new to load."""

    path: Path
    versions: list[int]
    pinned: int | None
    pin_error: str | None
    """Why the pinned version cannot be read."""
    canary: Canary | None
    canary_error: str | None
    """Why the canary cannot be read, or is none."""
    files: list[tuple[str, int, int]]
    """Of the wanted version: names, sizes and times."""
    task: str | None
    """Of the wanted version, or what its name says; None if neither says it."""
    languages: tuple[str, ...]
    """Of the wanted version, or what its name says."""

    @property
    def wanted(self) -> int:
        """The version that should serve: the pinned or else the highest that is no canary."""
        return self.pinned or _highest(self.versions, self.canary)

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
    pin_error = canary_error = found = None
    versions = bundle.versions(repository, name)
    try:
        pinned = pinned or bundle.pinned(repository, name)
    except BundleError as error:
        pin_error = error.detail
    try:
        found = canary.read(repository, name)
        if found and (
            found.version not in versions or found.version == pinned or len(versions) == 1
        ):
            canary_error, found = f"{name} version {found.version} cannot be a canary", None
    except BundleError as error:
        canary_error = error.detail
    folder = repository / name / str(pinned or _highest(versions, found))
    files = [
        (path.name, path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.glob("*"))
    ]
    task, languages = _declared(folder, name)
    return StoredModel(
        repository / name, versions, pinned, pin_error, found, canary_error, files, task, languages
    )


def _highest(versions: list[int], canary: Canary | None) -> int:
    return max(version for version in versions if not canary or version != canary.version)


def _declared(folder: Path, name: str) -> tuple[str | None, tuple[str, ...]]:
    """The task and the languages of a bundle. A default name says them, though the bundle be broken."""
    said = tasks.name_says(name)
    try:
        manifest = bundle.read_manifest(folder)
    except BundleError:
        return said or (None, ())
    task, languages = said or (manifest.task, ())
    return task, languages or tuple(manifest.languages)
