"""Counters, histograms and gauges, as seen by the one thread that changes them.

They keep plain numbers, and pass them on to prometheus_client together (`flush`): one at a time, that costs as
much as a quarter of a short request.
"""

import collections
from bisect import bisect_left
from dataclasses import dataclass

from prometheus_client import Counter, Gauge
from prometheus_client import Histogram as SlowHistogram


class Histogram(SlowHistogram):
    """A histogram that takes many observations at once."""

    def observe_all(self, amounts: list[float]) -> None:
        self._sum.inc(sum(amounts))
        buckets = collections.Counter(bisect_left(self._upper_bounds, each) for each in amounts)
        for bucket, count in buckets.items():
            self._buckets[bucket].inc(count)


@dataclass(slots=True)
class Count:
    """A counter, as seen by the one thread that counts."""

    _counter: Counter
    _kept: float = 0.0

    def inc(self, amount: float = 1.0) -> None:
        self._kept += amount

    def flush(self) -> None:
        if self._kept:
            self._counter.inc(self._kept)
            self._kept = 0.0


class Observations:
    """A histogram, as seen by the one thread that observes."""

    __slots__ = ("_histogram", "_kept", "observe")

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._kept: list[float] = []
        self.observe = self._kept.append

    def flush(self) -> None:
        if self._kept:
            self._histogram.observe_all(self._kept)
            self._kept.clear()


@dataclass(slots=True)
class Level:
    """A gauge, as seen by the one thread that sets it."""

    _gauge: Gauge
    _now: float = 0.0
    _passed_on: float = 0.0

    def add(self, change: float) -> None:
        self._now += change

    def flush(self) -> None:
        if self._now != self._passed_on:
            self._gauge.set(self._now)
            self._passed_on = self._now
