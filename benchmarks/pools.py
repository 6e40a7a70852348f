"""What a client's pool of connections does to two processes under overload, directly and through nginx.

A pool that takes the connection that was freed last (LIFO) meets the process that refuses fastest again and again:
its requests are refused while the other process could answer them. nginx with deploy/nginx/textloom.conf looks how
many requests each instance has under way, and asks the next one if one is full.
"""

import argparse
import getpass
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import in_process, open_loop, servers, traffic
from benchmarks.closed_loop import wrk
from benchmarks.overload import DEADLINE_MS, EDGE

NGINX = """
daemon off;
user {user};
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 8192; }}
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
def behind_nginx(*ports: int) -> Iterator[int]:
    """The port of an nginx, with the configuration that is shipped, in front of instances at these ports."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not program:
        raise SystemExit("there is no nginx here; on Debian and Ubuntu: apt install nginx-light")
    config = (servers.ROOT / "deploy" / "nginx" / "textloom.conf").read_text()
    port = servers.free_port()
    config = config.replace("listen 80;", f"listen 127.0.0.1:{port};")
    for number, instance in enumerate(ports, 1):
        config = config.replace(f"127.0.0.1:800{number} ", f"127.0.0.1:{instance} ")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "textloom.conf").write_text(config)
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=getpass.getuser()))
        command = [program, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"]
        started = subprocess.Popen(command)
        try:
            servers.until(lambda: "ready" in servers.page(port, "/health/ready"), 60)
            yield port
        finally:
            started.terminate()
            started.wait(60)


def goodput(port: int, bodies: list[str], rate: float, seconds: float, newest_first: bool) -> float:
    """Answers in time per second."""
    found = open_loop.run(
        port, "/ner", bodies, rate=rate, seconds=seconds, grace=0.0, connections=256,
        newest_first=newest_first,
    )  # fmt: skip
    inside = [each for each in found if EDGE <= each.due < seconds - EDGE]
    in_time = sum(each.status == 200 and each.latency <= DEADLINE_MS / 1000 for each in inside)
    return in_time / (seconds - 2 * EDGE)


def main(argv: list[str] | None = None) -> dict[str, list[float]]:
    """Prints and gives the goodput of each arrangement, in its turns."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pools", description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--load", type=float, default=2.0, help="as a multiple of the capacity")
    options = parser.parse_args(argv)
    texts = traffic.texts(in_process.load("ner"), traffic.long_tail(512, 5, 400, 30))
    bodies = traffic.bodies([[text] for text in texts])
    one = ("--workers", "1", "--threads", "1", "--timeout-ms", str(DEADLINE_MS))
    found: dict[str, list[float]] = {}
    with (
        servers.service("--workers", "2", "--timeout-ms", str(DEADLINE_MS)) as both,
        servers.service(*one) as first,
        servers.service(*one) as second,
        behind_nginx(first, second) as nginx,
    ):
        measured = wrk(both, "/ner", bodies, connections=64, seconds=options.seconds)
        rate = options.load * (measured.requests - measured.failed) / measured.seconds
        for _ in range(options.turns):
            for name, port, newest_first in (
                ("two processes, each connection in turn", both, False),
                ("two processes, the last one freed", both, True),
                ("nginx before two instances, each connection in turn", nginx, False),
                ("nginx before two instances, the last one freed", nginx, True),
            ):
                value = goodput(port, bodies, rate, options.seconds, newest_first)
                found.setdefault(name, []).append(value)
    print(
        f"| answers in time per second at {options.load:g} times the capacity | | |\n|---|---|---|"
    )
    base = statistics.median(next(iter(found.values())))
    for name, values in found.items():
        middle = statistics.median(values)
        print(
            f"| {name} | {middle:,.0f} ({min(values):,.0f} to {max(values):,.0f}) | {middle / base:.2f}x |"
        )
    return found


if __name__ == "__main__":
    main()
