"""The model repository: read, check, write and list bundles.

A bundle is a folder `models/<name>/<version>/` of data only: `manifest.json`, `tokenizer.json`, ONNX
graphs, `card.md` and its pictures. It is never changed once written, and it is published by one rename,
so a reader never sees half of one. This module knows no task: loading a graph and replaying the golden
examples is in `service.tasks`.
"""

import hashlib
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from service.errors import BundleError
from service.registry import signatures
from service.registry.files import contents

MANIFEST = "manifest.json"
PIN = "pinned"
MAX_MANIFEST_BYTES = 16 * 1024 * 1024
MAX_PIN_BYTES = 64
MAX_GRAPH_BYTES = 256 * 1024 * 1024
"""Some twenty times the largest that is shipped."""
MAX_OTHER_BYTES = 32 * 1024 * 1024
"""Of a tokenizer, a card or a picture."""
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class FileEntry(_Part):
    sha256: str
    size: int
    """Bytes."""


class Limits(_Part):
    max_tokens: int
    """Longest window in tokens; a longer text is cut at sentence ends into several."""


class Golden(_Part):
    input: str
    answer: dict[str, Any]
    """What this bundle answered when it was made, as the task's `Result` in JSON."""


class Corpus(_Part):
    file: str
    split: Literal["train", "dev", "test"]
    examples: int
    sha256: str
    licence: str = ""


class Training(_Part):
    """How the bundle came to be; everything needed to make it again."""

    recipe: dict[str, Any]
    corpora: list[Corpus]
    commit: str
    seed: int
    libraries: dict[str, str]
    device: str
    seconds: float
    parameters: int
    finished: str
    """UTC, ISO 8601."""
    tried: dict[str, dict[str, float | str]] = {}
    """Settings that were tried on dev after the training: metric -> value."""


class Manifest(_Part):
    format: Literal[1] = 1
    name: str
    task: str
    version: int
    languages: list[str]
    """One language, or source and target for a translator."""
    labels: list[str] = []
    limits: Limits
    opset: int
    options: dict[str, Any] = {}
    """What the task's code needs beside the graph (the character table, the beam width ...)."""
    files: dict[str, FileEntry] = {}
    training: Training
    scores: dict[str, dict[str, float | str]] = {}
    """By test set: metric -> value, and the signature of the scorer where it has one."""
    golden: list[Golden] = []


@dataclass(frozen=True)
class Bundle:
    """A checked bundle: its folder and its manifest."""

    path: Path
    manifest: Manifest
    manifest_sha256: str
    """Of the manifest's file."""

    def file(self, name: str) -> Path:
        """The path of a file that the manifest names.

        Raises BundleError for any other, since no hash vouches for it.
        """
        if name not in self.manifest.files:
            raise BundleError(f"{self.path}: the manifest names no file {name!r}")
        return self.path / name

    def content(self, name: str) -> bytes:
        """What is in such a file, its hash checked. Raises BundleError."""
        path, entry = self.file(name), self.manifest.files[name]
        try:
            content = contents(path, entry.size)
        except OSError as error:
            raise BundleError(f"{self.path}: {name} cannot be read: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            raise BundleError(
                f"{self.path}: {name} is damaged: its sha256 differs from the manifest"
            )
        return content

    @property
    def sha256(self) -> str:
        """One hash for the whole bundle: of the sorted lines `<sha256>  <file>`, the manifest's among them."""
        hashes = {name: entry.sha256 for name, entry in self.manifest.files.items()}
        hashes[MANIFEST] = self.manifest_sha256
        lines = [f"{sha256}  {name}\n" for name, sha256 in sorted(hashes.items())]
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def check_name(name: str) -> None:
    """Raises BundleError if no bundle can have this name."""
    if not _NAME.fullmatch(name):
        raise BundleError(f"{name!r} is no bundle name: use lower-case letters, digits and hyphens")


def names(repository: Path) -> list[str]:
    """The bundle names in a repository: its folders that hold at least one version, sorted."""
    if not repository.is_dir():
        return []
    return sorted(path.name for path in repository.iterdir() if versions(repository, path.name))


def versions(repository: Path, name: str) -> list[int]:
    """The versions of a bundle, oldest first: [] if there is none."""
    folder = repository / name
    if not _NAME.fullmatch(name) or not folder.is_dir():
        return []
    return sorted(
        int(path.name)
        for path in folder.iterdir()
        if path.is_dir() and re.fullmatch(r"[1-9][0-9]*", path.name)
    )


