"""The models of a repository: which are ready, which are still loading, and which failed and why.

The pinned or else the highest version of each name serves. If at the start that one cannot be served, its task
does not serve at all: an older version in its place would answer differently without anyone having decided so.
Later, when another version should serve, that one is loaded beside the old one and replaces it between two
requests; if it cannot be loaded, the old one goes on. Every process looks for itself, so that none has to tell
the others. Leaves out what a bundle is (bundle.py) and what a task does with it (tasks/).
"""

import asyncio
import ctypes
import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from service import bundle, repository, tasks
from service.errors import BundleError, Draining, FieldError, NotFound, NotReady, where
from service.repository import Shelf
from service.serving import Model
from service.settings import Settings
from service.tasks.translate.language import Detector
from service.telemetry.metrics import Metrics
from service.workers import Pool, Turns

logger = logging.getLogger("textloom.catalog")

TRANSLATOR = re.compile(r"translate-([a-z]+)-([a-z]+)")


Status = Literal["loading", "ready", "failed"]


class Refused(BaseModel):
    """A version that should serve and cannot, while another one goes on."""

    version: int
    reason: str


class ModelInfo(BaseModel):
    """What a caller may know about a model of the repository."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    status: Status
    reason: str | None = None
    """Why it failed."""
    version: int
    """The one that serves, or should."""
    versions: list[int]
    """All that the repository holds."""
    pinned: int | None = None
    """The one that shall serve; else it is the highest."""
    refused: Refused | None = None
    """The one that shall serve and cannot, if an older one does meanwhile."""
    task: bundle.TaskName | None = None
    languages: list[str] | None = None
    labels: list[str] | None = None
    limits: bundle.Limits | None = None
    scores: dict[str, dict[str, float | str]] | None = None
    """By test set."""
    licences: list[str] | None = None
    """Of the data that it was trained on."""
    sha256: str | None = None
    """Of the whole bundle."""


@dataclass
class Entry:
    """What is known about one name of the repository."""

    name: str
    shelf: Shelf
    model: Model[Any, Any] | None = None
    failure: Refused | None = None
    """Why the version that should serve does not."""
    tried: Shelf | None = None
    """What was there when it failed; only something else is worth another try."""

    @property
    def status(self) -> Status:
        return "ready" if self.model else "failed" if self.failure else "loading"

    @property
    def reason(self) -> str | None:
        return self.failure.reason if self.failure else None

    @property
    def info(self) -> ModelInfo:
        about: dict[str, Any] = {
            "name": self.name,
            "status": self.status,
            "version": self.shelf.wanted,
            "versions": self.shelf.versions,
            "pinned": self.shelf.pinned,
            "reason": self.reason,
        }
        if self.model is not None:
            manifest = self.model.manifest
            about |= {
                "version": manifest.version,
                "reason": None,
                "refused": self.failure,
                "task": manifest.task,
                "languages": manifest.languages,
                "labels": manifest.labels,
                "limits": manifest.limits,
                "scores": manifest.scores,
                "licences": sorted({corpus.licence for corpus in manifest.training.corpora} - {""}),
                "sha256": self.model.sha256,
            }
        return ModelInfo(**about)


class Catalog:
    """Loads the models, hands them out, follows what the repository holds, and closes them."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        threads = settings.threads_each
        self.workers = Pool(threads) if threads > 1 else Turns()
        self._draining = False
        self._loaded = self._replaced = False
        self._detector: Detector | None = None
        self._detector_reason = ""
        self._languages: set[str] = set()
        self._nameless: set[str] = set()
        self.entries: dict[str, Entry] = {}
        self._enter(repository.look(settings.models, settings.pins))

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Source and target of every translator in the repository."""
        found = (TRANSLATOR.fullmatch(name) for name in self.entries)
        return [(match[1], match[2]) for match in found if match]

    async def watch(self) -> None:
        """Load every model, then keep looking at the repository, for ever."""
        await self.load()
        while True:
            await asyncio.sleep(self._settings.watch_seconds)
            await self.refresh()

    async def load(self) -> None:
        """Load every model, once, side by side. One that fails is logged and leaves the others alone."""
        if self._loaded:  # by the process that this one was forked from, whose gauges are not ours
            for entry in self.entries.values():
                self._tell(entry, 1)
            return
        self._loaded = True
        began = time.perf_counter()
        await asyncio.gather(
            self._load_detector(), *(self._load(entry) for entry in self.entries.values())
        )
        ready = [entry.name for entry in self.entries.values() if entry.status == "ready"]
        seconds = time.perf_counter() - began
        logger.info("%d of %d models ready in %.2f s", len(ready), len(self.entries), seconds)

    async def refresh(self) -> None:
        """Look at the repository, and load what should serve now and does not yet."""
        settings = self._settings
        try:
            shelves = await asyncio.to_thread(repository.look, settings.models, settings.pins)
        except OSError as error:  # a folder that vanishes while we look, for one
            logger.error("%s cannot be read: %s", settings.models, error)
            return
        if self._replaced:  # at the last look: by now what was replaced has been let go
            self._replaced = False
            await asyncio.to_thread(_give_back_memory)
        self._enter(shelves)
        await self._load_detector()
        for entry in self.entries.values():  # one after the other, beside the requests
            await self._load(entry)

    def get(self, name: str) -> Model[Any, Any]:
        """The model of that name. Raises NotFound if there is none, NotReady if it does not serve now."""
        entry = self.entry(name)
        if self._draining:
            self._metrics.rejected.labels(name, "draining").inc()
            raise Draining("this server is shutting down", retry_after=1)
        if entry.model is None:
            raise _not_ready([entry])
        return entry.model

    def entry(self, name: str) -> Entry:
        if name not in self.entries:
            known = ", ".join(self.entries) or "none"
            raise NotFound(f"there is no model {name!r} in this server; there are: {known}")
        return self.entries[name]

    def check_ready(self) -> None:
        """Raises NotReady, with the reason per model, unless every model of the repository serves."""
        if self._draining:
            raise Draining("this server is shutting down", retry_after=1)
        if not self.entries:
            raise NotReady(f"there is no bundle in {self._settings.models}", retry_after=60)
        missing = [entry for entry in self.entries.values() if entry.status != "ready"]
        if missing:
            raise _not_ready(missing)
        if self.pairs:
            _ = self.detector

    @property
    def detector(self) -> Detector:
        """The language detector. Raises NotReady while there is none."""
        if self._detector is None:
            reason = self._detector_reason or "the language detector is still loading"
            raise NotReady(reason, retry_after=1)
        return self._detector

    def drain(self) -> None:
        """Not ready from now on, and no new requests; those that were accepted go on."""
        self._draining = True

    async def close(self) -> None:
        """Finish what was accepted, as far as the time for it goes, and stop the workers."""
        self.drain()
        grace = self._settings.shutdown_seconds
        models = [entry.model for entry in self.entries.values() if entry.model]
        await asyncio.gather(*(model.batcher.close(grace) for model in models))
        self.workers.close()

    def _enter(self, shelves: Mapping[str, Shelf]) -> None:
        """Take in what the repository holds. A name that has vanished keeps what it has."""
        for name, shelf in shelves.items():
            if name in self.entries:
                self.entries[name].shelf = shelf
            elif name in ("ner", "sentiment") or TRANSLATOR.fullmatch(name):
                self.entries[name] = Entry(name, shelf)
            elif name not in self._nameless:
                self._nameless.add(name)
                logger.warning("%s is not served: no task has this name", shelf.path)

    async def _load(self, entry: Entry) -> None:
        """Have the version serve that should, if it does not and if nothing is wrong with it."""
        began = time.perf_counter()
        shelf, old, new, failure = entry.shelf, entry.model, entry.model, None
        path = shelf.path / str(shelf.wanted)
        if entry.tried == shelf:
            return
        try:
            if shelf.trouble:
                raise BundleError(shelf.trouble)
            if old is None or old.name.version != shelf.wanted:
                task = await asyncio.to_thread(tasks.load, path)
                _check_name(entry.name, task.bundle.manifest)
                new = Model(
                    task, workers=self.workers, metrics=self._metrics, settings=self._settings
                )
        except BundleError as error:
            failure = Refused(version=shelf.wanted, reason=error.detail)
        except Exception as error:  # noqa: BLE001  whatever is wrong with it, the others serve
            reason = f"{path}: cannot be loaded: {error}"
            failure = Refused(version=shelf.wanted, reason=reason)
            logger.error("%s", where(error))

        self._tell(entry, 0)
        entry.model, entry.failure, entry.tried = new, failure, shelf if failure else None
        self._tell(entry, 1)
        if failure and old:
            logger.error(
                "%s version %d goes on, version %d is refused: %s",
                *(entry.name, old.name.version, failure.version, failure.reason),
            )
        elif failure:
            logger.error("%s does not serve: %s", entry.name, failure.reason)
        elif new is not old:
            self._replaced = self._replaced or old is not None
            seconds = time.perf_counter() - began
            self._metrics.model_load.labels(entry.name).set(seconds)
            logger.info("%s version %d serves after %.2f s", entry.name, shelf.wanted, seconds)

    def _tell(self, entry: Entry, holds: int) -> None:
        """Have the metrics say what is known about a model (1), or that it is no longer so (0)."""
        if entry.model:
            version, sha256 = str(entry.model.name.version), entry.model.sha256
            self._metrics.model_info.labels(entry.name, version, sha256).set(holds)
        if entry.failure:
            self._metrics.model_refused.labels(entry.name, str(entry.failure.version)).set(holds)
        self._metrics.model_ready.labels(entry.name).set(entry.model is not None)

    async def _load_detector(self) -> None:
        languages = {language for pair in self.pairs for language in pair}
        if languages == self._languages:
            return
        self._languages = languages
        try:
            self._detector = await asyncio.to_thread(Detector, sorted(languages))
        except Exception as error:  # noqa: BLE001  the lack of a temporary folder, for one
            self._detector_reason = f"the language detector cannot be loaded: {error}"
            logger.error("%s", self._detector_reason)


def _check_name(name: str, manifest: bundle.Manifest) -> None:
    """A bundle's name says its task and languages; routes go by the name."""
    says = [manifest.task, *(manifest.languages if manifest.task == "translate" else [])]
    if name != "-".join(says):
        raise BundleError(
            f"{name} holds a bundle for {' '.join(says)}, which its name does not say"
        )


def _give_back_memory() -> None:
    """Have the C library return what was freed to the system; it would keep a replaced model's memory."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim:
        trim(0)


def _not_ready(entries: Sequence[Entry]) -> NotReady:
    loading = all(entry.status == "loading" for entry in entries)
    names = ", ".join(entry.name for entry in entries)
    return NotReady(
        f"still loading: {names}" if loading else f"not served: {names}",
        errors=[
            FieldError(f"/models/{entry.name}", entry.reason or "still loading")
            for entry in entries
        ],
        retry_after=1 if loading else 60,
    )
