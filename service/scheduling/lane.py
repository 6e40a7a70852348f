"""A lane: requests of like size to a stepwise model, which are computed in batches of their own.

Every step of a batch takes as long as all windows inside it take together, so a short text in the batch of a
document would wait with each of its steps. Lanes that have work share the time of their model equally, by
start-time fair queueing (fair_queueing.py) with the seconds that their slices have taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic

from service.scheduling.batch import O, W
from service.scheduling.running_batch import RunningBatch
from service.scheduling.window_queue import WindowQueue


@dataclass(slots=True, eq=False)
class Lane(Generic[W, O]):
    """The queue of a lane, and its batches between two slices."""

    size: int
    """Of its requests; the last lane has larger ones, too."""
    queue: WindowQueue[W, O]
    paused: list[RunningBatch[W, O]] = field(default_factory=list)
    finish: float = 0.0
    """Finish tag of its last slice, in seconds of a thread."""

    def has_work(self) -> bool:
        return bool(self.paused) or self.queue.has_work()


class Lanes(Generic[W, O]):
    """The lanes of one model, for shorter requests first. Use from the event loop only."""

    def __init__(self, lanes: Sequence[Lane[W, O]]) -> None:
        self._lanes = lanes
        self._now = 0.0

    @property
    def windows(self) -> int:
        """How many are queued."""
        return sum([lane.queue.windows for lane in self._lanes])

    @property
    def tokens(self) -> int:
        """How many are queued."""
        return sum([lane.queue.tokens for lane in self._lanes])

    def of(self, size: int) -> Lane[W, O]:
        """The lane for requests of a size (fair_queueing.py)."""
        return self._lanes[min(size, len(self._lanes) - 1)]

    def has_work(self) -> bool:
        return any(lane.has_work() for lane in self._lanes)

    def next(self) -> Lane[W, O]:
        """The lane whose turn it is. Raises ValueError if none has work."""
        lane = min((lane for lane in self._lanes if lane.has_work()), key=lambda lane: lane.finish)
        self._now = max(self._now, lane.finish)
        return lane

    def charge(self, lane: Lane[W, O], seconds: float) -> None:
        """A slice of this lane has taken so long."""
        lane.finish = max(self._now, lane.finish) + seconds
