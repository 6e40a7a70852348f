"""Open-loop load: requests arrive at a constant rate, whatever becomes of those before them.

Latency counts from the moment when a request was due, not from when it was sent: a server that stalls makes
all that was due meanwhile late (Gil Tene's coordinated omission). Neither wrk, hey nor h2load can do both.
"""

import math
import random
import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

MOST_CONNECTIONS = 2000
TICK = 0.001
"""Seconds between two looks at the sockets where more than one request is due in that time: to wake up for each of
them would take a fifth of the cores from the server. It may add twice as much to a latency."""


class Answer(NamedTuple):
    due: float
    """Seconds from the start of the load."""
    latency: float
    """Seconds from when it was due; infinity without an answer."""
    status: int
    """0 without an answer."""


def run(
    port: int,
    path: str,
    bodies: Sequence[str],
    *,
    rate: float,
    seconds: float,
    grace: float = 5.0,
    connections: int = 0,
    newest_first: bool = False,
) -> list[Answer]:
    """Sends the bodies in turn, `rate` a second; waits `grace` seconds for the last answers.

    connections: so many are open before the load begins. More are when all are busy, up to MOST_CONNECTIONS.
    newest_first: take the connection that was freed last, as many pools of clients do, and not each in turn.
    """
    requests = [request(path, body) for body in bodies]
    load = _Load(port, requests, rate, seconds, grace)
    load.newest_first = newest_first
    return load.run(connections)


def request(path: str, body: str) -> bytes:
    """As it goes over the wire."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body.encode())}\r\n\r\n{body}"
    ).encode()


class _Connection:
    """With at most one request under way.

    Thousands of them are dead weight in the caches of the machine that is measured: what is done is not kept.
    """

    __slots__ = ("data", "due", "file", "request", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect_ex(("127.0.0.1", port))  # goes on by itself
        self.file = self.socket.fileno()
        self.due: float | None = None
        """None if no request is under way."""
        self.request, self.data = b"", b""


class _Load:
    """One loop over epoll: at thousands of requests a second, an event loop of tasks would be the bottleneck."""

    def __init__(
        self, port: int, requests: list[bytes], rate: float, seconds: float, grace: float
    ) -> None:
        self._port, self._requests = port, requests
        self._rate, self._seconds, self._grace = rate, seconds, grace
        self._poll = select.epoll()
        self._open: dict[int, _Connection] = {}
        self._busy = 0
        self._free: deque[_Connection] = deque()
        self._answers: list[Answer] = []
        self._began = 0.0
        self.newest_first = False

    def run(self, connections: int) -> list[Answer]:
        total, number = int(self._rate * self._seconds), 0
        for _ in range(connections):
            connection = self._connect()
            self._poll.register(connection.file, select.EPOLLIN)
            self._free.append(connection)
        # the processes of a server accept long rows of them in turn: one after the other, all would go to one of
        # these for a while, and then to another
        random.Random(0).shuffle(self._free)
        self._began = time.perf_counter()
        end = self._seconds + self._grace
        while (now := self._now()) < end and (number < total or self._busy):
            while number < total and number / self._rate <= now:
                self._send(number)
                number += 1
            wait = number / self._rate - now if number < total else end - now
            if self._rate * TICK > 1:
                time.sleep(TICK)
                wait = 0.0
            for file, event in self._poll.poll(max(0.0, min(wait, 0.1))):
                self._on_event(self._open[file], event)
        for connection in self._open.values():
            connection.socket.close()
        due = [each.due for each in self._open.values() if each.due is not None]
        missing = [Answer(each, math.inf, 0) for each in due]
        missing += [Answer(each / self._rate, math.inf, 0) for each in range(number, total)]
        return self._answers + missing

    def _connect(self) -> _Connection:
        connection = _Connection(self._port)
        self._open[connection.file] = connection
        return connection

    def _now(self) -> float:
        return time.perf_counter() - self._began

    def _send(self, number: int) -> None:
        due, request = number / self._rate, self._requests[number % len(self._requests)]
        if self._free:  # in turn: the last one freed is one of whoever refuses the fastest
            connection = self._free.pop() if self.newest_first else self._free.popleft()
            connection.due = due
            self._busy += 1
            try:
                connection.socket.send(request)
            except OSError:
                self._done(connection, 0)
        elif self._busy < MOST_CONNECTIONS:
            connection = self._connect()
            connection.due, connection.request = due, request
            self._busy += 1
            self._poll.register(connection.file, select.EPOLLOUT)
        else:
            self._answers.append(Answer(due, math.inf, 0))

    def _on_event(self, connection: _Connection, event: int) -> None:
        try:
            if event & select.EPOLLOUT and not event & select.EPOLLERR:  # it is connected
                connection.socket.send(connection.request)
                connection.request = b""
                self._poll.modify(connection.file, select.EPOLLIN)
                return
            received = connection.socket.recv(1 << 13)
        except OSError:
            received = b""
        if not received:
            self._done(connection, 0)
            return
        data = connection.data + received
        end = data.find(b"\r\n\r\n")
        if end >= 0:
            head = data[:end].lower()
            if len(data) - end - 4 >= _length(head):
                connection.data = b""
                self._done(connection, int(head[9:12]), keep=b"connection: close" not in head)
                return
        connection.data = data

    def _done(self, connection: _Connection, status: int, *, keep: bool = False) -> None:
        """The request of a connection is answered, or will never be; or a connection without one was closed."""
        if connection.due is not None:
            latency = self._now() - connection.due if status else math.inf
            self._answers.append(Answer(connection.due, latency, status))
            connection.due = None
            self._busy -= 1
        else:
            self._free.remove(connection)
        if keep:
            self._free.append(connection)
        else:
            del self._open[connection.file]
            connection.socket.close()  # which the poll then forgets


def _length(head: bytes) -> int:
    """Of the body that an answer announces, by its head in small letters."""
    at = head.index(b"content-length:") + len(b"content-length:")
    end = head.find(b"\r\n", at)
    return int(head[at:] if end < 0 else head[at:end])
