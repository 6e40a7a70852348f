"""Connections on which too little comes, too much, or nothing is taken."""

import resource
import socket
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

from benchmarks import fuzz, mutations, servers
from benchmarks.faults.watch import until

LARGE = 4_000_000
"""Bytes of a body just under the limit."""
HOLD = 3.0
"""Seconds for which a fault is kept up."""


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def _head(length: int) -> bytes:
    head = b"POST /ner HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % length


def _held(port: int, count: int, sent: bytes) -> str:
    """Sends the same over many connections, without end, and says how they were answered so far."""
    found = Counter[str]()
    with ExitStack() as opened:
        connections = [opened.enter_context(_connect(port)) for _ in range(count)]
        for connection in connections:
            connection.settimeout(5)
            with suppress(OSError):  # it is answered and closed before all is sent
                connection.sendall(sent)
        time.sleep(HOLD)
        for connection in connections:
            connection.settimeout(0.01)
            try:
                answer = connection.recv(12)
                found[answer[9:].decode() or "closed"] += 1
            except TimeoutError:
                found["still open"] += 1
            except OSError:
                found["closed"] += 1
    return ", ".join(f"{count} x {status}" for status, count in sorted(found.items()))


def half_sent(port: int) -> str:
    return _held(port, 150, _head(LARGE) + b'{"text": "' + b"a" * (LARGE // 2))


def keyless(port: int) -> str:
    return _held(port, 100, _head(LARGE) + b'{"text": "' + b"a" * (LARGE - 100))


def keyless_forms(port: int) -> str:
    head = b"POST /compat/libretranslate/translate HTTP/1.1\r\nHost: a\r\n"
    head += b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % LARGE
    return _held(port, 2, head + b"q=" + b"%20&a=" * (LARGE // 6))


def never_read(port: int) -> str:
    body = mutations.query(text=["Ada Lovelace of London " * 40] * 300)
    with ExitStack() as opened:
        for _ in range(12):
            connection = opened.enter_context(_connect(port))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(_head(len(body)) + body)
        time.sleep(4 * HOLD)
    return "closed by the caller"


_WHOLE = mutations.request("/ner", mutations.query(text="Ada"))
_HEADS = {
    "no Host": b"GET /health/live HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "gzip, chunked": b"POST /ner HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST /ner HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
    "a head of 1 MB": b"GET /health/live HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 2**20,
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
}


def heads(port: int) -> str:
    """Each after a valid request in the same packet."""
    found = []
    for name, head in _HEADS.items():
        with _connect(port) as connection:
            answer = b""
            with suppress(OSError):
                connection.sendall(_WHOLE + head)
                while part := connection.recv(65536):
                    answer += part
        statuses = [each[:3].decode() for each in answer.split(b"HTTP/1.1 ")[1:]]
        found.append(f"{name}: {', then '.join(statuses)}")
    return "; ".join(found)


def mutated(port: int) -> str:
    valid = fuzz.Valid("127.0.0.1", port)
    seen = fuzz.raw("127.0.0.1", port, 2_000, valid, seed=1)
    valid.close()
    return ", ".join(f"{count} x {status}" for status, count in sorted(seen.items()))


def descriptors(port: int) -> str:
    """Two more than each worker has just now."""
    pids = servers.processes(port)[1:]
    limits = resource.prlimit(pids[0], resource.RLIMIT_NOFILE)
    for pid in pids:
        used = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 2, limits[1]))
    with ExitStack() as opened:
        for _ in range(50):
            opened.enter_context(_connect(port))
        time.sleep(HOLD)
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    with _connect(port) as connection:
        connection.sendall(mutations.request("/health/live"))
        until(lambda: connection.recv(12).endswith(b"200"))
    return "new connections wait, and are served afterwards"


FAULTS = {
    "150 connections with half of a 4 MB body": half_sent,
    "12 callers who do not take their answers": never_read,
    "wrong heads, each behind a valid request": heads,
    "2,000 mutated requests": mutated,
    "no file descriptors for 50 new connections": descriptors,
}

WITH_KEYS = {
    "100 connections without a key, 4 MB each": keyless,
    "two forms of 4 MB without a key": keyless_forms,
}
