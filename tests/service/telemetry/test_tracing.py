"""Spans arrive at a collector: one for each request, below its caller's, and below it one for each phase."""

import itertools
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from service import settings

from ..conftest import running
from ..helpers import TASKS
from .test_logs import TRACEPARENT


class Collector(ThreadingHTTPServer):
    """Keeps in memory what is sent to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Span] = []
        self.text = b""

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1/traces"


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.text += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.server.spans += scope.spans
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Not a word."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def attributes(span: Span) -> dict[str, Any]:
    return {pair.key: pair.value.string_value or pair.value.int_value for pair in span.attributes}


def test_requests_to_two_workers_become_spans_with_their_phases(
    collector: Collector, tiny_models: Path, tmp_path: Path
) -> None:
    arguments = ("--models", str(tiny_models), "--workers", "2", "--traces", collector.endpoint)
    with running(tmp_path / "log", *arguments) as (_, client):
        for path, query in TASKS.items():
            texts = {"text": ["Zebrafinch in London", "Ada"], **query}
            client.post(path, json=texts, headers={"traceparent": TRACEPARENT})
        client.post("/ner", json={"text": 5}, headers={"X-Request-ID": "mine"})
    # the workers have sent the rest before they ended
    named = {span.name: span for span in collector.spans}
    ids = {span.span_id: span for span in collector.spans}
    refused = [s for s in collector.spans if attributes(s).get("textloom.request_id") == "mine"]
    assert [attributes(span)["http.response.status_code"] for span in refused] == [422]
    assert refused[0].parent_span_id == b""
    for path in TASKS:
        request = next(s for s in collector.spans if s.name == f"POST {path}" and s.parent_span_id)
        _, trace, parent, _ = TRACEPARENT.split("-")
        assert (request.trace_id.hex(), request.parent_span_id.hex()) == (trace, parent)
        assert request.kind == Span.SPAN_KIND_SERVER
        assert attributes(request)["http.route"] == path
        inside = [span for span in collector.spans if span.parent_span_id == request.span_id]
        inside.sort(key=lambda span: span.start_time_unix_nano)
        assert [span.name for span in inside] == ["encode", "queue", "run", "decode"]
        for before, after in itertools.pairwise(inside):
            assert before.end_time_unix_nano == after.start_time_unix_nano
        assert request.start_time_unix_nano <= inside[0].start_time_unix_nano
        assert inside[-1].end_time_unix_nano <= request.end_time_unix_nano
        for span in inside:
            assert span.trace_id == request.trace_id
            assert attributes(span)["textloom.model"].endswith("/1")
            assert attributes(span)["textloom.texts"] == 2
            assert attributes(span)["textloom.tokens"] > 0
    assert len(ids) == len(collector.spans)
    assert "GET /health/ready" in named
    assert b"Zebrafinch" not in collector.text


def test_without_the_package_the_setting_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(settings, "find_spec", lambda _: None)
    assert settings.read([]).traces == ""
    with pytest.raises(SystemExit):
        settings.read(["--traces", "http://127.0.0.1:4318/v1/traces"])
    assert "--traces: Value error, Traces need more: pip install" in capsys.readouterr().err
