"""nginx, with the configuration that is shipped, in front of real services."""

import getpass
import shutil
import socket
import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from service.settings import Settings

from ..service.conftest import running
from ..service.helpers import until, value
from .conftest import ROOT

CONFIG = (ROOT / "deploy" / "nginx" / "textloom.conf").read_text()
MAIN = """
daemon off;
user {user};
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/textloom.conf;
}}
"""


@contextmanager
def balancing(folder: Path, *services: httpx.Client) -> Iterator[httpx.Client]:
    """A client of an nginx in front of two services."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not program:
        pytest.skip("there is no nginx here; on Debian and Ubuntu: apt install nginx-light")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = CONFIG.replace("listen 80;", f"listen 127.0.0.1:{port};")
    for number, service in enumerate(services, 1):
        place = f"127.0.0.1:800{number} "
        assert place in config
        config = config.replace(place, f"{service.base_url.netloc.decode()} ")
    (folder / "textloom.conf").write_text(config)
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=getpass.getuser()))
    log = folder / "error.log"
    started = subprocess.Popen([program, "-c", folder / "nginx.conf", "-e", log])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=180) as client:
            until(lambda: started.poll() is not None or answers(client))
            assert started.poll() is None, log.read_text()
            yield client
    finally:
        started.terminate()
        started.wait(60)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def instances(
    models: Path, folder: Path, *more: tuple[str, ...]
) -> Iterator[list[tuple[subprocess.Popen[bytes], httpx.Client]]]:
    """An instance of one process for each tuple of further arguments, soon ready."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                running(
                    folder / f"log{number}",
                    *("--models", str(models), "--workers", "1", *each),
                    ready=False,
                )
            )
            for number, each in enumerate(more)
        ]


def test_requests_are_shared_out_and_none_fails_while_an_instance_dies(
    tiny_models: Path, tmp_path: Path
) -> None:
    with (
        instances(tiny_models, tmp_path, (), ()) as ((one, first), (_, second)),
        balancing(tmp_path, first, second) as client,
    ):
        for each in (first, second):
            until(lambda each=each: each.get("/health/ready").status_code == 200)

        def ask(number: int) -> int:
            if number == 200:
                one.kill()
            text = f"good table {number}"
            return client.post("/sentiment", json={"text": text}).status_code

        with ThreadPoolExecutor(8) as threads:
            before = set(threads.map(ask, range(200)))
            counts = [
                value(each, "textloom_http_requests_total", task="sentiment")
                for each in (first, second)
            ]
            after = set(threads.map(ask, range(200, 400)))
        assert before == after == {200}
        assert sum(counts) == 200
        assert min(counts) >= 50


def test_an_instance_that_says_503_is_passed_over(tiny_models: Path, tmp_path: Path) -> None:
    """Here because it has no model; a full queue has the same status."""
    with (
        instances(tiny_models, tmp_path, ("--pins", "sentiment=9"), ()) as ((_, bad), (_, good)),
        balancing(tmp_path, bad, good) as client,
    ):
        query = {"text": "a good table"}
        until(lambda: good.get("/health/ready").status_code == 200)
        for _ in range(10):
            assert client.post("/sentiment", json=query).status_code == 200
        assert value(bad, "textloom_http_requests_total", task="sentiment", status="503") > 1


def test_what_the_service_takes_nginx_takes_and_the_rest_is_its_own(
    tiny_models: Path, tmp_path: Path
) -> None:
    with (
        instances(tiny_models, tmp_path, (), ()) as ((_, first), (_, second)),
        balancing(tmp_path, first, second) as client,
    ):
        for each in (first, second):
            until(lambda each=each: each.get("/health/ready").status_code == 200)
        longest = Settings.model_fields["max_body_bytes"].default
        body = b'{"text": 5, "more": "%s"}' % (b"x" * (longest - 24))
        json = {"Content-Type": "application/json"}
        assert client.post("/ner", content=body, headers=json).status_code == 422
        assert client.post("/ner", content=body + b" " * 99, headers=json).status_code == 413
        answer = client.get("/models")
        assert uuid.UUID(answer.headers["x-request-id"]).int
        assert client.get("/metrics").status_code == 404
