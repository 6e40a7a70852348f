"""`python -m benchmarks.soak`: hours of traffic, with memory, file descriptors and latency plotted to a picture.

Short requests for each task, now and then a long one, and mutated ones (mutations.py), at a steady rate. Ends with
status 1 if an answer was wrong or missing, or if the service uses more in the last quarter than in the second.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import fuzz, mutations, servers, traffic, usage

LONG_WORDS = 2000
GROWTH = 1.1
"""How much more the last quarter may use than the second."""


@dataclass(frozen=True)
class Sample:
    """What the service used and did in a part of the time."""

    seconds: float
    """Since the start."""
    memory: float
    """Megabytes, of all processes."""
    descriptors: int
    p50: float
    """Milliseconds, of short requests."""
    p99: float
    requests: int


def soak(
    port: int, seconds: float, rate: float, samples: int, seed: int = 1
) -> tuple[list[Sample], int]:
    """What was used in so many parts of the time, and how many valid requests had no answer or another than first.

    rate: requests a second.
    """
    chance, began = random.Random(seed), time.monotonic()
    valid, found, failed, asked = fuzz.Valid("127.0.0.1", port), [], 0, 0
    long = mutations.query(text=traffic.Words(1).take(LONG_WORDS))
    for part in range(samples):
        latencies: list[float] = []
        while (now := time.monotonic() - began) < seconds * (part + 1) / samples:
            asked += 1
            time.sleep(max(0.0, asked / rate - now))
            started = time.perf_counter()
            try:
                valid.check()
            except (fuzz.Wrong, OSError) as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
                failed += 1
                valid.close()
            latencies.append(1000 * (time.perf_counter() - started))
            if asked % 10 == 0:
                fuzz.answers("127.0.0.1", port, [mutations.mutated(chance)])
            if asked % 100 == 0:
                servers.ask(port, "/ner", long.decode())
        pids = servers.processes(port)
        cuts = statistics.quantiles(latencies or [0.0, 0.0], n=100)
        sample = Sample(
            time.monotonic() - began,
            usage.memory(pids),
            usage.descriptors(pids),
            cuts[49],
            cuts[98],
            len(latencies),
        )
        found.append(sample)
        print(sample, file=sys.stderr, flush=True)
    valid.close()
    return found, failed


def grown(samples: Sequence[Sample]) -> list[str]:
    """What the last quarter has more of than the second: the first is when all is new."""
    quarter = len(samples) // 4
    second, last = samples[quarter : 2 * quarter], samples[-quarter:]
    found = []
    for name in ("memory", "descriptors"):
        before, after = (
            statistics.mean(getattr(each, name) for each in few) for few in (second, last)
        )
        if after > GROWTH * before:
            found.append(f"{name} went from {before:.0f} to {after:.0f}")
    return found


def picture(path: Path, samples: Sequence[Sample], title: str) -> None:
    import matplotlib as mpl

    mpl.use("svg" if path.suffix == ".svg" else "agg")
    from matplotlib import pyplot as plt

    minutes = [sample.seconds / 60 for sample in samples]
    figure, axes = plt.subplots(3, 1, sharex=True, figsize=(8, 7), layout="constrained")
    axes[0].set_title(title, fontsize=10)
    for axis, label, names in zip(
        axes,
        ("memory (MB)", "file descriptors", "latency (ms)"),
        (["memory"], ["descriptors"], ["p50", "p99"]),
        strict=True,
    ):
        for name in names:
            axis.plot(minutes, [getattr(sample, name) for sample in samples], label=name)
        axis.set_ylabel(label)
        most = max(getattr(sample, name) for sample in samples for name in names)
        axis.set_ylim(0, 1.1 * most)
    axes[2].legend()
    axes[2].set_xlabel("minutes")
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=8 * 3600, help="default: a night")
    parser.add_argument("--rate", type=float, default=20, help="requests a second; default: 20")
    parser.add_argument("--samples", type=int, default=60, help="points of each line; default: 60")
    parser.add_argument("--out", type=Path, default=Path("soak.png"), help="the picture")
    options = parser.parse_args()
    with servers.service("--workers", "2") as port:
        samples, failed = soak(port, options.seconds, options.rate, options.samples)
    requests = sum(sample.requests for sample in samples)
    title = (
        f"{options.seconds / 60:.0f} minutes, {options.rate:g} requests a second, {requests} in all"
    )
    title += f", {failed} failed"
    picture(options.out, samples, title)
    options.out.with_suffix(".json").write_text(
        json.dumps([asdict(each) for each in samples]) + "\n"
    )
    print(title)
    for each in grown(samples):
        print(each)
    return 1 if failed or grown(samples) else 0


if __name__ == "__main__":
    sys.exit(main())
