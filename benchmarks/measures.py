"""What is claimed, measured: each function gives the rows of one measure.

Ours and the other are measured by turns, several times, so that whatever else the machine does hits both; a
ratio is the median of the ratios of the turns.
"""

import json
import math
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Any

from benchmarks import in_process, loopback, open_loop, servers, traffic
from benchmarks.closed_loop import wrk
from service import tasks
from service.errors import QueueFull
from service.problems import on_the_wire
from service.settings import cores

CONNECTIONS = 32
EDGE = 0.5
"""Seconds at both ends of an overload that are not counted."""
DEADLINE_MS = 1000
GOODPUT = 0.95
"""Share of the peak that is to be answered in time under three times the load."""
WORDS = ("ner", "sentiment")


@dataclass(frozen=True)
class Plan:
    """How long everything takes."""

    repeats: int = 3
    seconds: float = 3.0
    """Of one turn."""
    overload_seconds: float = 30.0
    requests: int = 200_000
    """For the measure of memory."""
    sentences: int = 96
    """For the measures of translation."""
    rates: tuple[float, ...] = (0.25, 0.5, 0.75, 0.9, 1.0, 1.2, 1.5)
    """Offered loads of the picture, as shares of the peak."""


QUICK = Plan(
    repeats=1, seconds=1.0, overload_seconds=2.0, requests=3000, sentences=12, rates=(0.5, 1.0)
)


@dataclass(frozen=True)
class Row:
    """One line of the table. `value` is what is compared with floor and goal."""

    name: str
    measure: str
    value: float
    unit: str
    floor: float | None
    goal: float | None
    higher_is_better: bool
    ours: list[float]
    """One per turn."""
    theirs: list[float] = field(default_factory=list)
    about: str = ""
    points: list[dict[str, float]] = field(default_factory=list)
    """Of a curve: offered load, answers in time, latency percentiles."""

    @property
    def met(self) -> bool | None:
        """Whether the floor is met; None without one."""
        if self.floor is None:
            return None
        return self.value >= self.floor if self.higher_is_better else self.value <= self.floor

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "met": self.met}


def _loaded(name: str) -> Any:
    return tasks.load(in_process.newest(name))


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def against_servers(plan: Plan) -> Iterator[Row]:
    """One 20-token text a request, 32 connections, against other servers of the same `predict`."""
    floors = {
        "LitServe": (4.0, 8.0),
        "FastAPI def": (3.5, 6.0),
        "FastAPI def, 2 processes": (None, None),
        "BentoML": (8.0, 15.0),
        "BentoML, 2 processes": (None, None),
        "Ray Serve": (8.0, 15.0),
    }
    for task in WORDS:
        texts = traffic.texts(_loaded(task), [20] * 256)
        bodies = traffic.bodies([[text] for text in texts])
        wanted: list[Any] = []
        for peer in servers.PEERS:
            theirs_bodies = [
                json.dumps({peer.field: [text] if peer.field == "texts" else text})
                for text in texts
            ]
            with servers.service() as port, servers.peer(peer, task) as other:
                wanted = wanted or [servers.ask(port, f"/{task}", body) for body in bodies[:40]]
                _check_answers(peer, task, other, theirs_bodies[:40], wanted)
                ours: list[float] = []
                theirs: list[float] = []
                for _ in range(plan.repeats):
                    for rates, at, sent in ((ours, port, bodies), (theirs, other, theirs_bodies)):
                        with servers.alone(at, port, other):
                            wrk(at, f"/{task}", sent, connections=CONNECTIONS, seconds=1)  # warm up
                            load = wrk(
                                at, f"/{task}", sent, connections=CONNECTIONS, seconds=plan.seconds
                            )
                        rates.append(load.rate)
            floor, goal = floors[peer.name]
            yield Row(
                f"{task}-{peer.name}",
                f"/{task}, a 20-token text, 32 connections: requests/s against {peer.name}",
                _ratio(ours, theirs),
                "x",
                floor,
                goal,
                True,
                ours,
                theirs,
            )


def _check_answers(
    peer: servers.Peer, task: str, port: int, bodies: list[str], wanted: list[Any]
) -> None:
    """Raises ValueError unless a peer answers as we do: else the comparison would mean nothing."""
    for body, ours in zip(bodies, wanted, strict=True):
        theirs = servers.ask(port, f"/{task}", body)
        if (theirs["results"] if isinstance(theirs, dict) else theirs) != ours["results"]:
            raise ValueError(f"{peer.name} answers otherwise than we do")


def many_texts(plan: Plan) -> Iterator[Row]:
    """64 texts a request against `predict` in process on all cores."""
    for task in WORDS:
        texts = traffic.texts(_loaded(task), [20] * 1024)
        batches = [texts[first : first + 64] for first in range(0, len(texts), 64)]
        bodies = traffic.bodies(batches)
        ours, theirs = [], []
        with servers.service() as port:
            wrk(port, f"/{task}", bodies, connections=8, seconds=1)
            for _ in range(plan.repeats):
                load = wrk(port, f"/{task}", bodies, connections=8, seconds=plan.seconds)
                ours.append(64 * load.rate)
                theirs.append(in_process.measure(task, batches, plan.seconds, cores())[0])
        yield Row(
            f"{task}-64",
            f"/{task}, 64 texts a request: texts/s against `predict` in process on all cores",
            _ratio(ours, theirs),
            "x",
            0.85,
            0.95,
            True,
            ours,
            theirs,
        )


