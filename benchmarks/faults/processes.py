"""Processes that are killed, stopped, or read a disk that never answers."""

import os
import signal
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

from benchmarks import servers
from benchmarks.faults.watch import alive, until
from service.processes.worker_table import shared_memory


def _workers(port: int) -> list[int]:
    return servers.processes(port)[1:]


def killed(port: int) -> str:
    """Five times, one of the two workers, while others ask."""
    before = _shared_memory()
    for _ in range(5):
        time.sleep(1)
        pid = _workers(port)[0]
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: pid not in _workers(port) and len(_workers(port)) == 2)  # type: ignore[misc]
    until(lambda: alive(port))
    return f"replaced each time; shared memory grew by {(_shared_memory() - before) / 1000:.0f} kB"


def stopped(port: int) -> str:
    pid, began = _workers(port)[0], time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    until(lambda: pid not in _workers(port) and len(_workers(port)) == 2)
    return f"replaced after {time.monotonic() - began:.0f} s (hang_seconds is 10 here)"


def pipe(port: int, models: Path) -> str:
    """In place of a pin, where it never answers who reads it; then a worker is killed."""
    pin = models / "ner" / "pinned"
    os.mkfifo(pin)
    try:
        time.sleep(3)
        pid = _workers(port)[0]
        os.kill(pid, signal.SIGKILL)
        until(lambda: pid not in _workers(port) and len(_workers(port)) == 2)
    finally:
        pin.unlink()
    return "a killed worker was replaced meanwhile"


def supervisor(port: int) -> str:
    """Its workers are stopped, and it is killed: nobody is left to tidy up."""
    parent, *workers = servers.processes(port)
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    os.kill(parent, signal.SIGKILL)
    began = time.monotonic()

    def free() -> bool:
        with socket.socket() as again, suppress(OSError):
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", port))
            return not any(_runs(pid) for pid in workers)
        return False

    until(free)
    return f"its workers ended and the port was free after {time.monotonic() - began:.1f} s"


def descend(port: int) -> str:
    """SIGTERM while requests are under way."""
    from benchmarks.faults.bodies import send
    from benchmarks.mutations import query

    answers: list[str] = []
    requests = [("/ner", query(text="Ada Lovelace lived in London. " * 2_000))] * 8
    threading.Thread(target=lambda: answers.append(send(port, requests))).start()
    until(lambda: servers.metric(port, "textloom_http_requests_in_flight", route="/ner") > 0)
    os.kill(servers.processes(port)[0], signal.SIGTERM)
    until(lambda: bool(answers))
    return f"of eight long requests in flight: {answers[0]}"


def _shared_memory() -> int:
    return sum(file.stat().st_blocks * 512 for file in shared_memory().rglob("*") if file.is_file())


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


FAULTS = {
    "kill -9 of a worker, five times under load": killed,
    "a worker that hangs (SIGSTOP)": stopped,
}

LAST = {
    "SIGTERM with long requests in flight": descend,
    "kill -9 of the supervisor, its workers stopped": supervisor,
}
"""After each of these the service is gone."""
