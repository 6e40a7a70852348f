"""Admission: whether a model accepts a request, by its deadline and by the work that comes before it.

What comes before a request is no more than all that is queued, and no more than what fair queueing serves before
it is done (fair_queueing.py, executors.py): as much of every other flow as of its own, and as much time for every
other model. Leaves out how long tokens take (cost_model.py) and what becomes of an accepted request (batcher.py).
"""

import math
import time
from collections.abc import Callable
from typing import Any

from service.errors import DeadlineExceeded, Draining, QueueFull, TextLoomError
from service.scheduling.cost_model import CostModel
from service.scheduling.estimate_correction import EstimateCorrection
from service.scheduling.executors import Executor
from service.scheduling.fair_queueing import FairClock, FlowKey
from service.scheduling.size_classes import SizeClasses
from service.telemetry.metrics import ModelMetrics

HEADROOM = 0.2
"""Share of the time that a request can wait which the estimate of the work before it may fill. So little because
some wait several times as long as most: batches are of like lengths, and each lets newer texts pass a rare one.
With less, batches would be smaller under overload, and fewer texts answered."""

DOUBT = 4
"""An estimate may be so many times too long; what takes too long even then surely cannot be done."""


class Admission:
    """Of the requests for one model. Use from the event loop only."""

    def __init__(
        self,
        *,
        name: str,
        queue: SizeClasses[Any, Any],
        clock: FairClock,
        executor: Executor,
        cost_model: CostModel,
        estimate_correction: EstimateCorrection,
        metrics: ModelMetrics,
        queue_tokens: int,
    ) -> None:
        """queue_tokens: most tokens that may be queued before a request and with it."""
        self._name = name
        self._queue, self._clock = queue, clock
        self._executor = executor
        self._cost_model = cost_model
        self._estimate_correction = estimate_correction
        self._metrics = metrics
        self._queue_tokens = queue_tokens
        self._draining = False

    def check(
        self,
        tokens: float,
        windows: float,
        *,
        flow: FlowKey,
        deadline: float,
        backlog: Callable[[], float],
    ) -> float:
        """The seconds that these tokens will take, as estimated and not corrected; 0 while too little is known.
        Takes microseconds.

        backlog: gives the seconds of a thread that the model still has to compute.

        Raises Draining; DeadlineExceeded if the tokens alone surely take longer than until `deadline`; QueueFull
        if the work before them leaves too little time. While nothing is queued or computed, nothing is refused
        but what surely cannot be done.
        """
        if self._draining:
            raise self.rejected("draining", draining())
        left = deadline - time.monotonic()
        share = self._executor.share
        own = share(self._cost_model.seconds(tokens, windows))
        if left <= own / DOUBT:
            raise self.rejected("deadline", too_late())
        backlogs, queued = self._executor.backlogs(), self._queue.tokens
        if not (backlogs or queued):
            return own
        fair = self._clock.tokens_before(flow, tokens)
        before = own * fair / tokens
        if len(backlogs) > 1:
            ours = share(backlog())
            before, others = min(ours, before), len(backlogs) - (ours > 0)
            before += others * (before + own)
        waits = min(sum(backlogs), before)
        corrected = self._estimate_correction.factor(windows) * waits
        crowded = queued > 0 and min(queued, fair) + tokens > self._queue_tokens
        most = HEADROOM * (left - own / DOUBT)
        if crowded or corrected > most:
            late = corrected if crowded else corrected - most
            raise self.rejected("queue_full", self._queue_full(late))
        return waits + own

    def drain(self) -> None:
        """Accept nothing more."""
        self._draining = True

    def rejected(self, reason: str, error: TextLoomError) -> TextLoomError:
        """The error, counted."""
        self._metrics.rejected[reason].inc()
        return error

    def _queue_full(self, seconds: float) -> QueueFull:
        return QueueFull(
            f"{self._name} has too much to do already; try again later",
            retry_after=max(1, math.ceil(seconds)),
        )


def draining() -> Draining:
    return Draining("this server is shutting down; another one may answer", retry_after=1)


def too_late() -> DeadlineExceeded:
    return DeadlineExceeded("the deadline passed before the answer was ready")
