"""Size classes: short requests and documents to a stepwise model are computed in batches of their own.

Every step of a batch takes as long as all windows inside it take together, so a short text in the batch of a
document would wait with each of its steps. Classes that have work share the time of their model equally, by
start-time fair queueing (fair_queueing.py) with the seconds that their slices have taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic

from service.scheduling.batch import O, W
from service.scheduling.running_batch import RunningBatch
from service.scheduling.window_queue import WindowQueue


@dataclass(slots=True, eq=False)
class SizeClass(Generic[W, O]):
    """The queue of a size class, and its batches between two slices."""

    size: int
    """Of its requests; the last class has larger ones, too."""
    queue: WindowQueue[W, O]
    paused: list[RunningBatch[W, O]] = field(default_factory=list)
    finish: float = 0.0
    """Finish tag of its last slice, in seconds of a thread."""

    def has_work(self) -> bool:
        return bool(self.paused) or self.queue.has_work()


class SizeClasses(Generic[W, O]):
    """The size classes of one model, the shortest first. Use from the event loop only."""

    def __init__(self, classes: Sequence[SizeClass[W, O]]) -> None:
        self._classes = classes
        self._now = 0.0

    @property
    def windows(self) -> int:
        """How many are queued."""
        return sum([each.queue.windows for each in self._classes])

    @property
    def tokens(self) -> int:
        """How many are queued."""
        return sum([each.queue.tokens for each in self._classes])

    def of(self, size: int) -> SizeClass[W, O]:
        """The class for requests of a size (fair_queueing.py)."""
        return self._classes[min(size, len(self._classes) - 1)]

    def has_work(self) -> bool:
        return any(each.has_work() for each in self._classes)

    def next(self) -> SizeClass[W, O]:
        """The class whose turn it is. Raises ValueError if none has work."""
        waiting = (each for each in self._classes if each.has_work())
        chosen = min(waiting, key=lambda each: each.finish)
        self._now = max(self._now, chosen.finish)
        return chosen

    def charge(self, size_class: SizeClass[W, O], seconds: float) -> None:
        """A slice of this class has taken so long."""
        size_class.finish = max(self._now, size_class.finish) + seconds
