"""An alert arrives where it should, once, and not at all if another one says more."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from ..service.conftest import running
from ..service.helpers import until
from .conftest import ALERTMANAGER, PROMETHEUS, alerting, watching

RULES = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())
SEVERITY = {
    rule["alert"]: rule["labels"]["severity"]
    for group in RULES["groups"]
    for rule in group["rules"]
    if "alert" in rule
}

Notification = tuple[str, dict[str, Any]]


@contextmanager
def receiver() -> Iterator[tuple[str, list[Notification]]]:
    """The address of a webhook, and what has arrived there: path and document."""
    arrived: list[Notification] = []

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            arrived.append((self.path, json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Webhook) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", arrived
        finally:
            server.shutdown()
            thread.join()


def told(arrived: list[Notification], path: str) -> list[list[str]]:
    """The names of the alerts in each notification."""
    return [
        [alert["labels"]["alertname"] for alert in document["alerts"]]
        for place, document in arrived
        if place == path
    ]


def raise_alerts(alertmanager: httpx.Client, *alerts: dict[str, str]) -> None:
    end = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    document = [
        {"labels": {"severity": SEVERITY[alert["alertname"]], **alert}, "endsAt": end}
        for alert in alerts
    ]
    assert alertmanager.post("/api/v2/alerts", json=document).status_code == 200


def test_alertmanager_accepts_what_is_shipped(amtool: str) -> None:
    command = [amtool, "check-config", str(ALERTMANAGER / "alertmanager.yml")]
    subprocess.run(command, check=True, capture_output=True)


def test_every_alert_that_is_named_there_is() -> None:
    config = yaml.safe_load((ALERTMANAGER / "alertmanager.yml").read_text())
    for rule in config["inhibit_rules"]:
        (source,), (target,) = rule["source_matchers"], rule["target_matchers"]
        assert source.split('"')[1] in SEVERITY
        prefix = target.split('"')[1].removesuffix(".+")
        assert any(name.startswith(prefix) for name in SEVERITY)


@pytest.mark.timeout(300)
def test_a_service_that_was_stopped_pages_on_call(tiny_models: Path, tmp_path: Path) -> None:
    with (
        receiver() as (address, arrived),
        alerting(tmp_path, address) as alertmanager,
        running(tmp_path / "log", "--models", str(tiny_models)) as (started, service),
        watching(tmp_path, service, alertmanager) as prometheus,
    ):
        up = {"query": 'up{job="textloom"} == 1'}
        until(lambda: prometheus.get("/api/v1/query", params=up).json()["data"]["result"])
        assert arrived == []
        started.kill()
        until(lambda: ["TextLoomDown"] in told(arrived, "/page"), 180)
        (alert,) = arrived[0][1]["alerts"]
        assert alert["status"] == "firing"
        assert alert["annotations"]["runbook"] == "docs/runbook.md#textloomdown"
        assert told(arrived, "/ticket") == []


def test_alerts_go_where_their_severity_says_in_one_notification_each(tmp_path: Path) -> None:
    with receiver() as (address, arrived), alerting(tmp_path, address) as alertmanager:
        raise_alerts(
            alertmanager,
            {"alertname": "TextLoomRestartLoop", "instance": "a"},
            {"alertname": "TextLoomRestartLoop", "instance": "b"},
            {"alertname": "TextLoomLabelDrift", "model": "ner"},
        )
        until(lambda: len(arrived) == 2)
        assert told(arrived, "/page") == [["TextLoomRestartLoop", "TextLoomRestartLoop"]]
        assert told(arrived, "/ticket") == [["TextLoomLabelDrift"]]


def test_an_alert_is_held_back_while_another_says_more(tmp_path: Path) -> None:
    with receiver() as (address, arrived), alerting(tmp_path, address) as alertmanager:
        raise_alerts(
            alertmanager,
            {"alertname": "TextLoomErrorsFast"},
            {"alertname": "TextLoomErrorsSlow"},
            {"alertname": "TextLoomSaturated", "model": "ner"},
            {"alertname": "TextLoomLatencyFast"},
            {"alertname": "TextLoomLatencySlow"},
            {"alertname": "TextLoomModelNotReady", "model": "ner"},
            {"alertname": "TextLoomModelRefused", "model": "ner", "version": "2"},
            {"alertname": "TextLoomModelRefused", "model": "sentiment", "version": "2"},
        )
        until(lambda: len(arrived) == 4)
        assert sorted(told(arrived, "/page")) == [
            ["TextLoomErrorsFast"],
            ["TextLoomModelNotReady"],
            ["TextLoomSaturated"],
        ]
        ((_, ticket),) = [each for each in arrived if each[0] == "/ticket"]
        assert [alert["labels"]["model"] for alert in ticket["alerts"]] == ["sentiment"]
        held = alertmanager.get("/api/v2/alerts", params={"active": "false"}).json()
        assert {each["labels"]["alertname"] for each in held if each["status"]["inhibitedBy"]} == {
            "TextLoomErrorsSlow",
            "TextLoomLatencyFast",
            "TextLoomLatencySlow",
            "TextLoomModelRefused",
        }
