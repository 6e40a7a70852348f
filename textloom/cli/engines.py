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
        self._method = getattr(self._client, task)
        self._options = options
        self._threads = ThreadPoolExecutor(workers)

    def ask(self, texts: Sequence[str]) -> "Future[Answers]":
        return self._threads.submit(self._ask, list(texts))

    def _ask(self, texts: list[str]) -> Answers:
        results = self._method(texts, **self._options)
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
        from service.tasks.translate.language import Detector

        self._options = dict(options)
        self._tasks = {}
        for name in _names(models, task, options):
            loaded: Any = tasks.load(_version(models, name))
            source = name.split("-")[1] if task == "translate" else ""
            self._tasks[source] = loaded
        self._target = self._options.pop("target", "")
        self._detector = None
        if self._options.pop("source", "") == "auto":
            self._detector = Detector(sorted({*self._tasks, self._target}))

    def answer(self, texts: Sequence[str]) -> Answers:
        from service.tasks.base import predict

        detector = self._detector
        if detector is None:
            ((task, mine),) = [(task, list(texts)) for task in self._tasks.values()]
            results = predict(task, mine, task.request(mine, **self._options))
            return [result.model_dump() for result in results]
        found = [detector.source(text, list(self._tasks), self._target) for text in texts]
        answers: dict[str, Any] = {}
        for source, task in self._tasks.items():
            mine = [text for text, language in zip(texts, found, strict=True) if language == source]
            request = task.request(mine or [""], **self._options)
            answers[source] = iter(predict(task, mine, request))
        return [
            next(answers[source]).model_dump() if source in answers else self._as_is(text)
            for text, source in zip(texts, found, strict=True)
        ]

    def _as_is(self, text: str) -> dict[str, Any]:
        same = {"translation": text, "source": self._target, "target": self._target, "score": 0.0}
        return same | ({"alternatives": []} if self._options.get("alternatives") else {})


def check(models: Path, task: str, options: dict[str, Any]) -> list[str]:
    """The models that a task needs, as `ner 3`. Raises Stop if they or the options are wrong."""
    from service.errors import BundleError
    from service.registry import bundle

    found = []
    for name in _names(models, task, options):
        try:
            manifest = bundle.read(_version(models, name)).manifest
        except BundleError as error:
            raise Stop(error.detail) from error
        found.append(f"{name} {manifest.version}")
        unknown = set(options.get("labels") or []) - set(manifest.labels)
        if unknown:
            raise Stop(
                f"--labels: {', '.join(sorted(unknown))} unknown; there are {', '.join(manifest.labels)}"
            )
    return found


def _names(models: Path, task: str, options: dict[str, Any]) -> list[str]:
    from service.registry import bundle

    known = bundle.names(models) if models.is_dir() else []
    if task != "translate":
        names = [task]
    elif options["source"] == "auto":
        names = [name for name in known if name.endswith(f"-{options['target']}")]
    else:
        names = [f"translate-{options['source']}-{options['target']}"]
    if not names or not set(names) <= set(known):
        listed = ", ".join(known) or "nothing"
        raise Stop(f"no model for this in {models}, which holds {listed}")
    return names


def _version(models: Path, name: str) -> Path:
    """The version that a service would serve. Raises BundleError if its pin is unreadable."""
    from service.registry import bundle

    return models / name / str(bundle.pinned(models, name) or bundle.versions(models, name)[-1])


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
