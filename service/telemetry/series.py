"""Every counter, gauge and histogram of the service, declared in one place.

Label values come from names that the service knows (routes, models, their labels), never from a request.
"""

from importlib.metadata import version
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge

from service import __version__
from service.telemetry.counts import Histogram

_SECONDS = tuple(ms / 1000 for ms in (0.25, 0.5, 1, 2.5, 5, 10, 25, 50))
_SECONDS += (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_POWERS = tuple(2.0**power for power in range(14))
_RATIOS = tuple(2.0**power for power in range(-5, 6))
_TENTHS = tuple(step / 10 for step in range(1, 11))


class Series:
    """The series of one process, in `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, about: str, *labels: str) -> Counter:
            return Counter(name, about, labels, namespace="textloom", registry=registry)

        def gauge(
            name: str,
            about: str,
            *labels: str,
            together: Literal["livemax", "livemin", "livesum", "livemostrecent"] = "livemax",
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

        build_info = gauge("build_info", "What serves: always 1.", "version", "onnxruntime")
        build_info.labels(__version__, version("onnxruntime")).set(1)
        self.build_info = build_info
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
        self.http_requests_in_flight = gauge(
            "http_requests_in_flight",
            "Requests that are being answered.",
            "route",
            together="livesum",
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
        self.predictions = counter(
            "predictions_total", "Predictions made.", "model", "version", "label"
        )
        self.version_duration = histogram(
            "version_duration_seconds",
            "From a request's texts to their answers, by the version of the model.",
            "model",
            "version",
        )
        self.version_failures = counter(
            "version_failures_total", "Requests that a version did not answer.", "model", "version"
        )
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
        self.detected_languages = counter(
            "detected_languages_total", "Texts whose language was detected.", "language"
        )
        self.key_quota = gauge(
            "key_quota",
            "Requests that a key may send: in a minute, at once.",
            "key",
            "quota",
            together="livemostrecent",
        )
        self.key_quota_remaining = gauge(
            "key_quota_remaining",
            "Requests that are left to a key in this minute, or at once.",
            "key",
            "quota",
            together="livemostrecent",
        )
        self.key_requests = counter(
            "key_requests_total",
            "Requests by key and what authentication decided.",
            "key",
            "outcome",
        )
        self.worker_restarts = counter("worker_restarts_total", "Workers that had to be replaced.")
