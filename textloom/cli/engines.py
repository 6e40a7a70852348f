"""Answers texts: here, with a process for each core, or by a server.

An engine is asked for a list of texts and gives a future of their answers, as dictionaries.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from textloom.cli.errors import Stop
from textloom.client import Client
from textloom.errors import Refused, TextLoomError
from textloom.local import LocalModels

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


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Defers Ctrl-C to the end of the block; pressed twice, it is not deferred.

    An executor's locks are Python code: a KeyboardInterrupt raised inside one may leave it locked,
    and the command would then wait for its own threads for ever. Ctrl-C reaches the main thread only, and only if
    it is not ignored, as under nohup.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    interrupts: list[int] = []

    def interrupt(number: int, _: object) -> None:
        interrupts.append(number)
        if len(interrupts) > 1:
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if interrupts:
            raise KeyboardInterrupt


def blame(error: BaseException) -> str:
    """What one text is told, if its answer failed. Raises Stop if others would fare no better."""
    if isinstance(error, BrokenProcessPool):
        raise Stop("a process died; perhaps there is too little memory for --workers") from error
    if isinstance(error, Refused) and error.status in (413, 422, 500, 504):
        pointers = [each.get("pointer", "") for each in error.errors]
        if any(pointers) and not any(pointer.startswith("/text") for pointer in pointers):
            raise Stop(error.detail) from error  # an option is wrong
        return error.detail
    if isinstance(error, TextLoomError):
        raise Stop(str(error)) from error
    return f"{type(error).__name__}: {error}"


class Remote:
    """A server. Threads wait for it; the work is done there."""

    def __init__(self, url: str, task: str, options: Mapping[str, Any], workers: int) -> None:
        self.workers = workers
        try:
            with Client(url, retries=1) as client:  # a wrong address shall not be tried for long
                self.models = [f"{model.name} {model.version}" for model in client.models()]
        except (TextLoomError, ValueError) as error:
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

    def __init__(self, models: Path | None, task: str, options: Mapping[str, Any]) -> None:
        self._local = LocalModels(task, model=options.get("model"), folder=models)
        self._options = options
        self.models = checked(self._local, options)

    def ask(self, texts: Sequence[str]) -> "Future[Answers]":
        done: Future[Answers] = Future()
        try:
            done.set_result(self._local.answer(texts, self._options))
        except Exception as error:  # noqa: BLE001  as in a process, it comes out of the future
            done.set_exception(error)
        return done

    def close(self) -> None:
        """Nothing is under way when `ask` has returned."""


class Processes:
    """The models of a folder, in as many processes as are asked for."""

    def __init__(
        self, models: Path | None, task: str, options: Mapping[str, Any], workers: int
    ) -> None:
        self.workers = workers
        local = LocalModels(task, model=options.get("model"), folder=models)
        self.models = checked(local, options)
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


def checked(local: LocalModels, options: Mapping[str, Any]) -> list[str]:
    """Names and versions of the models that these options leave. Raises Stop if the options are wrong."""
    try:
        return local.check(options)
    except Refused as error:
        raise Stop(error.detail) from error


def cores() -> int:
    """Those that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


_here: Here | None = None
"""Of a process of the pool."""


def _start(models: Path | None, task: str, options: Mapping[str, Any]) -> None:
    global _here  # noqa: PLW0603  a process of a pool has no other place
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C ends the command, which ends its processes
    _here = Here(models, task, options)


def _answer(texts: list[str]) -> Answers:
    assert _here is not None
    return _here.ask(texts).result()
