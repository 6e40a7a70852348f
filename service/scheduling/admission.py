"""Admission: whether a model accepts a request, by its queue, its deadline and the estimated work ahead of it.

Leaves out how long tokens take (cost_model.py) and what becomes of an accepted request (batcher.py).
"""

import math
import time
from typing import Any

from service.errors import DeadlineExceeded, Draining, QueueFull, TextLoomError
from service.scheduling.cost_model import CostModel
from service.scheduling.executors import Executor
from service.scheduling.window_queue import WindowQueue
from service.telemetry.metrics import ModelMetrics

HEADROOM = 0.16
"""Share of the time that a request can wait which the estimate of the work ahead may fill. So little because a
text of a rare length waits for many others: batches are of like lengths, and each lets newer texts pass it. With
less, batches would be smaller under overload, and fewer texts answered."""


class Admission:
    """Of the requests for one model. Use from the event loop only."""

    def __init__(
        self,
        *,
        name: str,
        queue: WindowQueue[Any, Any],
        executor: Executor,
        cost_model: CostModel,
        metrics: ModelMetrics,
        queue_tokens: int,
    ) -> None:
        """queue_tokens: most tokens that may be queued."""
        self._name = name
        self._queue = queue
        self._executor = executor
        self._cost_model = cost_model
        self._metrics = metrics
        self._queue_tokens = queue_tokens
        self._draining = False

    def check(self, tokens: float, deadline: float) -> None:
        """Raises what `Batcher.submit` would for so many tokens; costs next to nothing.

        Draining; QueueFull if the work ahead, by the time that tokens have taken, leaves too little time
        before `deadline`; DeadlineExceeded if these tokens alone would take longer.
        """
        if self._draining:
            raise self.rejected("draining", draining())
        left = deadline - time.monotonic()
        own = self._executor.share(self._cost_model.seconds_per_token * tokens)
        if left <= own:
            raise self.rejected("deadline", too_late())
        ahead = self._executor.backlog()
        crowded = self._queue.tokens + tokens > self._queue_tokens
        most = (left - own) * HEADROOM
        if (self._queue.tokens and crowded) or (ahead and ahead > most):
            late = ahead if crowded else ahead - most
            raise self.rejected("queue_full", self._queue_full(late))

    def drain(self) -> None:
        """Accept nothing more."""
        self._draining = True

    def rejected(self, reason: str, error: TextLoomError) -> TextLoomError:
        """The error, counted."""
        self._metrics.rejected[reason].inc()
        return error

    def _queue_full(self, seconds: float) -> QueueFull:
        return QueueFull(
            f"{self._queue.tokens} tokens wait for {self._name} already; try again later",
            retry_after=max(1, math.ceil(seconds)),
        )


def draining() -> Draining:
    return Draining("this server is shutting down; another one may answer", retry_after=1)


def too_late() -> DeadlineExceeded:
    return DeadlineExceeded("the deadline passed before the answer was ready")
