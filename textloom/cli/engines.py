"""Answers texts: here, with a process for each core, or by a server.

An engine is asked for a list of texts and gives a future of their answers, as dictionaries.
"""

import multiprocessing
import signal
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Protocol

from textloom.cli.errors import Stop
from textloom.client import Client, Refused, TextLoomError

Answers = list[dict[str, Any]]


class Engine(Protocol):
    workers: int
    """How many lists are worked on at once."""
    models: list[str]
    """Names and versions of what answers."""

    def ask(self, texts: Sequence[str]) -> "Future[Answers]":
        """The answers for `texts`, one each, in order."""

    def close(self) -> None:
        """Give up what is still being worked on."""


def blame(error: BaseException) -> str:
    """What one text is told, if its answer failed. Raises Stop if others would fare no better."""
    if isinstance(error, BrokenProcessPool):
        raise Stop("a process died; perhaps there is too little memory for --workers") from error
    if isinstance(error, Refused) and error.status in (413, 422, 500, 504):
        return error.detail
    if isinstance(error, TextLoomError):
        raise Stop(str(error)) from error
    return f"{type(error).__name__}: {error}"


class Remote:
    """A server. Threads wait for it; the work is done there."""

    def __init__(self, url: str, task: str, options: dict[str, Any], workers: int) -> None:
        self.workers = workers
        try:
            with Client(url, retries=1) as client:  # a wrong address shall not be tried for long
                self.models = [f"{model.name} {model.version}" for model in client.models()]
        except TextLoomError as error:
            raise Stop(str(error)) from error
        self._client = Client(url)
        self._task, self._options = task, options
        self._threads = ThreadPoolExecutor(workers)

    def ask(self, texts: Sequence[str]) -> "Future[Answers]":
        return self._threads.submit(self._ask, list(texts))

    def _ask(self, texts: list[str]) -> Answers:
        results = self._client.ask(self._task, texts, **self._options)
        return [result.model_dump() for result in results]

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()


class Here:
    """The models of a folder, run in this process."""

    workers = 1

    def __init__(self, models: Path, task: str, options: dict[str, Any]) -> None:
        self.models = check(models, task, options)
        self._local = Local(models, task, options)

    def ask(self, texts: Sequence[str]) -> "Future[Answers]":
        done: Future[Answers] = Future()
        try:
            done.set_result(self._local.answer(texts))
        except Exception as error:  # noqa: BLE001  as in a process, it comes out of the future
            done.set_exception(error)
        return done

    def close(self) -> None:
        """Nothing is under way when `ask` has returned."""


class Processes:
    """The models of a folder, in as many processes as are asked for."""

    def __init__(self, models: Path, task: str, options: dict[str, Any], workers: int) -> None:
        self.workers = workers
        self.models = check(models, task, options)
        self._pool = ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(models, task, options),
        )

    def ask(self, texts: Sequence[str]) -> "Future[Answers]":
        return self._pool.submit(_answer, list(texts))

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


class Local:
    """What a process has loaded for one task."""

    def __init__(self, models: Path, task: str, options: dict[str, Any]) -> None:
        from service import tasks

        self._query, chosen = select(models, task, options)
        self._tasks = {name: tasks.load(stored.folder) for name, stored in chosen.items()}
        self._languages = {name: stored.languages for name, stored in chosen.items()}
        self._router = tasks.specs()[task].router()

    def answer(self, texts: Sequence[str]) -> Answers:
        from service.tasks.base import predict

        plan = self._router.plan(texts, self._query, self._languages)
        results = {
            name: predict(task, mine, self._query)
            for name, task in self._tasks.items()
            if (mine := plan.texts_of(name, texts))
        }
        return [result.model_dump() for result in plan.join(results)]


def check(models: Path, task: str, options: dict[str, Any]) -> list[str]:
    """The models that may answer, as `ner 3`. Raises Stop if they or the options are wrong."""
    from service.errors import TextLoomError
    from service.registry import bundle
    from service.tasks import specs

    query, chosen = select(models, task, options)
    try:
        for stored in chosen.values():
            specs()[task].check(query, bundle.read(stored.folder).manifest)
    except TextLoomError as error:
        raise Stop(error.detail) from error
    return [f"{name} {stored.wanted}" for name, stored in chosen.items()]


def select(models: Path, task: str, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The request for all texts, and the StoredModel of each model that may answer it. Raises Stop."""
    from pydantic import ValidationError

    from service.errors import TextLoomError
    from service.registry import repository
    from service.tasks import specs

    spec = specs()[task]
    stored = repository.scan(models, {}) if models.is_dir() else {}
    known = {name: each.languages for name, each in stored.items() if each.task == task}
    try:
        query = spec.request(text="", **options)
        names = spec.router().candidates(query, spec.choose(query.model, known))
    except TextLoomError as error:
        raise Stop(f"{models}: {error.detail}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Stop(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    return query, {name: stored[name] for name in names}


_local: Local | None = None
"""Of a process of the pool."""


def _start(models: Path, task: str, options: dict[str, Any]) -> None:
    global _local  # noqa: PLW0603  a process of a pool has no other place
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C ends the command, which ends its processes
    _local = Local(models, task, options)


def _answer(texts: list[str]) -> Answers:
    assert _local is not None
    return _local.answer(texts)
