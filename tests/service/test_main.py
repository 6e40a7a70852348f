"""`python -m service` as a process: it ends in order, logs no text, and names a taken port."""

import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .helpers import TASKS, until, value
from .subprocesses import ROOT, logged, process, status

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_what_was_accepted_and_ends_with_status_0(
    tiny_models: Path, number: int
) -> None:
    with process("--models", str(tiny_models), "--threads", "1") as (started, client):
        until(lambda: status(client, "/health/live") == 200)
        until(lambda: status(client, "/health/ready") == 200)
        text = "a good table, an awful table. " * 5_000
        with ThreadPoolExecutor() as threads:
            accepted = threads.submit(client.post, "/sentiment", json={"text": text})
            until(lambda: value(client, "textloom_batch_size_count", model="sentiment") > 0)
            os.kill(started.pid, number)
            answer = accepted.result()
        assert answer.status_code == 200
        assert answer.json()["usage"]["tokens"] > 30_000
        assert started.wait(120) == 0
        assert "Traceback" not in logged(started)


def test_nothing_of_a_text_is_logged(tiny_models: Path) -> None:
    secret = "Zebrafinch"
    arguments = ("--models", str(tiny_models), "--log-level", "debug")
    with process(*arguments) as (started, client):
        until(lambda: status(client, "/health/ready") == 200)
        for path, query in TASKS.items():
            text = f"{secret} lives in London."
            assert client.post(path, json={"text": text, **query}).status_code == 200
            client.post(path, json={"text": secret, secret: secret})
            client.post(path, content=b'{"text": "' + secret.encode(), headers=JSON)
            client.get(f"/{secret}?text={secret}")
        started.terminate()
        started.wait()
        log = logged(started)
    assert '"route":"/ner","status":200' in log
    assert secret not in log


def test_a_taken_port_is_a_clear_error(tiny_models: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "service", "--models", str(tiny_models), "--port", port]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Address already in use" in done.stderr
    assert json.dumps("Traceback") not in done.stderr
