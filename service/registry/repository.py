"""What a model repository stores at a moment, and which version of each name should serve.

Leaves out whether a bundle can serve: bundle.py reads one, tasks/ tries it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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

    @property
    def wanted(self) -> int:
        """The version that should serve."""
        return self.pinned or self.versions[-1]


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
    return StoredModel(repository / name, versions, pinned, pin_error, files)