def one_connection(plan: Plan) -> Iterator[Row]:
    """What the service adds to the time of `predict` when nobody else asks."""
    for task in WORDS:
        texts = traffic.texts(_loaded(task), [20] * 256)
        bodies = traffic.bodies([[text] for text in texts])
        ours, theirs = [], []
        with servers.service() as port:
            wrk(port, f"/{task}", bodies, connections=1, seconds=1)
            for _ in range(plan.repeats + 2):
                load = wrk(port, f"/{task}", bodies, connections=1, seconds=plan.seconds / 2)
                ours.append(1000 * load.p50)
                alone = in_process.measure(task, [[text] for text in texts], plan.seconds / 2, 1)
                theirs.append(1000 * alone[1])
        yield Row(
            f"{task}-one-connection",
            f"/{task}, one connection: p50 of the service less p50 of `predict` in process",
            statistics.median(a - b for a, b in zip(ours, theirs, strict=True)),
            "ms",
            0.35,
            0.2,
            False,
            ours,
            theirs,
        )


def translation(plan: Plan) -> Iterator[Row]:
    """Sentences of mixed lengths, 16 connections, against the same decoder and a Transformer in process."""
    task = _loaded("translate-en-fr")
    lengths = traffic.long_tail(plan.sentences, 5, 60, 20)
    texts = [text.rstrip(".") for text in traffic.texts(task, lengths)]
    bodies = traffic.bodies([[text] for text in texts], source="en", target="fr")
    shares = [sorted(texts[first :: cores()], key=len) for first in range(cores())]
    in_order = [share[first : first + 32] for share in shares for first in range(0, len(share), 32)]
    ours, theirs = [], []
    with servers.service() as port:
        wrk(port, "/translate", bodies, connections=16, seconds=2)
        for _ in range(plan.repeats + 2):
            seconds = plan.seconds + 1
            load = wrk(port, "/translate", bodies, connections=16, seconds=seconds)
            ours.append(load.rate)
            theirs.append(in_process.measure("translate-en-fr", in_order, seconds, cores())[0])
    about = f"beam {task.bundle.manifest.options['beam']}"
    yield Row(
        "translate-in-process",
        "/translate, mixed lengths, 16 connections: sentences/s against batches in process, by length",
        _ratio(ours, theirs),
        "x",
        0.8,
        1.0,
        True,
        ours,
        theirs,
        about,
    )
    from benchmarks.peers.ctranslate2_transformer import Transformer  # not in every environment

    sizes = [_output_tokens(task, text) for text in texts]
    transformer = Transformer(beam=int(task.bundle.manifest.options["beam"]), cores=cores())
    other = [transformer.rate(lengths, sizes) for _ in range(plan.repeats)]
    against = ours[: plan.repeats]
    yield Row(
        "translate-transformer",
        "/translate against a Transformer (6+6 layers, 512) in CTranslate2 int8, in process",
        _ratio(against, other),
        "x",
        2.0,
        4.0,
        True,
        against,
        other,
        about,
    )


def _output_tokens(task: Any, text: str) -> int:
    windows = task.encode(text, task.request(text))
    return sum(len(best[0].ids) for best in task.run(windows))


def overload(plan: Plan) -> Iterator[Row]:
    """Texts of 5 to 400 tokens at constant arrival rates, up to three times what can be done."""
    task = _loaded("ner")
    lengths = traffic.long_tail(512, 5, 400, 30)
    texts = traffic.texts(task, lengths)
    bodies = traffic.bodies([[text] for text in texts])
    batches = traffic.bodies([texts[first : first + 16] for first in range(0, len(texts), 16)])
    with servers.service("--timeout-ms", str(DEADLINE_MS)) as port:
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
        + _spare(bodies, capacity, statistics.median(peaks))
    )
    yield Row(
        f"{name}-goodput",
        f"/ner, {shape}, 3x capacity, open loop: requests answered in time per second against the peak",
        _ratio(goodputs, around),
        "x",
        GOODPUT,
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


def _spare(bodies: list[str], capacity: float, peak: float) -> str:
    """What a refusal may take of the cores, and what the kernel takes of that."""
    refused = 3 * capacity - GOODPUT * peak
    request = statistics.mean(len(open_loop.request("/ner", body)) for body in bodies)
    refusal = on_the_wire("/ner", 32 * "-", QueueFull("later", retry_after=1))
    bare = loopback.exchange(round(request), len(refusal))
    return (
        f"For {GOODPUT} a refusal may take {1e6 * (1 - GOODPUT) * cores() / refused:.0f} µs of a core, "
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


def memory(plan: Plan) -> Iterator[Row]:
    """Resident memory of all processes after many requests of random length."""
    found: dict[str, list[str]] = {}
    for task in WORDS:
        lengths = traffic.long_tail(2000, 1, 300, 5, seed=7)
        found[task] = traffic.bodies([[text] for text in traffic.texts(_loaded(task), lengths, 7)])
    with servers.service() as port, ExitStack():
        sizes, sent = [], 0
        for wanted in (plan.requests // 40, plan.requests):
            while sent < wanted:
                for task in WORDS:
                    load = wrk(port, f"/{task}", found[task], connections=32, seconds=plan.seconds)
                    sent += load.requests
            sizes.append(servers.metric(port, "process_resident_memory_bytes") / 2**20)
    yield Row(
        "memory",
        f"resident memory after {plan.requests:,} requests of random length, against after a fortieth",
        100 * (sizes[1] / sizes[0] - 1),
        "%",
        5,
        0,
        False,
        sizes,
        about=f"{sent:,} requests; MiB of all processes, shared memory counted once",
    )


MEASURES: dict[str, Callable[[Plan], Iterator[Row]]] = {
    "servers": against_servers,
    "many-texts": many_texts,
    "one-connection": one_connection,
    "translation": translation,
    "overload": overload,
    "memory": memory,
}
