"""A real Prometheus, with the configuration that is shipped, that watches real services."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from ..service import tiny
from ..service.helpers import until

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
ALERTMANAGER = ROOT / "deploy" / "alertmanager"


@pytest.fixture
def promtool() -> str:
    return _program("promtool")


@pytest.fixture
def amtool() -> str:
    return _program("amtool")


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.repository(tmp_path_factory.mktemp("models"))


@contextmanager
def watching(
    folder: Path, service: httpx.Client, alertmanager: httpx.Client | None = None
) -> Iterator[httpx.Client]:
    """A client of a Prometheus that asks `service` every three seconds, and keeps what it learns in `folder`.

    It passes alerts on to `alertmanager`, if there is one.
    """
    program = _program("prometheus")
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    # a busy machine may take more than a second for the page
    config["global"] = {"scrape_interval": "3s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(PROMETHEUS / name) for name in config["rule_files"]]
    (job,) = config["scrape_configs"]
    job["static_configs"] = [{"targets": [service.base_url.netloc.decode()]}]
    (receiver,) = config["alerting"]["alertmanagers"]
    receiver["static_configs"] = [
        {"targets": [alertmanager.base_url.netloc.decode()] if alertmanager else []}
    ]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    arguments = [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
    ]
    with _started(program, folder / "prometheus.log", *arguments) as client:
        yield client


@contextmanager
def alerting(folder: Path, address: str) -> Iterator[httpx.Client]:
    """A client of an Alertmanager that tells the webhooks at `address`, soon, and keeps its state in `folder`."""
    program = _program("prometheus-alertmanager", "alertmanager")
    config = (ALERTMANAGER / "alertmanager.yml").read_text()
    config = config.replace("http://host.docker.internal:9099", address)
    config = re.sub(r"group_(wait|interval): \w+", r"group_\1: 1s", config)
    (folder / "alertmanager.yml").write_text(config)
    arguments = [
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        "--cluster.listen-address=",
    ]
    with _started(program, folder / "alertmanager.log", *arguments) as client:
        yield client


@contextmanager
def _started(program: str, log: Path, *arguments: str) -> Iterator[httpx.Client]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with log.open("wb") as output:
        started = subprocess.Popen(
            [program, *arguments, f"--web.listen-address=127.0.0.1:{port}"],
            stdout=output,
            stderr=output,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            until(lambda: started.poll() is not None or _ready(client))
            assert started.poll() is None, log.read_text()
            yield client
    finally:
        started.terminate()
        started.wait(120)


def ask(prometheus: httpx.Client, query: str) -> list[dict[str, Any]]:
    """The series that a query gives now."""
    answer = prometheus.get("/api/v1/query", params={"query": query}).json()
    assert answer["status"] == "success", (query, answer)
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def _ready(client: httpx.Client) -> bool:
    try:
        return client.get("/-/ready").status_code == 200
    except httpx.TransportError:
        return False


def _program(*names: str) -> str:
    """A program of Prometheus', which is called otherwise on Debian than in its own releases."""
    for name in names:
        if found := shutil.which(name):
            return found
    pytest.skip(
        f"there is no {names[0]} here; on Debian and Ubuntu:"
        " apt install prometheus prometheus-alertmanager"
    )
