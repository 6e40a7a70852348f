"""The measures of an overload, by open loop: what is answered, how fast, and what it leaves behind."""

import math
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from benchmarks import in_process, loopback, open_loop, servers, traffic
from benchmarks.closed_loop import wrk
from benchmarks.rows import Plan, Row, ratio
from service.errors import QueueFull
from service.http.problems import problem
from service.settings import cores

EDGE = 0.5
"""Seconds at both ends of an overload that are not counted."""
DEADLINE_MS = 1000
GOODPUT = {"one text a request": 0.8, "16 texts a request": 0.95}
"""Share of the peak that is to be answered in time under three times the load. With one text a request the load
and the kernel take much of the cores: see `_spare`."""


def overload(plan: Plan) -> Iterator[Row]:
    """Texts of 5 to 400 tokens at constant arrival rates, up to three times what can be done."""
    task = in_process.load("ner")
    lengths = traffic.long_tail(512, 5, 400, 30)
    texts = traffic.texts(task, lengths)
    bodies = traffic.bodies([[text] for text in texts])
    batches = traffic.bodies([texts[first : first + 16] for first in range(0, len(texts), 16)])
    room = str(2 * open_loop.MOST_CONNECTIONS)
    with servers.service("--timeout-ms", str(DEADLINE_MS), "--max-connections", room) as port:
        load = wrk(port, "/ner", bodies, connections=64, seconds=2 * plan.seconds)
        capacity = (load.requests - load.failed) / load.seconds  # a slow machine refuses some
        before = {name: servers.metric(port, f"textloom_{name}") for name in _PADDING}
        curve = [
            _point(port, "/ner", bodies, share * capacity, 2 * plan.seconds) for share in plan.rates
        ]
        spent = {name: servers.metric(port, f"textloom_{name}") - before[name] for name in _PADDING}
        yield from _overload(plan, port, bodies, capacity, curve, "one text a request", "overload")
        load = wrk(port, "/ner", batches, connections=4 * cores(), seconds=2 * plan.seconds)
        capacity = (load.requests - load.failed) / load.seconds
        near = [
            _point(port, "/ner", batches, share * capacity, 2 * plan.seconds)
            for share in plan.rates[-3:]
        ]
        for row in _overload(
            plan, port, batches, capacity, near, "16 texts a request", "overload-16-texts"
        ):
            yield replace(row, points=[])  # the picture is of one text a request
    padding = spent["padding_tokens_total"] / (sum(spent.values()) or 1)
    yield Row(
        "padding",
        "/ner, 5 to 400 tokens: share of computed tokens that is padding",
        100 * padding,
        "%",
        10,
        5,
        False,
        [100 * padding],
    )
    for peer in servers.PEERS[:2]:
        with servers.peer(peer, "ner") as port:
            top = wrk(port, "/ner", bodies, connections=64, seconds=plan.seconds).rate
            points = [
                _point(port, "/ner", bodies, share * top, plan.seconds) for share in plan.rates
            ]
            yield Row(
                f"curve-{peer.name}",
                f"the same texts, {peer.name}: peak of answers in time per second",
                max(point["in_time"] for point in points),
                "/s",
                None,
                None,
                True,
                [top],
                points=points,
            )


