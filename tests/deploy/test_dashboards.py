"""The dashboards are what their code makes, and every panel shows something of a service that works."""

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.auth import api_keys

from ..service.conftest import running
from ..service.helpers import until
from .conftest import ROOT, ask, watching

GRAFANA = ROOT / "deploy" / "grafana"
SHIPPED = sorted((GRAFANA / "dashboards").glob("*.json"))

VARIABLES = {
    "$__rate_interval": "20s",
    "$window": "20s",
    "$compare": "5s",
    "$instance": ".*",
    "$model": ".*",
}
"""In place of a quarter of a minute, a day and a week, and what is chosen at first."""


def panels(dashboard: Path) -> list[dict[str, Any]]:
    """The panels of a dashboard, without the titles of its rows."""
    found = json.loads(dashboard.read_text())["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def targets(dashboard: Path) -> list[tuple[str, str, str]]:
    """Panel, legend and query of everything that the panels of a dashboard ask."""
    return [
        (panel["title"], target["legendFormat"], target["expr"])
        for panel in panels(dashboard)
        for target in panel["targets"]
    ]


def other_queries(dashboard: Path) -> list[tuple[str, str, str]]:
    """The same of its annotations, and of the values that may be chosen."""
    document = json.loads(dashboard.read_text())
    marks = [(each["name"], "", each["expr"]) for each in document["annotations"]["list"]]
    choices = []
    for each in document["templating"]["list"]:
        if each["type"] == "query":
            metric, label = re.findall(r"\w+", each["query"].removeprefix("label_values"))
            choices.append((each["name"], "", f'count by ({label}) ({metric}{{{label}!=""}})'))
    assert len(marks) == len(choices) == 2
    return marks + choices


def test_the_dashboards_are_what_their_code_makes(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "deploy.grafana.dashboards", tmp_path], check=True, cwd=ROOT
    )
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_text() for path in SHIPPED}
    assert len(made) == 2


@pytest.mark.parametrize("dashboard", SHIPPED, ids=lambda path: path.stem)
def test_a_dashboard_asks_for_each_thing_once(dashboard: Path) -> None:
    asked = [query for _, _, query in targets(dashboard)]
    assert len(asked) > 10
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("dashboard", SHIPPED, ids=lambda path: path.stem)
def test_a_dashboard_begins_with_numbers_and_explains_each_panel(dashboard: Path) -> None:
    found = panels(dashboard)
    top = [panel for panel in found if panel["gridPos"]["y"] == 0]
    assert {panel["type"] for panel in top} == {"stat"}
    assert sum(panel["gridPos"]["w"] for panel in top) == 24
    assert all(panel["description"].endswith(".") for panel in found)
    assert len({panel["title"] for panel in found}) == len(found)


@pytest.mark.parametrize("dashboard", SHIPPED, ids=lambda path: path.stem)
def test_a_dashboard_asks_the_chosen_source_and_leads_to_the_other(dashboard: Path) -> None:
    document = json.loads(dashboard.read_text())
    variables = [each["name"] for each in document["templating"]["list"]]
    assert variables[:3] == ["datasource", "instance", "model"]
    sources = re.findall(r'"uid": "([^"]*)"', json.dumps(document).replace("\\", ""))
    assert set(sources) == {"${datasource}", document["uid"]}
    (link,) = document["links"]
    assert link["url"] in {f"/d/{path.stem}" for path in SHIPPED if path != dashboard}
    assert link["keepTime"]
    assert link["includeVars"]


@pytest.mark.timeout(600)
def test_every_panel_shows_data_of_a_service_under_load(tmp_path: Path) -> None:
    stop = threading.Event()

    def load(address: httpx.URL) -> None:
        queries = [
            ("/ner", {"text": ["Ada Lovelace lived in London.", "Grüße aus Zürich"]}),
            ("/sentiment", {"text": "What a wonderful film!"}),
            ("/sentiment", {"text": "The worst service I have ever had."}),
            ("/translate", {"text": "The cat sleeps.", "source": "en", "target": "fr"}),
            ("/translate", {"text": "Le chat dort.", "source": "fr", "target": "en"}),
            ("/translate", {"text": "Der Hund schläft.", "source": "auto", "target": "en"}),
            ("/ner", {"text": 5}),
        ]
        with httpx.Client(base_url=address, timeout=120) as client:
            while not stop.is_set():
                for path, query in queries:
                    client.post(path, json=query, headers=authorization)
                client.post("/ner", json={"text": "without a key"})

    key, secret = api_keys.make(1, "shop", rate=1_000_000, concurrency=100)
    api_keys.write(tmp_path / "keys.json", [key])
    authorization = {"Authorization": f"Bearer {secret}"}
    log = tmp_path / "log"
    arguments = ("--keys", str(tmp_path / "keys.json"), "--admin", "127.0.0.1:0")
    with (
        running(log, "--workers", "2", *arguments, ready=False) as (_, service),
        second_port(log) as admin,
        watching(tmp_path, admin) as prometheus,
        ThreadPoolExecutor(4) as threads,
    ):
        until(lambda: admin.get("/health/ready").status_code == 200)
        loads = [threads.submit(load, service.base_url) for _ in range(4)]
        try:
            missing = [
                target
                for dashboard in SHIPPED
                for target in (*targets(dashboard), *other_queries(dashboard))
            ]
            end = time.monotonic() + 300
            while missing and time.monotonic() < end:
                time.sleep(1)
                missing = [target for target in missing if not shown(prometheus, target[2])]
            (scraped,) = prometheus.get("/api/v1/targets").json()["data"]["activeTargets"]
        finally:
            stop.set()
        for each in loads:
            each.result()
    assert not missing, scraped["lastError"]


@contextmanager
def second_port(log: Path) -> Iterator[httpx.Client]:
    """A client of the port for health and metrics that a log names."""
    name = "health and metrics: (http://[0-9.:]+)"
    until(lambda: re.search(name, log.read_text()))
    (address,) = re.findall(name, log.read_text())
    with httpx.Client(base_url=address, timeout=120) as client:
        yield client


def shown(prometheus: httpx.Client, query: str) -> bool:
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    assert "$" not in query
    return any(series["value"][1] != "NaN" for series in ask(prometheus, query))
