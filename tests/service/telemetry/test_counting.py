"""Metrics of several workers are right: over 50,000 requests they are what the client has counted."""

import asyncio
import itertools
import json
import os
import signal
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from service.telemetry.metrics import FLUSH_SECONDS, PHASES

from ..conftest import running
from ..helpers import families, until, value

CONNECTIONS = 10
AT_ONCE = 25
ROUNDS = 100  # of each connection, in each half of the test

REQUESTS = {  # what is asked, and the status that it must get
    ("/sentiment", json.dumps({"text": "good"})): 200,
    ("/sentiment", json.dumps({"text": ["awful table", "good good good"]})): 200,
    ("/ner", json.dumps({"text": "Ada Lovelace lived in London"})): 200,
    ("/ner", json.dumps({"text": 5})): 422,
    ("/sentiment", "{"): 400,
}


@pytest.mark.timeout(900)
def test_50_000_requests_to_two_workers_of_which_one_dies_are_counted_to_the_last(
    tiny_models: Path, tmp_path: Path
) -> None:
    arguments = ("--models", str(tiny_models), "--workers", "2")
    with running(tmp_path / "log", *arguments) as (started, client):
        counted = asyncio.run(_ask(client.base_url))
        agree(client, counted)
        children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()
        assert len(children) == 2
        os.kill(int(children[0]), signal.SIGKILL)
        # the client's own connection may have been to the one that died
        with httpx.Client(base_url=client.base_url, timeout=60) as other:
            until(lambda: value(other, "textloom_worker_restarts_total") == 1)
            counted += asyncio.run(_ask(client.base_url))
            assert counted.total() == 2 * CONNECTIONS * ROUNDS * AT_ONCE == 50_000
            agree(other, counted)

            # gauges are of now and of the living, and the processes are taken together
            assert value(other, "textloom_queue_depth") == 0
            until(lambda: value(other, "textloom_model_ready") == 4)
            assert value(other, "textloom_model_info") == 4
            found = families(other)
            assert all("pid" not in s.labels for family in found.values() for s in family.samples)
            assert value(other, "process_cpu_seconds_total") > 1
            assert 50e6 < value(other, "process_resident_memory_bytes") < 2e9
            assert value(other, "process_open_fds") > 10


def agree(client: httpx.Client, counted: Counter[tuple[str, str, int]]) -> None:
    """The metrics say what the client has counted, as soon as both workers have passed on what they know."""
    assert {(path, body): status for path, body, status in counted} == REQUESTS
    each = counted.total() / len(REQUESTS)
    assert set(counted.values()) == {each}
    expected: dict[tuple[str, ...], float] = {}

    def expect(number: float, name: str, **labels: str) -> None:
        expected[name, *itertools.chain(*labels.items())] = number

    for (path, status), same in Counter((path, s) for (path, _), s in REQUESTS.items()).items():
        expect(same * each, "http_requests_total", route=path, status=str(status))
    for path, same in Counter(path for path, _ in REQUESTS).items():
        expect(same * each, "http_request_duration_seconds_count", route=path)
        expect(same * each, "http_request_duration_seconds_bucket", route=path, le="+Inf")
    expect(2 * each, "predictions_total", model="sentiment", label="positive")
    expect(each, "predictions_total", model="sentiment", label="negative")
    expect(each, "predictions_total", model="ner", label="PER")
    expect(2 * each, "prediction_score_count", model="ner")
    expect(6 * each, "tokens_total", model="sentiment")
    expect(2 * each, "unknown_tokens_total", model="ner")
    expect(3 * each, "batch_size_sum", model="sentiment")
    for phase in PHASES:
        expect(2 * each, "phase_duration_seconds_count", model="sentiment", phase=phase)

    def told() -> dict[tuple[str, ...], float]:
        return {
            (name, *labels): value(
                client, f"textloom_{name}", **dict(zip(labels[::2], labels[1::2], strict=True))
            )
            for name, *labels in expected
        }

    until(lambda: told() == expected)
    time.sleep(2 * FLUSH_SECONDS)
    assert told() == expected


async def _ask(address: httpx.URL) -> Counter[tuple[str, str, int]]:
    """Ask everything on many connections, many requests at once, and count the answers by their status."""
    counts = await asyncio.gather(*(_ask_one(address, start) for start in range(CONNECTIONS)))
    return sum(counts, Counter())


async def _ask_one(address: httpx.URL, start: int) -> Counter[tuple[str, str, int]]:
    counted: Counter[tuple[str, str, int]] = Counter()
    reader, writer = await asyncio.open_connection(address.host, address.port)
    requests = [list(REQUESTS)[(start + turn) % len(REQUESTS)] for turn in range(AT_ONCE)]
    sent = "".join(
        f"POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
        for path, body in requests
    ).encode()
    for _ in range(ROUNDS):
        writer.write(sent)
        for path, body in requests:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = head.lower().split("content-length: ")[1].split("\r\n")[0]
            await reader.readexactly(int(length))
            counted[path, body, int(head.split(" ")[1])] += 1
    writer.close()
    await writer.wait_closed()
    return counted
