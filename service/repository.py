"""What a model repository holds at a moment, and which version of each name should serve.

Leaves out whether a bundle is any good: reading one is in bundle.py, trying it in tasks/.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service import bundle
from service.errors import BundleError


@dataclass(frozen=True)
class Shelf:
    """What the repository holds of one name. Two that are equal are worth one look."""

    path: Path
    versions: list[int]
    pinned: int | None
    trouble: str | None
    """Why it cannot be told which version is pinned."""
    files: list[tuple[str, int, int]]
    """Of the wanted version: names, sizes and times."""

    @property
    def wanted(self) -> int:
        """The version that should serve."""
        return self.pinned or self.versions[-1]


def look(repository: Path, pins: Mapping[str, int]) -> dict[str, Shelf]:
    """Every name that has a version. `pins` hold before what the repository itself pins."""
    return {name: _shelf(repository, name, pins.get(name)) for name in bundle.names(repository)}


def _shelf(repository: Path, name: str, pinned: int | None) -> Shelf:
    trouble = None
    versions = bundle.versions(repository, name)
    try:
        pinned = pinned or bundle.pinned(repository, name)
    except BundleError as error:
        trouble = error.detail
    folder = repository / name / str(pinned or versions[-1])
    files = [
        (path.name, path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.glob("*"))
    ]
    return Shelf(repository / name, versions, pinned, trouble, files)
