"""Real servers on loopback: one with tiny bundles, one with those that are shipped."""

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import uvloop

from service.app import create_app
from service.http.server import Adapter, make_config
from service.settings import Settings
from service.tasks.ner.task import Ner

from . import tiny
from .helpers import Brake, until

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "models"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextmanager
def serving(
    models: Path, *, wait: bool = True, adapter: Adapter = "protocol", **settings: Any
) -> Iterator[httpx.Client]:
    """A client of a server that serves the bundles of `models`, ready unless `wait` is false."""
    app = create_app(Settings(models=models, **settings))
    config = make_config(app.handler, app.lifespan, app.settings, adapter=adapter)
    config.port = 0
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: uvloop.run(server.serve()), daemon=True)
    thread.start()
    try:
        until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=180) as client:
            if wait:
                until(lambda: client.get("/health/ready").status_code == 200)
            yield client
    finally:
        server.should_exit = True
        thread.join(90)
        app.downloads.close()


@contextmanager
def running(
    log: Path, *arguments: str, ready: bool = True
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """`python -m service` as a process of its own that logs to `log`, and a client of it.

    Once it is ready; unless `ready` is false, then as soon as it listens.
    """
    command = [sys.executable, "-m", "service", "--port", "0", *arguments]
    with log.open("wb") as stderr:
        started = subprocess.Popen(command, cwd=ROOT, stderr=stderr)
    try:
        until(lambda: started.poll() is not None or "http://" in log.read_text())
        address = re.search(r"http://[0-9.]+:[0-9]+", log.read_text())
        assert address, log.read_text()
        with httpx.Client(base_url=address[0], timeout=180) as client:
            if ready:
                until(lambda: client.get("/health/ready").status_code == 200)
            yield started, client
    finally:
        started.terminate()
        started.wait(180)


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.repository(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def tiny_client(tiny_models: Path) -> Iterator[httpx.Client]:
    # so long that no test is refused for what the machine did in an earlier one
    with serving(tiny_models, timeout_ms=600_000) as client:
        yield client


@pytest.fixture(scope="session")
def shipped_client() -> Iterator[httpx.Client]:
    with serving(SHIPPED, timeout_ms=600_000) as client:
        yield client


@pytest.fixture(scope="session")
def tiny_asgi_client(tiny_models: Path) -> Iterator[httpx.Client]:
    with serving(tiny_models, adapter="asgi", timeout_ms=600_000) as client:
        yield client


@pytest.fixture(params=["tiny", "tiny_asgi", "shipped"])
def client(request: pytest.FixtureRequest) -> httpx.Client:
    """The contract holds whatever the bundles and the adapter."""
    chosen: httpx.Client = request.getfixturevalue(f"{request.param}_client")
    return chosen


Serve = Callable[..., AbstractContextManager[httpx.Client]]


@pytest.fixture(scope="module", params=["protocol", "asgi"])
def serve(request: pytest.FixtureRequest) -> Serve:
    """`serving` through either adapter."""
    return partial(serving, adapter=request.param)


@pytest.fixture
def brake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Brake]:
    brake = Brake()
    run = Ner.run

    def slow(self: Ner, windows: Any) -> Any:
        brake.held += 1
        assert brake.released.wait(120)
        return run(self, windows)

    brake.released.set()  # while loading, the golden examples run
    monkeypatch.setattr(Ner, "run", slow)
    yield brake
    brake.released.set()
