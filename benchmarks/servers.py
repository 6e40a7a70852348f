"""Starts and stops servers, ours and the peers', each in a process group of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "models"


@dataclass(frozen=True)
class Peer:
    """A server to compare with; `command` has places for the task and the port."""

    name: str
    command: tuple[str, ...]
    field: str = "text"
    """Field of the request that takes the text; `texts` takes a list."""
    workers: int = 1
    """Where the command does not say it: in the variable WORKERS."""


_BENTOML = (
    *(sys.executable, "-m", "bentoml", "serve", "benchmarks.peers.bentoml_app:{task}"),
    *("--port", "{port}", "--host", "127.0.0.1"),
)
PEERS = (
    Peer(
        "LitServe",
        (sys.executable, "-m", "benchmarks.peers.litserve_app", "{task}", "{port}"),
    ),
    Peer(
        "FastAPI def",
        (
            *(sys.executable, "-m", "uvicorn", "benchmarks.peers.fastapi_app:{task}"),
            *("--port", "{port}", "--log-level", "warning", "--no-access-log"),
        ),
    ),
    Peer(
        "FastAPI def, 2 processes",
        (
            *(sys.executable, "-m", "uvicorn", "benchmarks.peers.fastapi_app:{task}"),
            *("--port", "{port}", "--log-level", "warning", "--no-access-log", "--workers", "2"),
        ),
    ),
    Peer("BentoML", _BENTOML, field="texts"),
    Peer("BentoML, 2 processes", _BENTOML, field="texts", workers=2),
    Peer(
        "Ray Serve",
        (sys.executable, "-m", "benchmarks.peers.ray_app", "{task}", "{port}"),
    ),
)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def ask(port: int, path: str, body: str, timeout: float = 30) -> Any:
    """The parsed answer to a JSON body."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", body.encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=timeout) as response:
        return json.load(response)


def page(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
        return str(response.read().decode())


def metric(port: int, name: str, **labels: str) -> float:
    """A metric of our service, added up over the labels that are not named."""
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    total = 0.0
    for line in page(port, "/metrics").splitlines():
        series, _, value = line.rpartition(" ")
        if series.partition("{")[0] == name and all(each in series for each in wanted):
            total += float(value)
    return total


@contextmanager
def service(*arguments: str) -> Iterator[int]:
    """Our service, ready; gives its port. Logs as every request would cost all servers time, ours is quiet."""
    port = free_port()
    command = [sys.executable, "-m", "service", "--models", str(MODELS), "--port", str(port)]
    with _process(port, [*command, "--log-level", "warning", *arguments], {}):
        until(lambda: "ready" in page(port, "/health/ready"), 60)
        yield port


@contextmanager
def peer(which: Peer, task: str) -> Iterator[int]:
    """A peer that serves a task at `/task`, ready; gives its port."""
    port = free_port()
    command = [part.format(task=task, port=port) for part in which.command]
    body = json.dumps({which.field: ["Hello"] if which.field == "texts" else "Hello"})
    variables = {
        "WORKERS": str(which.workers),
        "BENTOML_DO_NOT_TRACK": "True",
        "RAY_DEDUP_LOGS": "0",
    }
    with _process(port, command, variables):
        until(lambda: ask(port, f"/{task}", body) is not None, 120)
        yield port


def until(condition: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except (OSError, urllib.error.URLError, ValueError):
            pass
        if time.monotonic() > end:
            raise TimeoutError(f"a server is not ready after {seconds} s")
        time.sleep(0.1)


@contextmanager
def alone(port: int, *others: int) -> Iterator[None]:
    """Inside, the servers at the other ports stand still: some of the peers are busy without any request."""
    groups = [_groups[other] for other in others if other != port]
    for group in groups:
        os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        for group in groups:
            os.killpg(group, signal.SIGCONT)


_groups: dict[int, int] = {}
"""The process group of each server that runs, by its port."""


@contextmanager
def _process(port: int, command: list[str], environment: dict[str, str]) -> Iterator[None]:
    started = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    _groups[port] = started.pid
    try:
        yield
    finally:
        del _groups[port]
        started.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            started.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)  # what a peer may have left behind
        started.wait()
