"""A model that answers: a loaded task behind its batcher, with its phases timed and counted.

Leaves out HTTP (http/), which models there are (registry.py) and what a task does (tasks/).
"""

import asyncio
import logging
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice, repeat
from typing import Any, Generic, TypeVar

from service.scheduling.batch import SingleStepBatch
from service.scheduling.batcher import Batcher
from service.scheduling.executors import Executor
from service.settings import Settings
from service.tasks.base import ModelName, Stepwise, Task
from service.tasks.text import check_sentences
from service.telemetry.call import Call, Part
from service.telemetry.metrics import PHASES, Metrics

logger = logging.getLogger("textloom.registry")

TURN_CHARACTERS = 5_000
"""So many are encoded or decoded before the event loop goes on: some milliseconds."""
THREAD_CHARACTERS = 20_000
"""Longer texts are encoded and decoded in a thread, one at a time."""
TURN_PREDICTIONS = 1_000
"""So many are counted before the event loop goes on."""

R = TypeVar("R")
A = TypeVar("A")
D = TypeVar("D")


class LoadedModel(Generic[R, A]):
    """A loaded task behind its batcher."""

    def __init__(
        self,
        task: Task[R, Any, Any, A],
        *,
        executor: Executor,
        metrics: Metrics,
        settings: Settings,
    ) -> None:
        self.bundle = task.bundle
        self.manifest = task.bundle.manifest
        self.sha256 = task.bundle.sha256
        self.name = ModelName(name=self.manifest.name, version=self.manifest.version)
        self._task, self._executor = task, executor
        self._metrics = metrics.model(self.manifest.name)
        self._observe_phases = [self._metrics.phases[phase].observe for phase in PHASES]
        self._duration, self._failures = metrics.version(self.name.name, self.name.version)
        self._count_prediction = partial(metrics.prediction, self.name.name, self.name.version)
        # as in English; then as measured
        self._tokens_per_character, self._tokens_per_window = 0.2, 25.0
        self.batcher: Batcher[Any, Any] = Batcher(
            name=self.manifest.name,
            begin=task.begin if isinstance(task, Stepwise) else partial(SingleStepBatch, task.run),
            stepwise=isinstance(task, Stepwise),
            executor=executor,
            metrics=self._metrics,
            batch_tokens=settings.batch_tokens,
            queue_tokens=settings.queue_tokens,
        )
        # the executor drops its batcher once nothing uses this model: if it was replaced, after its last request
        weakref.finalize(self, _unload, executor, self.batcher, self.name).atexit = False

    def check_early(self, characters: int, call: Call) -> None:
        """Raises what `answer` would for so many characters, as far as that is known before they are read. While
        nothing waits or runs, no estimate refuses anything."""
        if self.batcher.busy:
            tokens = characters * self._tokens_per_character
            windows = max(1.0, tokens / self._tokens_per_window)
            self.batcher.check(tokens, windows, deadline=call.deadline, caller=call.caller)

    async def answer(self, texts: Sequence[str], request: R, call: Call) -> tuple[list[A], int]:
        """The answers for `texts`, in order, and how many tokens were read."""
        began = time.perf_counter()
        try:
            answered = await self._answer(texts, request, call)
        except Exception:
            self._failures.inc()
            raise
        self._duration.observe(time.perf_counter() - began)
        return answered

    async def _answer(self, texts: Sequence[str], request: R, call: Call) -> tuple[list[A], int]:
        characters = sum(map(len, texts))
        if characters > TURN_CHARACTERS:  # fewer are encoded in less time than this check takes
            self.check_early(characters, call)
        start = began = time.perf_counter()
        encoded = await self._in_turns(self._task.encode, characters, zip(texts, repeat(request)))
        check_sentences(sum(map(len, encoded)))
        encode_seconds = time.perf_counter() - began

        windows = [window for windows in encoded for window in windows]
        lengths = [sum([window.length for window in windows]) for windows in encoded]
        tokens = sum(lengths)
        self._tokens_per_character += 0.01 * (
            tokens / max(1, characters) - self._tokens_per_character
        )
        if windows:
            self._tokens_per_window += 0.01 * (tokens / len(windows) - self._tokens_per_window)
        ran = await self.batcher.submit(windows, deadline=call.deadline, caller=call.caller)

        began = time.perf_counter()
        rest = iter(ran.outputs)
        outputs = [list(islice(rest, len(windows))) for windows in encoded]
        results = await self._in_turns(
            self._task.decode, characters, zip(texts, repeat(request), encoded, outputs)
        )
        decode_seconds = time.perf_counter() - began

        seconds = (ran.queue_seconds, encode_seconds, ran.run_seconds, decode_seconds)
        for index, spent in enumerate(seconds):
            self._observe_phases[index](spent)
            call.phases[index] += spent
        if ran.expected_seconds:
            took = ran.queue_seconds + ran.run_seconds
            self._metrics.estimate_ratio.observe(took / ran.expected_seconds)
        for length in lengths:
            self._metrics.text_tokens.observe(length)
        self._metrics.unknown_tokens.inc(sum([window.unknown for window in windows]))
        for number, (label, score) in enumerate(_predictions(results), start=1):
            self._count_prediction(label, score)
            if number % TURN_PREDICTIONS == 0:
                await asyncio.sleep(0)
        expected = ran.expected_seconds
        call.parts.append(Part(self.name, len(texts), characters, tokens, start, seconds, expected))
        return results, tokens

    async def _in_turns(
        self, work: Callable[..., D], characters: int, calls: Iterable[tuple[Any, ...]]
    ) -> list[D]:
        """`work` for each of these arguments, the first of which is a text, in turns with the event loop.

        characters: of all texts. A text that alone would hold up the loop is worked on in a thread.
        """
        if characters <= TURN_CHARACTERS:
            return [work(*arguments) for arguments in calls]
        done, characters = [], 0
        for arguments in calls:
            size = len(arguments[0])
            if size > THREAD_CHARACTERS:
                done.append(await self._executor.aside(work, *arguments))
                continue
            characters += size
            if characters > TURN_CHARACTERS:
                await asyncio.sleep(0)
                characters = size
            done.append(work(*arguments))
        return done


def _unload(executor: Executor, batcher: Batcher[Any, Any], name: ModelName) -> None:
    executor.remove(batcher)
    logger.info("%s version %d is unloaded", name.name, name.version)


def _predictions(results: Iterable[Any]) -> Iterator[tuple[str, float]]:
    for result in results:
        yield from result.predictions()
