"""The metrics of the service: what is counted, and the page of all of them. series.py declares each.

What every request counts is kept in plain numbers (counts.py) and passed on to prometheus_client by `flush`.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    values,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from service.processes.worker_table import WorkerTable
from service.telemetry import metric_files
from service.telemetry.counts import Count, Level, Observations
from service.telemetry.process_metrics import CountsCollector, GroupCollector
from service.telemetry.series import Series

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, with the time when it began

if metric_files.together():  # files by worker and not by process id, which is never the same again
    values.ValueClass = values.MultiProcessValue(metric_files.writer)  # type: ignore[no-untyped-call]

FLUSH_SECONDS = 0.25
"""How far the page of one process may be behind what another one has counted."""

PHASES = ("queue", "encode", "run", "decode")
REASONS = ("queue_full", "draining", "deadline", "caller_left")


class Metrics(Series):
    """The metrics of one process, in a registry of their own, so that two apps do not share any.

    With a worker table they are those of all its processes together, whichever answers: counters and histograms
    add up, those of dead workers too.
    """

    def __init__(
        self,
        registry: CollectorRegistry | None = None,
        *,
        worker_table: WorkerTable | None = None,
        tasks: Mapping[str, str] | None = None,
    ) -> None:
        """tasks: by route, of those that answer a single task."""
        registry = registry or CollectorRegistry()
        super().__init__(registry)
        self._tasks = tasks or {}
        self._registry, self.worker_table = registry, worker_table
        self._kept: list[Count | Observations | Level] = []
        self._models: dict[str, ModelMetrics] = {}
        self._versions: dict[tuple[str, int], tuple[Observations, Count]] = {}
        self._requests: dict[tuple[str, int, str], tuple[Count, Observations]] = {}
        self._in_flight: dict[str, Level] = {}
        self._predictions: dict[tuple[str, int, str], tuple[Count, Observations]] = {}
        self._languages: dict[str, Count] = {}
        self._key_requests: dict[tuple[str, str], Count] = {}
        self._before_page: list[Callable[[], None]] = []
        if not worker_table:
            ProcessCollector(registry=registry)
            GCCollector(registry=registry)
            PlatformCollector(registry=registry)

    def model(self, name: str) -> "ModelMetrics":
        """The metrics of one model, of all its versions. Its series exist from now on, at zero."""
        if name in self._models:
            return self._models[name]
        made = self._models[name] = ModelMetrics(
            phases={
                phase: Observations(self.phase_duration.labels(name, phase)) for phase in PHASES
            },
            text_tokens=Observations(self.text_tokens.labels(name)),
            batch_size=Observations(self.batch_size.labels(name)),
            batch_tokens=Observations(self.batch_tokens.labels(name)),
            tokens=Count(self.tokens.labels(name)),
            padding_tokens=Count(self.padding_tokens.labels(name)),
            queue_depth=Level(self.queue_depth.labels(name)),
            unknown_tokens=Count(self.unknown_tokens.labels(name)),
            estimate_ratio=Observations(self.estimate_ratio.labels(name)),
            rejected={reason: Count(self.rejected.labels(name, reason)) for reason in REASONS},
        )
        self.prediction_score.labels(name)
        self._kept += [each for each in vars(made).values() if not isinstance(each, dict)]
        self._kept += [*made.phases.values(), *made.rejected.values()]
        return made

    def version(self, model: str, version: int) -> tuple[Observations, Count]:
        """Seconds that a version of a model took for a request, and requests that it did not answer."""
        if (model, version) not in self._versions:
            labels = (model, str(version))
            made = (
                Observations(self.version_duration.labels(*labels)),
                Count(self.version_failures.labels(*labels)),
            )
            self._versions[model, version] = made
            self._kept += made
        return self._versions[model, version]

    def request(self, route: str, status: int, seconds: float, task: str = "") -> None:
        """Count a request. task: that it was for, if it came so far; a task's own route says it anyway."""
        task = task or self._tasks.get(route, "")
        counted = self._requests.get((route, status, task))
        if counted is None:
            if not metric_files.has_room():
                return
            counted = self._requests[route, status, task] = (
                Count(self.http_requests.labels(route, task, str(status))),
                Observations(self.http_request_duration.labels(route, task)),
            )
            self._kept += counted
        counted[0].inc()
        counted[1].observe(seconds)

    def in_flight(self, route: str) -> Level:
        """How many requests to a route are being answered."""
        if route not in self._in_flight:
            level = Level(self.http_requests_in_flight.labels(route))
            self._in_flight[route] = level
            self._kept.append(level)
        return self._in_flight[route]

    def detected_language(self, language: str) -> None:
        """Count a text whose language was detected."""
        if language not in self._languages:
            self._languages[language] = Count(self.detected_languages.labels(language))
            self._kept.append(self._languages[language])
        self._languages[language].inc()

    def before_page(self, update: Callable[[], None]) -> None:
        """Call this before each page: for gauges that would cost something to keep."""
        self._before_page.append(update)

    def key_request(self, label: str, outcome: str) -> None:
        """Count what authentication decided about a request."""
        counted = self._key_requests.get((label, outcome))
        if counted is None:
            if not metric_files.has_room():
                return
            counted = Count(self.key_requests.labels(label, outcome))
            self._key_requests[label, outcome] = counted
            self._kept.append(counted)
        counted.inc()

    def prediction(self, model: str, version: int, label: str, score: float) -> None:
        """Count a prediction."""
        counted = self._predictions.get((model, version, label))
        if counted is None:
            if not metric_files.has_room():
                return
            counted = self._predictions[model, version, label] = (
                Count(self.predictions.labels(model, str(version), label)),
                Observations(self.prediction_score.labels(model)),
            )
            self._kept += counted
        counted[0].inc()
        counted[1].observe(score)

    def flush(self) -> None:
        """Pass on what has been counted, in the thread that counts."""
        for each in self._kept:
            each.flush()

    def page(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        for update in self._before_page:
            update()
        self.flush()
        if not self.worker_table:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        CountsCollector(together)  # type: ignore[no-untyped-call]
        together.register(GroupCollector(self.worker_table))
        PlatformCollector(registry=together)
        return generate_latest(together)

    def forget_worker(self, index: int) -> None:
        """A worker has ended: its counts stay, its gauges do not."""
        if self.worker_table:
            metric_files.empty_gauges(index)


async def keep_flushing(metrics: Metrics) -> None:
    """Passes on what is counted, again and again, until it is cancelled."""
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        metrics.flush()


@dataclass(frozen=True)
class ModelMetrics:
    """The series of one model, looked up once: `labels()` would cost more than the counting."""

    phases: dict[str, Observations]
    text_tokens: Observations
    batch_size: Observations
    batch_tokens: Observations
    tokens: Count
    padding_tokens: Count
    queue_depth: Level
    unknown_tokens: Count
    estimate_ratio: Observations
    rejected: dict[str, Count]