def _overload(
    plan: Plan,
    port: int,
    bodies: list[str],
    capacity: float,
    curve: list[dict[str, float]],
    shape: str,
    name: str,
) -> Iterator[Row]:
    """Three times the capacity in requests a second, two times, and what becomes of them.

    `capacity` is what a closed loop found; if the peak is higher, it is that.
    `curve` says near which load the peak is. It is measured anew, before and after each overload: the best of
    several points was also the luckiest, and the machine may become slower or faster meanwhile. The connections
    are the same at the peak and over it.
    """

    def offer(rate: float, seconds: float) -> tuple[list[open_loop.Answer], float]:
        """What became of the requests, and answers in time per second.

        But for both ends: first the queue fills, and last there are answers under way.
        """
        found = open_loop.run(
            port,
            "/ner",
            bodies,
            rate=rate,
            seconds=seconds,
            grace=0.0,
            connections=open_loop.MOST_CONNECTIONS,
        )
        inside = [answer for answer in found if EDGE <= answer.due < seconds - EDGE]
        return inside, sum(map(_in_time, inside)) / (seconds - 2 * EDGE)

    def at(rate: float) -> float:
        return offer(rate, 2 * plan.seconds)[1]

    load = max(curve, key=lambda point: point["in_time"])["offered"]
    climb = {load: at(load)}
    while climb[load] > 0.98 * load:  # more could have been answered
        load *= 1.15
        climb[load] = at(load)
    peak = max(climb, key=lambda offered: climb[offered])
    capacity = max(capacity, climb[peak])
    idle = _idle_latency(port, bodies[0])
    peaks, goodputs, recoveries = [at(peak)], [], []
    counted: list[open_loop.Answer] = []
    cpu = 0.0
    for _ in range(2):
        cpu -= time.process_time()
        answers, goodput = offer(3 * capacity, plan.overload_seconds)
        ended = time.perf_counter()
        cpu += time.process_time()
        while _idle_latency(port, bodies[0], count=5) > 1.5 * idle + 0.001:
            if time.perf_counter() - ended > 30:
                break
        recoveries.append(time.perf_counter() - ended)
        peaks.append(at(peak))
        goodputs.append(goodput)
        counted += answers
    around = [statistics.mean(pair) for pair in pairwise(peaks)]
    accepted = sorted(answer.latency for answer in counted if answer.status == 200)
    became = Counter(
        _FATES.get(answer.status, "failed")
        if answer.status != 200 or _in_time(answer)
        else "answered late"
        for answer in counted
    )
    fates = ", ".join(f"{number} {fate}" for fate, number in became.most_common())
    about = (
        f"{capacity:.0f} requests/s offered three times over: {fates}; "
        f"the load itself took {100 * cpu / 2 / plan.overload_seconds / cores():.0f} % of the cores. "
        + _spare(bodies, capacity, statistics.median(peaks), GOODPUT[shape])
    )
    yield Row(
        f"{name}-goodput",
        f"/ner, {shape}, 3x capacity, open loop: requests answered in time per second against the peak",
        ratio(goodputs, around),
        "x",
        GOODPUT[shape],
        0.99,
        True,
        goodputs,
        peaks,
        about,
        curve,
    )
    yield Row(
        f"{name}-p99",
        f"/ner, {shape}: p99 of accepted requests under that load, deadline {DEADLINE_MS} ms",
        1000 * accepted[int(0.99 * len(accepted))] if accepted else math.inf,
        "ms",
        DEADLINE_MS,
        DEADLINE_MS / 2,
        False,
        [1000 * latency for latency in accepted[:: max(1, len(accepted) // 100)]],
    )
    yield Row(
        f"{name}-recovery",
        f"/ner, {shape}: after the overload, time until latency is idle again",
        max(recoveries),
        "s",
        1.0,
        0.2,
        False,
        recoveries,
    )


def _spare(bodies: list[str], capacity: float, peak: float, goodput: float) -> str:
    """What a refusal may take of the cores, and what the kernel takes of that."""
    refused = 3 * capacity - goodput * peak
    request = statistics.mean(len(open_loop.request("/ner", body)) for body in bodies)
    refusal = problem(QueueFull("later", retry_after=1), 32 * "-")
    head = sum(len(name) + len(value) + 4 for name, value in refusal.headers)
    bare = loopback.exchange(round(request), head + len(refusal.body))
    return (
        f"For {goodput} a refusal may take {1e6 * (1 - goodput) * cores() / refused:.0f} µs of a core, "
        f"load included; the kernel alone takes {1e6 * bare:.0f}, with no program at either end"
    )


_FATES = {
    200: "answered in time",
    503: "refused at once",
    504: "given up at their deadline",
    0: "without an answer",
}
_PADDING = ("tokens_total", "padding_tokens_total")


def _in_time(answer: open_loop.Answer) -> bool:
    return answer.status == 200 and answer.latency <= DEADLINE_MS / 1000


def _point(
    port: int, path: str, bodies: list[str], rate: float, seconds: float
) -> dict[str, float]:
    answers = open_loop.run(port, path, bodies, rate=rate, seconds=seconds)
    latencies = sorted(answer.latency if answer.status == 200 else math.inf for answer in answers)
    point = {"offered": rate, "in_time": sum(map(_in_time, answers)) / seconds}
    for percentile in (50, 90, 99):
        value = latencies[min(len(latencies) - 1, int(percentile / 100 * len(latencies)))]
        point[f"p{percentile}"] = value if math.isfinite(value) else -1.0
    return point


def _idle_latency(port: int, body: str, count: int = 40) -> float:
    """Median time of one request after the other, in seconds."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        try:
            servers.ask(port, "/ner", body)
        except OSError:
            times.append(math.inf)
            continue
        times.append(time.perf_counter() - began)
    return statistics.median(times)
