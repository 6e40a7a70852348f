"""The image and the compose file, with a real engine: `make test-containers`. `make test` leaves them out."""

import re
import shlex
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import yaml

from ..service.helpers import until
from .conftest import ROOT, ask

BASE = "docker.io/library/python:3.11-slim-bookworm"
IMAGE = "localhost/textloom"

pytestmark = [pytest.mark.container, pytest.mark.timeout(1200)]


def call(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, (command, done.stdout, done.stderr)
    return done


def status(url: str) -> int:
    try:
        return httpx.get(url, timeout=60).status_code
    except httpx.TransportError:
        return 0


@pytest.fixture(scope="module")
def engine() -> str:
    """The engine, after it has built the image."""
    for name in ("docker", "podman"):
        if shutil.which(name) and not call(name, "info", check=False).returncode:
            break
    else:
        pytest.skip("NOT CHECKED, image and compose file: neither docker nor podman works here")
    if not available(name, BASE):
        pytest.skip(f"NOT CHECKED, image and compose file: {name} cannot get {BASE}")
    print(call("make", "image", f"ENGINE={name}").stdout)
    return name


OLDER = {"prometheus": "v2.42.0", "alertmanager": "v0.25.0"}
"""Versions with which the compose file is checked where the usual ones cannot be had: those of Debian 12."""


def available(engine: str, image: str) -> bool:
    """Whether the engine has the image or can pull it."""
    ways = (("image", "inspect"), ("pull",))
    return any(call(engine, *way, image, check=False).returncode == 0 for way in ways)


@contextmanager
def container(engine: str) -> Iterator[tuple[str, str]]:
    """The id and the address of a container of the image, in tight bounds."""
    bounds = ["--read-only", "--tmpfs", "/tmp", "--memory", "512m", "--cpus", "1"]
    bounds += ["--cap-drop", "all", "--security-opt", "no-new-privileges"]
    command = [engine, "run", "--detach", "--publish", "127.0.0.1::8000", *bounds, IMAGE]
    number = call(*command).stdout.strip()
    try:
        address = call(engine, "port", number, "8000").stdout.split()[0]
        yield number, f"http://{address}"
    finally:
        call(engine, "rm", "--force", number)


def test_it_serves_in_half_a_gigabyte_on_one_core_and_survives_full_load(engine: str) -> None:
    began = time.monotonic()
    with container(engine) as (number, address):
        until(lambda: status(f"{address}/health/ready") == 200)
        print(f"ready {time.monotonic() - began:.1f} s after `{engine} run` was called")
        stop = threading.Event()

        def load() -> int:
            answers = 0
            with httpx.Client(base_url=address, timeout=60) as client:
                while not stop.is_set():
                    text = ["The old man goes to the market in London."] * 8
                    for path, more in (
                        ("/ner", {}),
                        ("/sentiment", {}),
                        ("/translate", {"source": "en", "target": "fr"}),
                    ):
                        assert client.post(path, json={"text": text, **more}).status_code == 200
                        answers += 1
            return answers

        with ThreadPoolExecutor(16) as threads:
            loads = [threads.submit(load) for _ in range(16)]
            time.sleep(60)
            stop.set()
            answers = sum(each.result() for each in loads)
        page = httpx.get(f"{address}/metrics", timeout=120).text
        memory = next(x for x in page.splitlines() if x.startswith("process_resident_memory"))
        print(f"{answers} answers to 8 texts each in a minute; {memory}")
        assert answers > 100
        assert (
            call(engine, "inspect", "--format", "{{.State.OOMKilled}}", number).stdout == "false\n"
        )


def test_documents_for_all_tasks_at_once_fit_in_half_a_gigabyte(engine: str) -> None:
    words = "The old man goes to the market in London. Der alte Mann geht zum Markt. 日本語のテキスト。 "
    document = words * (900_000 // len(words))
    markup = f"<p>{document}</p>"
    requests: list[tuple[str, dict[str, Any]]] = [
        ("/ner", {"text": document, "values": True, "redact": True}),
        ("/sentiment", {"text": document}),
        ("/translate", {"text": document, "source": "auto", "target": "fr"}),
        ("/translate", {"text": markup, "source": "en", "target": "fr", "format": "html"}),
    ]

    def send(request: tuple[str, dict[str, Any]]) -> int:
        path, body = request
        timeout = {"X-Request-Timeout-Ms": "20000"}
        try:
            return httpx.post(address + path, json=body, headers=timeout, timeout=120).status_code
        except httpx.TransportError:  # it took too many bytes at once, and was dropped
            return 0

    with container(engine) as (number, address):
        until(lambda: status(f"{address}/health/ready") == 200)
        with ThreadPoolExecutor(24) as threads:
            became = Counter(threads.map(send, requests * 6))
        print(f"{dict(became)} became of documents of 900,000 characters, all at once")
        assert became.keys() <= {0, 200, 503, 504}
        short = httpx.post(f"{address}/ner", json={"text": "Ada was in London."}, timeout=120)
        assert short.status_code == 200
        state = call(engine, "inspect", "--format", "{{.State.OOMKilled}}", number)
        assert state.stdout == "false\n"


def test_the_command_of_readme_serves(engine: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^docker run (.*)", readme, re.MULTILINE)
    number = call(engine, "run", "--detach", *shlex.split(line)).stdout.strip()
    try:
        until(lambda: status("http://127.0.0.1:8000/health/ready") == 200)
    finally:
        call(engine, "rm", "--force", number)


def test_it_holds_what_the_service_needs_and_lets_it_do_no_more(engine: str) -> None:
    with container(engine) as (number, address):
        until(lambda: status(f"{address}/health/ready") == 200)
        assert call(engine, "exec", number, "id", "-u").stdout == "10001\n"
        for place in ("/srv/textloom/x", "/opt/textloom/x", "/x"):
            assert call(engine, "exec", number, "touch", place, check=False).returncode
        call(engine, "exec", number, "touch", "/tmp/x")
        for program in ("gcc", "cc", "make"):
            assert call(engine, "exec", number, "which", program, check=False).returncode
        for module in ("torch", "training", "pip", "setuptools", "pytest"):
            command = ["python", "-c", f"import {module}"]
            assert (
                "ModuleNotFoundError"
                in call(*(engine, "exec", number, *command), check=False).stderr
            )
        check = call(engine, "inspect", "--format", "{{json .Config.Healthcheck}}", number).stdout
        assert "/health/ready" in check

        call(engine, "stop", "-t", "60", number)
        ended = call(engine, "inspect", "--format", "{{.State.ExitCode}}", number).stdout
        assert ended == "0\n"
        log = call(engine, "logs", number)
        assert "Finished server process" in log.stdout + log.stderr


def test_make_up_starts_a_service_that_prometheus_watches(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine == "podman" and not shutil.which("podman-compose"):
        pytest.skip("NOT CHECKED, compose file: there is no podman-compose here")
    # Grafana's image is large, and its dashboards are tested elsewhere
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services = ["textloom"]
    for name in ("prometheus", "alertmanager"):
        usual = compose["services"][name]["image"].partition(":-")[2].rstrip("}")
        images = [usual, f"{usual.rpartition(':')[0]}:{OLDER[name]}"]
        if image := next((each for each in images if available(engine, each)), None):
            services.append(name)
            monkeypatch.setenv(f"{name.upper()}_IMAGE", image)
            print(f"checked with {image}")
        else:
            print(f"NOT CHECKED, compose file: {engine} cannot get {' or '.join(images)}")
    if "prometheus" not in services:
        pytest.skip("NOT CHECKED, compose file: there is no image of Prometheus")
    try:
        call("make", "up", f"ENGINE={engine}", f"SERVICES={' '.join(services)}")
        until(lambda: status("http://127.0.0.1:8000/health/ready") == 200)
        until(lambda: status("http://127.0.0.1:9090/-/ready") == 200)
        with httpx.Client(base_url="http://127.0.0.1:9090", timeout=120) as prometheus:
            until(lambda: [s["value"][1] for s in ask(prometheus, "up")] == ["1"])
            until(lambda: len(ask(prometheus, "textloom_model_ready == 1")) == 4)
            known = prometheus.get("/api/v1/alertmanagers").json()["data"]
            assert [each["url"] for each in known["activeAlertmanagers"]] == [
                "http://alertmanager:9093/api/v2/alerts"
            ]
            if "alertmanager" in services:
                until(lambda: status("http://127.0.0.1:9093/-/ready") == 200)
            groups = prometheus.get("/api/v1/rules").json()["data"]["groups"]
            assert all(rule["health"] != "err" for group in groups for rule in group["rules"])
    finally:
        call("make", "down", f"ENGINE={engine}")
