"""The dashboards are what their code makes, and every panel shows something of a service that works."""

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..service.conftest import running
from .conftest import ROOT, ask, watching

GRAFANA = ROOT / "deploy" / "grafana"
SHIPPED = sorted((GRAFANA / "dashboards").glob("*.json"))

VARIABLES = {"$__rate_interval": "10s", "$window": "10s", "$compare": "3s"}
"""In place of a quarter of a minute, a day and a week."""


def targets(dashboard: Path) -> list[tuple[str, str, str]]:
    """Panel, legend and query of everything that a dashboard asks."""
    panels: list[dict[str, Any]] = json.loads(dashboard.read_text())["panels"]
    return [
        (panel["title"], target["legendFormat"], target["expr"])
        for panel in panels
        for target in panel.get("targets", [])
    ]


def test_the_dashboards_are_what_their_code_makes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, GRAFANA / "dashboards.py", tmp_path], check=True)
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_text() for path in SHIPPED}
    assert len(made) == 2


@pytest.mark.parametrize("dashboard", SHIPPED, ids=lambda path: path.stem)
def test_a_dashboard_asks_for_each_thing_once(dashboard: Path) -> None:
    asked = [query for _, _, query in targets(dashboard)]
    assert len(asked) > 10
    assert len(set(asked)) == len(asked)


def test_every_panel_shows_data_of_a_service_under_load(tmp_path: Path) -> None:
    stop = threading.Event()

    def load(address: httpx.URL) -> None:
        queries = [
            ("/ner", {"text": ["Ada Lovelace lived in London.", "Grüße aus Zürich"]}),
            ("/sentiment", {"text": "What a wonderful film!"}),
            ("/sentiment", {"text": "The worst service I have ever had."}),
            ("/translate", {"text": "The cat sleeps.", "source": "en", "target": "fr"}),
            ("/translate", {"text": "Le chat dort.", "source": "fr", "target": "en"}),
            ("/ner", {"text": 5}),
        ]
        with httpx.Client(base_url=address, timeout=120) as client:
            while not stop.is_set():
                for path, query in queries:
                    client.post(path, json=query)

    log = tmp_path / "log"
    with (
        running(log, "--workers", "2") as (_, service),
        watching(tmp_path, service) as prometheus,
        ThreadPoolExecutor(4) as threads,
    ):
        loads = [threads.submit(load, service.base_url) for _ in range(4)]
        try:
            missing = [target for dashboard in SHIPPED for target in targets(dashboard)]
            end = time.monotonic() + 120
            while missing and time.monotonic() < end:
                time.sleep(1)
                missing = [target for target in missing if not shown(prometheus, target[2])]
        finally:
            stop.set()
        for each in loads:
            each.result()
    assert not missing


def shown(prometheus: httpx.Client, query: str) -> bool:
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    assert "$" not in query
    return any(series["value"][1] != "NaN" for series in ask(prometheus, query))
