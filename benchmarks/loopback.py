"""What the kernel alone takes for a request and its answer: no server and no load can do with less."""

import socket
import statistics
import time
from contextlib import ExitStack

CONNECTIONS = 500
ROUNDS = 40
PAUSE = 0.05
"""Seconds between two rounds, in which the kernel does what it has put off."""


def exchange(request: int, answer: int) -> float:
    """Seconds of a core to carry so many bytes over a TCP connection, and so many back: two system calls each.

    In a single process that does nothing else, so all of it is in the caches. Raises ValueError if either is more
    than a socket takes at once.
    """
    times = []
    with ExitStack() as opened:
        listener = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        pairs = []
        for _ in range(CONNECTIONS):
            caller = opened.enter_context(socket.create_connection(listener.getsockname()))
            called = opened.enter_context(listener.accept()[0])
            for one in (caller, called):
                one.setblocking(False)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pairs.append((caller, called))
        asks, answers = bytes(request), bytes(answer)
        for _ in range(ROUNDS):
            began = time.process_time()
            for caller, called in pairs:
                caller.send(asks)
                came = called.recv(1 << 16)
                called.send(answers)
                if len(came) < request or len(caller.recv(1 << 16)) < answer:
                    raise ValueError(f"{request} and {answer} bytes do not come in one piece")
            times.append((time.process_time() - began) / CONNECTIONS)
            time.sleep(PAUSE)
    return statistics.median(times)
