"""The registry: loads the models of a repository, swaps them for new versions, and unloads them.

The pinned or else the highest version of each name serves. If at the start that one cannot be served, its name
does not serve at all: an older version in its place would answer differently without anyone having decided so.
Later, when another version should serve, it is tried in a process of its own (trial.py), loaded beside the old
one, and replaces that between two requests; if it cannot be loaded, the old one goes on. Every process scans
the repository itself, so that they need not coordinate. Leaves out what a bundle is (bundle.py) and what a task
does with it (tasks/).
"""

import asyncio
import ctypes
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from service import tasks
from service.errors import BundleError, Draining, FieldError, NotFound, NotReady, where
from service.registry import repository
from service.registry.entry import ModelEntry, Refused
from service.registry.loaded_model import LoadedModel
from service.registry.repository import StoredModel
from service.registry.trial import run as run_trial
from service.scheduling.executors import EventLoopExecutor, ThreadExecutor
from service.settings import Settings
from service.tasks.base import Models, Router, TaskSpec
from service.telemetry.call import Call
from service.telemetry.metrics import Metrics

logger = logging.getLogger("textloom.registry")


class Registry:
    """Loads the models, gives them out by name, follows changes of the repository, and closes them."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        threads = settings.threads_each
        self.executor = ThreadExecutor(threads) if threads > 1 else EventLoopExecutor()
        self._draining = False
        self._loaded = self._replaced = False
        self._shown = True
        self._routers: dict[str, Router] = {}
        self._router_failures: dict[str, str] = {}
        self.entries: dict[str, ModelEntry] = {}
        self._update_entries(repository.scan(settings.models, settings.pins))

    def models(self, task: str) -> Models:
        """The models of a task, those included that are not ready."""
        return {
            name: entry.stored.languages
            for name, entry in self.entries.items()
            if entry.stored.task == task
        }

    async def watch(self) -> None:
        """Load every model, then scan the repository again and again, for ever."""
        await self.load()
        while True:
            await asyncio.sleep(self._settings.watch_seconds)
            await self.refresh()

    async def catch_up(self) -> None:
        """In a process that was forked after the models were loaded: load what is new since, within a time."""
        if not self._loaded:
            return
        try:
            await asyncio.wait_for(self.refresh(), self._settings.hang_seconds / 2)
        except TimeoutError:  # a disk that hangs, for one
            logger.error("%s cannot be read in time", self._settings.models)

    async def load(self, *, shown: bool = True) -> None:
        """Load every model, once, side by side. One that fails is logged and leaves the others alone.

        shown: in this process's metrics; not in those of one that only forks, which would not follow changes.
        """
        self._shown = shown
        if self._loaded:  # by the process that this one was forked from, whose gauges are not ours
            for entry in self.entries.values():
                self._set_gauges(entry, 1)
                if entry.canary:
                    self._show(entry.canary, 1)
            return
        self._loaded = True
        began = time.perf_counter()
        await asyncio.gather(*(self._load(entry) for entry in self.entries.values()))
        # not beside the models: its memory would count as theirs (tasks/memory.py)
        await self._load_routers()
        await asyncio.to_thread(_trim_memory)
        await asyncio.gather(*(self._load_canary(entry) for entry in self.entries.values()))
        ready = [entry.name for entry in self.entries.values() if entry.status == "ready"]
        seconds = time.perf_counter() - began
        logger.info("%d of %d models ready in %.2f s", len(ready), len(self.entries), seconds)

    async def refresh(self) -> None:
        """Scan the repository, and load what should serve now and does not yet."""
        settings = self._settings
        try:
            stored_models = await asyncio.to_thread(repository.scan, settings.models, settings.pins)
        except OSError as error:  # a folder that vanishes during the scan, for one
            logger.error("%s cannot be read: %s", settings.models, error)
            return
        if self._replaced:  # by the last scan: by now what was replaced has been unloaded
            self._replaced = False
            await asyncio.to_thread(_trim_memory)
        self._update_entries(stored_models)
        await self._load_routers()
        for entry in self.entries.values():  # one after the other, beside the requests
            await self._load(entry, trial=True)
            await self._load_canary(entry, trial=True)

    def get(self, name: str, call: Call | None = None) -> LoadedModel[Any, Any]:
        """The model of that name, for this request: its canary, perhaps.

        Raises NotFound if there is none, NotReady if it does not serve now.
        """
        entry = self.entry(name)
        if self._draining:
            self._metrics.rejected.labels(name, "draining").inc()
            raise Draining("this server is shutting down", retry_after=1)
        if entry.model is None:
            raise _not_ready([entry])
        return (entry.model_for(call) if call else None) or entry.model

    def entry(self, name: str) -> ModelEntry:
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
        for task in self._tasks():
            self.router(task)

    def router(self, task: str) -> Router:
        """What decides which model of a task answers. Raises NotReady while there is none."""
        if task not in self._routers:
            reason = self._router_failures.get(task, f"{task} is still loading")
            raise NotReady(reason, retry_after=1)
        return self._routers[task]

    def choose(self, spec: TaskSpec, name: str | None) -> Models:
        """The models that may answer a request for a task which names this one, or none.

        Raises NotFound, NotReady.
        """
        named = self.entries.get(name) if name else None
        if named and named.stored.task is None:  # it is broken, so that its task is not known
            raise _not_ready([named])
        return spec.choose(name, self.models(spec.name))

    def drain(self) -> None:
        """Not ready and no new requests from now on; in-flight requests finish."""
        self._draining = True

    async def close(self) -> None:
        """Finish the accepted requests within the time for shutting down, and stop the executor."""
        self.drain()
        grace = self._settings.shutdown_seconds
        models = [
            model
            for entry in self.entries.values()
            for model in (entry.model, entry.canary)
            if model
        ]
        await asyncio.gather(*(model.batcher.close(grace) for model in models))
        self.executor.close()

    def _update_entries(self, stored_models: Mapping[str, StoredModel]) -> None:
        """Take over what the scan found. A name that has vanished keeps its model."""
        for name, stored in stored_models.items():
            if name in self.entries:
                self.entries[name].stored = stored
            else:
                self.entries[name] = ModelEntry(name, stored)

    async def _load(self, entry: ModelEntry, *, trial: bool = False) -> None:
        """Load the version that should serve, if it does not yet; a failure leaves the old one serving."""
        began = time.perf_counter()
        stored, old, new, failure = entry.stored, entry.model, entry.model, None
        if entry.tried == stored:
            return
        try:
            path = stored.folder
            if old is None or old.name.version != stored.wanted:
                canary = entry.canary  # if it was promoted, it is loaded already
                known = canary if canary and canary.name.version == stored.wanted else None
                tried = trial and entry.served.get(stored.wanted) != stored.files
                new = known or await self._open(entry.name, path, trial=tried)
                entry.served[stored.wanted] = stored.files
        except BundleError as error:
            failure = Refused(version=stored.wanted, reason=error.detail)
        except Exception as error:  # noqa: BLE001  whatever is wrong with it, the others serve
            reason = f"{stored.path}/{stored.wanted}: cannot be loaded: {error}"
            failure = Refused(version=stored.wanted, reason=reason)
            logger.error("%s", where(error))

        self._set_gauges(entry, 0)
        entry.model, entry.failure, entry.tried = new, failure, stored if failure else None
        self._set_gauges(entry, 1)
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
            logger.info("%s version %d serves after %.2f s", entry.name, stored.wanted, seconds)

    async def _load_canary(self, entry: ModelEntry, *, trial: bool = False) -> None:
        """Load the version that should be tried beside the one that serves, if it is not yet; unload another."""
        stored, old = entry.stored, entry.canary
        wanted = stored.canary.version if stored.canary else None
        if old and old.name.version != wanted:
            if old is not entry.model:
                self._show(old, 0)
            entry.canary, self._replaced = None, True
        if wanted is None or entry.canary or entry.canary_failed == stored:
            return
        try:
            path = stored.path / str(wanted)
            entry.canary = await self._open(entry.name, path, trial=trial)
            entry.canary_failed = None
            self._show(entry.canary, 1)
            logger.info("%s version %d is tried beside %d", entry.name, wanted, stored.wanted)
        except Exception as error:  # noqa: BLE001  whatever is wrong with it, the other serves
            entry.canary_failed = stored
            reason = error.detail if isinstance(error, BundleError) else where(error)
            logger.error("%s version %d cannot be tried: %s", entry.name, wanted, reason)

    async def _open(self, name: str, path: Path, *, trial: bool) -> LoadedModel[Any, Any]:
        """Raises BundleError.

        trial: in a process of its own first, since there are requests to answer.
        """
        if trial:
            await asyncio.to_thread(run_trial, path, self._settings.trusted_keys)
        task = await asyncio.to_thread(tasks.load, path, self._settings.trusted_keys)
        manifest = task.bundle.manifest
        tasks.check_name(name, manifest.task, manifest.languages)
        return LoadedModel(
            task, executor=self.executor, metrics=self._metrics, settings=self._settings
        )

    def _show(self, model: LoadedModel[Any, Any], holds: int) -> None:
        if not self._shown:
            return
        version = str(model.name.version)
        self._metrics.model_info.labels(model.name.name, version, model.sha256).set(holds)

    def _set_gauges(self, entry: ModelEntry, holds: int) -> None:
        """Set the gauges of what is known about a model to 1, or to 0 when it is no longer so."""
        if entry.model:
            self._show(entry.model, holds)
        if not self._shown:
            return
        if entry.failure:
            self._metrics.model_refused.labels(entry.name, str(entry.failure.version)).set(holds)
        self._metrics.model_ready.labels(entry.name).set(entry.model is not None)

    def _tasks(self) -> list[str]:
        """The tasks of all models, as far as they are known here."""
        named = {entry.stored.task for entry in self.entries.values()}
        return [task for task in tasks.specs() if task in named]

    async def _load_routers(self) -> None:
        for task in self._tasks():
            if task in self._routers:
                continue
            try:
                router = tasks.specs()[task].router()
                await asyncio.to_thread(router.load)
                self._routers[task] = router
            except Exception as error:  # noqa: BLE001  the lack of a temporary folder, for one
                reason = f"{task} cannot be loaded: {error}"
                if self._router_failures.get(task) != reason:
                    logger.error("%s", reason)
                self._router_failures[task] = reason


def _trim_memory() -> None:
    """Have the C library return freed memory to the system: what loading took, and a model that was replaced."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim:
        trim(0)


def _not_ready(entries: Sequence[ModelEntry]) -> NotReady:
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
