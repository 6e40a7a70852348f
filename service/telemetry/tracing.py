"""Traces for an OpenTelemetry collector: a span for each request, and below it one for each phase of each model.

They are made when a request is over, of the figures that it leaves for the log, so that it need not wait for them.
Optional: only with the setting `traces` is this imported, and it needs requirements/traces.txt.
"""

import time
from functools import cached_property

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service import __version__
from service.telemetry.call import Call
from service.telemetry.metrics import PHASES

ORDER = ("encode", "queue", "run", "decode")
"""In which a request goes through its phases."""


class Traces:
    """Sends the spans of requests to a collector, in the background and in batches."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    @cached_property
    def _provider(self) -> TracerProvider:
        """Made with the first request, since it starts a thread and a process forks before that."""
        about = {"service.name": "textloom", "service.version": __version__}
        provider = TracerProvider(resource=Resource.create(about))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(self._endpoint)))
        return provider

    def request(
        self,
        began: float,
        *,
        method: str,
        route: str,
        status: int,
        ms: float,
        request_id: str,
        traceparent: str | None,
        call: Call | None,
        key: str | None = None,
    ) -> None:
        """The spans, below its caller's, of a request that began at this time of `time.perf_counter()`."""
        tracer = self._provider.get_tracer("textloom")
        zero = time.time_ns() - time.perf_counter_ns()
        start = zero + round(began * 1e9)
        caller = {"traceparent": traceparent} if traceparent else {}
        span = tracer.start_span(
            f"{method} {route}",
            TraceContextTextMapPropagator().extract(caller),
            kind=SpanKind.SERVER,
            start_time=start,
            attributes={
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
                "textloom.request_id": request_id,
            },
        )
        if key:
            span.set_attribute("textloom.key", key)
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        below = set_span_in_context(span)
        for part in call.parts if call else []:
            names: dict[str, str | int] = {
                "textloom.model": f"{part.model.name}/{part.model.version}",
                "textloom.texts": part.texts,
                "textloom.tokens": part.tokens,
            }
            spent = dict(zip(PHASES, part.phases, strict=True))
            moment = zero + round(part.began * 1e9)
            for phase in ORDER:
                inner = tracer.start_span(phase, below, start_time=moment, attributes=names)
                moment += round(spent[phase] * 1e9)
                inner.end(moment)
        span.end(start + round(ms * 1e6))

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()