def pinned(repository: Path, name: str) -> int | None:
    """The version that the file `pinned` beside the versions holds, None if there is no such file.

    Raises BundleError if it holds anything else.
    """
    path = repository / name / PIN
    try:
        text = contents(path, MAX_PIN_BYTES).strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from error
    if not re.fullmatch(rb"[1-9][0-9]*", text):
        raise BundleError(f"{path} must hold a version, such as 2, and nothing else")
    return int(text)


def pin(repository: Path, name: str, version: int | None) -> None:
    """Have this version of a bundle served, whatever others there are; None: the highest again."""
    path = repository / name / PIN
    if version is None:
        path.unlink(missing_ok=True)
        return
    written = path.with_name(f".{PIN}")
    written.write_text(f"{version}\n", encoding="utf-8")
    written.rename(path)


def read_manifest(path: Path) -> Manifest:
    """The manifest of the bundle in folder `path`, without looking at the other files.

    Raises BundleError if it is missing or not a manifest of this format.
    """
    return _parsed(path, manifest_bytes(path))


def manifest_bytes(path: Path) -> bytes:
    """The manifest of the bundle in folder `path` as it is in its file. Raises BundleError if it is missing."""
    try:
        return contents(path / MANIFEST, MAX_MANIFEST_BYTES)
    except OSError as error:
        raise BundleError(f"{path}: no readable {MANIFEST}: {error.strerror}") from error


def _parsed(path: Path, manifest: bytes) -> Manifest:
    try:
        return Manifest.model_validate_json(manifest)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "(top)"
        raise BundleError(f"{path / MANIFEST}: {where}: {first['msg']}") from error


def read(path: Path, trusted_keys: Path | None = None) -> Bundle:
    """The bundle in folder `path`, every file checked for its size and hash.

    trusted_keys: a file of public keys, one of which must have signed it. Raises BundleError that names the first
    file that is missing, damaged, too large, in the wrong place or not signed.
    """
    content = manifest_bytes(path)
    if trusted_keys:
        signatures.verify(path, content, trusted_keys)
    manifest = _parsed(path, content)
    if (manifest.name, str(manifest.version)) != (path.parent.name, path.name):
        raise BundleError(
            f"{path}: the manifest says {manifest.name}/{manifest.version}; was the folder renamed?"
        )
    for name in (MANIFEST, *manifest.files):
        if Path(name).name != name:
            raise BundleError(f"{path}: {name!r} is not the plain name of a file")
        if not (path / name).resolve().is_relative_to(path.resolve()):
            raise BundleError(f"{path}: {name} leads out of the bundle")
    for name, entry in manifest.files.items():
        file = path / name
        if not file.is_file():
            raise BundleError(f"{path}: {name} is missing")
        most = MAX_GRAPH_BYTES if file.suffix == ".onnx" else MAX_OTHER_BYTES
        if file.stat().st_size > most:
            raise BundleError(f"{path}: {name} is larger than {most} bytes")
        if file.stat().st_size != entry.size:
            size = file.stat().st_size
            raise BundleError(f"{path}: {name} has {size} bytes instead of {entry.size}")
        if _sha256(file) != entry.sha256:
            raise BundleError(f"{path}: {name} is damaged: its sha256 differs from the manifest")
    return Bundle(path, manifest, hashlib.sha256(content).hexdigest())


def stage(repository: Path, name: str) -> Path:
    """A new empty folder inside the repository's bundle, to fill, `seal` and `publish`.

    Its name starts with a dot, so no reader takes it for a version. Raises BundleError for a bad name.
    """
    check_name(name)
    (repository / name).mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=".staged-", dir=repository / name))
    staged.chmod(0o755)  # the server may be another user
    return staged


def seal(staged: Path, manifest: Manifest) -> Bundle:
    """The staged folder as a bundle that a task can load: every file hashed, the manifest written.

    `manifest.files` is set here, whatever it was.
    """
    files = {
        path.name: FileEntry(sha256=_sha256(path), size=path.stat().st_size)
        for path in sorted(staged.iterdir())
        if path.name not in (MANIFEST, signatures.FILE)
    }
    final = manifest.model_copy(update={"files": files})
    content = (final.model_dump_json(indent=1) + "\n").encode()
    (staged / MANIFEST).write_bytes(content)
    return Bundle(staged, final, hashlib.sha256(content).hexdigest())


def publish(bundle: Bundle) -> Bundle:
    """Make a sealed bundle the next version of its name, by one rename."""
    repository, name = bundle.path.parent.parent, bundle.path.parent.name
    while True:
        version = max(versions(repository, name), default=0) + 1
        numbered = bundle.manifest.model_copy(update={"name": name, "version": version})
        final = seal(bundle.path, numbered)
        target = bundle.path.parent / str(version)
        try:
            bundle.path.rename(target)
        except OSError:  # another run published this number first: take the next one
            if target.exists():
                continue
            raise
        return replace(final, path=target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
