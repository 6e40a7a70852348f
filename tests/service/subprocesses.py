"""`python -m service` as its user starts it."""

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """The service in processes of its own, and a client of it; it may not listen yet.

    `stderr` is a file: a pipe that nobody reads would hold the service up once it is full.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "service", "--port", str(port), *arguments]
    with tempfile.NamedTemporaryFile("w+") as log:
        started = subprocess.Popen(command, cwd=ROOT, stderr=log, text=True)
        started.stderr = Path(log.name).open()  # noqa: SIM115
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
                yield started, client
        finally:
            started.kill()  # its workers end with it
            started.wait()
            started.stderr.close()


def logged(service: subprocess.Popen[str]) -> str:
    """What a service has logged so far."""
    assert service.stderr is not None
    service.stderr.seek(0)
    return service.stderr.read()


def status(client: httpx.Client, path: str) -> int:
    """The status of a page, 0 if nobody listens."""
    try:
        return client.get(path).status_code
    except httpx.TransportError:
        return 0


def workers(parent: subprocess.Popen[str]) -> list[int]:
    """The process ids of the workers that a service has forked."""
    tasks = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    return [int(pid) for pid in tasks.read_text().split()]
