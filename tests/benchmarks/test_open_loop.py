"""The open-loop load: what a stall makes late is late, and nothing that was due is left out."""

import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks import open_loop

ANSWER = b"HTTP/1.1 %d OK\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def server(stall_after: float, stall: float, status: int = 200) -> Iterator[int]:
    """Answers at once, but for one stall of so many seconds in which it does nothing at all."""
    stalled = threading.Lock()
    began = time.monotonic()
    done = threading.Event()

    def wait_if_stalled() -> None:
        with stalled:
            now = time.monotonic() - began
            if stall_after <= now < stall_after + stall:
                time.sleep(stall_after + stall - now)

    def answer(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(65536):
                wait_if_stalled()
                connection.sendall(ANSWER % status * data.count(b"POST /ner "))

    def accept() -> None:
        while not done.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        listener.settimeout(0.1)
        accepting = threading.Thread(target=accept)
        accepting.start()
        yield listener.getsockname()[1]
        done.set()
        accepting.join()


@pytest.mark.parametrize("rate", [200, 1100], ids=["one by one", "by the tick"])
def test_latency_counts_from_when_a_request_was_due(rate: int) -> None:
    assert (rate * open_loop.TICK > 1) is (rate == 1100)
    with server(stall_after=0.5, stall=0.4) as port:
        answers = open_loop.run(port, "/ner", ["{}"], rate=rate, seconds=1.5)
    total = int(rate * 1.5)
    assert len(answers) == total
    assert {answer.status for answer in answers} == {200}
    assert sorted(round(answer.due * rate) for answer in answers) == list(range(total))
    # what was due in the 0.4 s of the stall is late; the first of it waited for nearly all of it
    late = [answer for answer in answers if answer.latency > 0.1]
    assert len(late) >= rate / 4
    assert max(answer.latency for answer in answers) > 0.3


def test_what_is_refused_and_what_nobody_answers_is_told_apart() -> None:
    with server(stall_after=99, stall=0, status=503) as port:
        answers = open_loop.run(port, "/ner", ["{}"], rate=50, seconds=0.4)
    assert [answer.status for answer in answers] == [503] * 20
    nobody = open_loop.run(port, "/ner", ["{}"], rate=50, seconds=0.4, grace=0.2)
    assert [answer.status for answer in nobody] == [0] * 20
    assert {answer.latency for answer in nobody} == {math.inf}


def test_connections_are_open_before_the_load_begins_and_used_in_a_mixed_order() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port = listener.getsockname()[1]
        answers = open_loop.run(
            port, "/ner", ["{}"], rate=20, seconds=0.3, grace=0.0, connections=30
        )
        asked = []
        for _ in range(30):
            with listener.accept()[0] as connection:
                asked.append(bool(connection.recv(65536)))
    used = [place for place, each in enumerate(asked) if each]
    assert len(used) > 1
    assert used != list(range(used[0], used[-1] + 1))
    assert [answer.status for answer in answers] == [0] * 6
