"""Every counter and histogram of the service, in one place.

Label values come from names that the service knows (routes, models, their labels), never from a request.
What every request counts is kept in plain numbers and passed on to prometheus_client together (`flush`): one at a
time, that costs as much as a quarter of the request.
"""

import asyncio
import collections
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    values,
)
from prometheus_client import Histogram as SlowHistogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from service.processes.worker_table import WorkerTable
from service.telemetry import metric_files
from service.telemetry.process_metrics import CountsCollector, GroupCollector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, with the time when it began

if metric_files.together():  # files by worker and not by process id, which is never the same again
    values.ValueClass = values.MultiProcessValue(metric_files.writer)  # type: ignore[no-untyped-call]

FLUSH_SECONDS = 0.25
"""How far the page of one process may be behind what another one has counted."""

PHASES = ("queue", "encode", "run", "decode")
REASONS = ("queue_full", "draining", "deadline", "caller_left")

_SECONDS = tuple(ms / 1000 for ms in (0.25, 0.5, 1, 2.5, 5, 10, 25, 50))
_SECONDS += (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_POWERS = tuple(2.0**power for power in range(14))
_RATIOS = tuple(2.0**power for power in range(-5, 6))
_TENTHS = tuple(step / 10 for step in range(1, 11))


class Histogram(SlowHistogram):
    """A histogram that takes many observations at once."""

    def observe_all(self, amounts: list[float]) -> None:
        self._sum.inc(sum(amounts))
        buckets = collections.Counter(bisect_left(self._upper_bounds, each) for each in amounts)
        for bucket, count in buckets.items():
            self._buckets[bucket].inc(count)


@dataclass(slots=True)
class Count:
    """A counter, as seen by the one thread that counts."""

    _counter: Counter
    _kept: float = 0.0

    def inc(self, amount: float = 1.0) -> None:
        self._kept += amount

    def flush(self) -> None:
        if self._kept:
            self._counter.inc(self._kept)
            self._kept = 0.0


class Observations:
    """A histogram, as seen by the one thread that observes."""

    __slots__ = ("_histogram", "_kept", "observe")

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._kept: list[float] = []
        self.observe = self._kept.append

    def flush(self) -> None:
        if self._kept:
            self._histogram.observe_all(self._kept)
            self._kept.clear()


@dataclass(slots=True)
class Level:
    """A gauge, as seen by the one thread that sets it."""

    _gauge: Gauge
    _now: float = 0.0
    _passed_on: float = 0.0

    def set(self, value: float) -> None:
        self._now = value

    def flush(self) -> None:
        if self._now != self._passed_on:
            self._gauge.set(self._now)
            self._passed_on = self._now


class Metrics:
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
        self._tasks = tasks or {}
        self._registry, self.worker_table = registry, worker_table
        self._kept: list[Count | Observations | Level] = []
        self._models: dict[str, ModelMetrics] = {}
        self._requests: dict[tuple[str, int, str], tuple[Count, Observations]] = {}
        self._predictions: dict[tuple[str, str], tuple[Count, Observations]] = {}
        self._key_requests: dict[tuple[str, str], Count] = {}
        if not worker_table:
            ProcessCollector(registry=registry)
            GCCollector(registry=registry)
            PlatformCollector(registry=registry)

        def counter(name: str, about: str, *labels: str) -> Counter:
            return Counter(name, about, labels, namespace="textloom", registry=registry)

        def gauge(
            name: str,
            about: str,
            *labels: str,
            together: Literal["livemax", "livemin", "livesum"] = "livemax",
        ) -> Gauge:
            return Gauge(
                name,
                about,
                labels,
                namespace="textloom",
                registry=registry,
                multiprocess_mode=together,
            )

        def histogram(
            name: str, about: str, *labels: str, buckets: tuple[float, ...] = _SECONDS
        ) -> Histogram:
            return Histogram(
                name, about, labels, namespace="textloom", buckets=buckets, registry=registry
            )

        self.http_requests = counter(
            "http_requests_total",
            "Requests; status 499: the caller left. Those around the tasks have no task.",
            "route",
            "task",
            "status",
        )
        self.http_request_duration = histogram(
            "http_request_duration_seconds",
            "From a request's head to its answer's end.",
            "route",
            "task",
        )
        self.phase_duration = histogram(
            "phase_duration_seconds", "Parts of a request's time.", "model", "phase"
        )
        self.batch_size = histogram("batch_size", "Windows in a batch.", "model", buckets=_POWERS)
        self.text_tokens = histogram("text_tokens", "Tokens of a text.", "model", buckets=_POWERS)
        self.batch_tokens = histogram(
            "batch_tokens", "Tokens of a batch, padding included.", "model", buckets=_POWERS
        )
        self.tokens = counter("tokens_total", "Tokens of texts computed.", "model")
        self.padding_tokens = counter(
            "padding_tokens_total", "Tokens of padding computed.", "model"
        )
        self.queue_depth = gauge(
            "queue_depth", "Windows in the queue.", "model", together="livesum"
        )
        self.rejected = counter(
            "rejected_total", "Requests refused or given up.", "model", "reason"
        )
        self.estimate_ratio = histogram(
            "estimate_ratio",
            "Time in queue and batches, as a multiple of what was estimated when a request was accepted.",
            "model",
            buckets=_RATIOS,
        )
        self.predictions = counter("predictions_total", "Predictions made.", "model", "label")
        self.prediction_score = histogram(
            "prediction_score", "Scores of predictions, 0 to 1.", "model", buckets=_TENTHS
        )
        self.unknown_tokens = counter(
            "unknown_tokens_total", "Tokens of texts that a vocabulary does not have.", "model"
        )
        self.model_info = gauge(
            "model_info",
            "1 for a version that serves, 0 for one that did.",
            "model",
            "version",
            "sha256",
        )
        self.model_ready = gauge(
            "model_ready", "Whether some version of a model serves.", "model", together="livemin"
        )
        self.model_refused = gauge(
            "model_refused", "1 for a version that should serve and cannot.", "model", "version"
        )
        self.model_load = gauge("model_load_seconds", "Time to read, check and replay.", "model")
        self.key_requests = counter(
            "key_requests_total",
            "Requests by key and what authentication decided.",
            "key",
            "outcome",
        )
        self.worker_restarts = counter("worker_restarts_total", "Workers that had to be replaced.")

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

    def prediction(self, model: str, label: str, score: float) -> None:
        """Count a prediction."""
        counted = self._predictions.get((model, label))
        if counted is None:
            if not metric_files.has_room():
                return
            counted = self._predictions[model, label] = (
                Count(self.predictions.labels(model, label)),
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
