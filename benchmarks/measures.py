"""What is claimed, measured: each function gives the rows of one measure; those by open loop are in overload.py
and fairness.py.

Ours and the other are measured by turns, several times, so that whatever else the machine does hits both; a
ratio is the median of the ratios of the turns.
"""

import json
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from benchmarks import in_process, servers, traffic
from benchmarks.closed_loop import wrk
from benchmarks.fairness import fairness
from benchmarks.overload import overload
from benchmarks.rows import Plan, Row, ratio
from service.settings import cores

CONNECTIONS = 32
WORDS = ("ner", "sentiment")


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
        texts = traffic.texts(in_process.load(task), [20] * 256)
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
                ratio(ours, theirs),
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
        texts = traffic.texts(in_process.load(task), [20] * 1024)
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
            ratio(ours, theirs),
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
        texts = traffic.texts(in_process.load(task), [20] * 256)
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
    task = in_process.load("translate-en-fr")
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
        ratio(ours, theirs),
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
        ratio(against, other),
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


def memory(plan: Plan) -> Iterator[Row]:
    """Resident memory of all processes after many requests of random length."""
    found: dict[str, list[str]] = {}
    for task in WORDS:
        lengths = traffic.long_tail(2000, 1, 300, 5, seed=7)
        found[task] = traffic.bodies(
            [[text] for text in traffic.texts(in_process.load(task), lengths, 7)]
        )
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
    "fairness": fairness,
    "memory": memory,
}
