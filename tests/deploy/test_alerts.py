"""Each alert fires when it should and is explained; a service that is broken on purpose raises the right one."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import yaml

from ..service import tiny
from ..service.conftest import SHIPPED, running
from ..service.helpers import until, value
from .conftest import PROMETHEUS, ROOT, watching

RULES = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule]


def test_each_alert_fires_and_stays_silent_when_it_should(promtool: str) -> None:
    files = ["rules_test.yml", "rules_days_test.yml"]
    done = subprocess.run(
        [promtool, "test", "rules", *files],
        cwd=PROMETHEUS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cases = [
        case
        for file in files
        for test in yaml.safe_load((PROMETHEUS / file).read_text())["tests"]
        for case in test.get("alert_rule_test", [])
    ]
    every = {rule["alert"] for rule in ALERTS}
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == every
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == every


def test_prometheus_accepts_what_is_shipped(promtool: str) -> None:
    command = [promtool, "check", "config", str(PROMETHEUS / "prometheus.yml")]
    subprocess.run(command, check=True, capture_output=True)


def test_each_alert_leads_to_its_paragraph_in_the_runbook() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    paragraphs = dict(re.findall(r"^## (\w+)\n\n(.+)", text, re.MULTILINE))
    assert paragraphs.keys() == {rule["alert"] for rule in ALERTS}
    for rule in ALERTS:
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_a_service_that_was_stopped_is_down(tiny_models: Path, tmp_path: Path) -> None:
    with (
        running(tmp_path / "log", "--models", str(tiny_models)) as (started, service),
        watching(tmp_path, service) as prometheus,
    ):
        until(lambda: healthy(prometheus) and raised(prometheus) == set())
        started.kill()
        until(lambda: "TextLoomDown" in raised(prometheus))


def test_overload_is_seen_before_it_is_refused(tmp_path: Path) -> None:
    """Sixty-four callers at a time: requests wait, and are slow, but none is refused."""
    arguments = ("--models", str(SHIPPED), "--workers", "1", "--timeout-ms", "6000000")
    with (
        running(tmp_path / "log", *arguments) as (_, service),
        watching(tmp_path, service) as prometheus,
        loaded(service, callers=64),
    ):
        until(lambda: {"TextLoomSaturated", "TextLoomLatencyFast"} <= raised(prometheus), 120)
        assert value(service, "textloom_rejected_total") == 0
        assert "TextLoomErrorsFast" not in raised(prometheus)


def test_refusals_burn_the_budget_of_errors(tmp_path: Path) -> None:
    arguments = ("--models", str(SHIPPED), "--workers", "1", "--queue-tokens", "100")
    with (
        running(tmp_path / "log", *arguments) as (_, service),
        watching(tmp_path, service) as prometheus,
        loaded(service, callers=16),
    ):
        until(lambda: "TextLoomErrorsFast" in raised(prometheus), 120)
        assert value(service, "textloom_rejected_total", reason="queue_full") > 0


def test_a_damaged_bundle_does_not_serve_at_the_start_and_is_refused_later(tmp_path: Path) -> None:
    models, other = (tiny.repository(tmp_path / name) for name in ("models", "other"))
    damage(tiny.ner(models).path)
    bad = tiny.sentiment(other).path
    damage(bad)
    arguments = ("--models", str(models), "--watch-seconds", "0.2")
    with (
        running(tmp_path / "log", *arguments, ready=False) as (_, service),
        watching(tmp_path, service) as prometheus,
    ):
        until(lambda: "TextLoomModelNotReady" in raised(prometheus))
        shutil.rmtree(models / "ner" / "2")
        until(lambda: healthy(prometheus) and raised(prometheus) == set())
        bad.rename(models / "sentiment" / "2")
        until(lambda: "TextLoomModelRefused" in raised(prometheus))
        assert "TextLoomModelNotReady" not in raised(prometheus)


def test_workers_that_die_again_and_again_are_a_restart_loop(
    tiny_models: Path, tmp_path: Path
) -> None:
    arguments = ("--models", str(tiny_models), "--workers", "2")
    with (
        running(tmp_path / "log", *arguments) as (started, service),
        watching(tmp_path, service) as prometheus,
    ):
        until(lambda: healthy(prometheus))
        for _ in range(4):
            children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text()
            os.kill(int(children.split()[0]), signal.SIGKILL)
            time.sleep(2)  # so that Prometheus sees one after the other
        until(lambda: "TextLoomRestartLoop" in raised(prometheus))


def damage(bundle: Path) -> None:
    file = bundle / "model.onnx"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")


def raised(prometheus: httpx.Client) -> set[str]:
    """The alerts that are pending or firing."""
    alerts = prometheus.get("/api/v1/alerts").json()["data"]["alerts"]
    return {alert["labels"]["alertname"] for alert in alerts}


def healthy(prometheus: httpx.Client) -> bool:
    """Prometheus has reached the service, and has tried its rules since that began.

    The rules may still have been tried before the first answer was stored, and have found none.
    """
    targets = prometheus.get("/api/v1/targets").json()["data"]["activeTargets"]
    groups = prometheus.get("/api/v1/rules").json()["data"]["groups"]
    return bool(targets) and all(
        targets[0]["health"] == "up" and group["lastEvaluation"] > targets[0]["lastScrape"]
        for group in groups
        if group["interval"] == 1
    )


@contextmanager
def loaded(service: httpx.Client, *, callers: int) -> Iterator[None]:
    """Inside, so many callers ask for translations again and again."""
    stop = threading.Event()
    query = {"text": "The old man goes to the market. " * 8, "source": "en", "target": "fr"}

    def call() -> None:
        with httpx.Client(base_url=service.base_url, timeout=120) as client:
            while not stop.is_set():
                client.post("/translate", json=query)

    with ThreadPoolExecutor(callers) as threads:
        calls = [threads.submit(call) for _ in range(callers)]
        try:
            yield
        finally:
            stop.set()
        for each in calls:
            each.result()
