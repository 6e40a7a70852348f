"""A batch that is computed, in one slice or in many, and the requests of its windows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic

from service.scheduling.batch import Batch, O, W
from service.scheduling.window_queue import QueueEntry


@dataclass(slots=True)
class RunningBatch(Generic[W, O]):
    """During its slices and between them."""

    batch: Batch[W, O]
    size: int = 0
    """Of the requests inside (size_classes.py)."""
    inside: dict[int, QueueEntry[W, O]] = field(default_factory=dict)
    """By handle."""
    joining: list[QueueEntry[W, O]] = field(default_factory=list)
    leaving: list[int] = field(default_factory=list)
    unfinished: int = 0
    """Tokens that were inside when its last slice ended."""
    steps: int = 0
    """Of its last slice."""
    window_steps: int = 0
    """The windows inside, added up over these steps."""

    @property
    def tokens(self) -> int:
        return sum([entry.length for entry in self.inside.values()])

    def completes_a_job(self, finished: Sequence[tuple[int, O]]) -> bool:
        """Whether a request has all its outputs with these. Seldom wrong: its other windows may be elsewhere."""
        if not finished or len(finished) == len(self.inside):
            return bool(finished)
        jobs = Counter(self.inside[handle].job for handle, _ in finished)
        return any(count >= job.missing for job, count in jobs.items())

    def tokens_done(self, finished: Sequence[tuple[int, O]]) -> float:
        """Tokens that a slice got done: all of finished windows, and half of those that have joined.

        The other half counts when they finish. So no work is counted twice, and a slice in which nothing finishes
        does not look as if nothing had been done.
        """
        inside = done = self.tokens
        if len(finished) < len(self.inside):
            done = sum([self.inside[handle].length for handle, _ in finished])
        before, self.unfinished = self.unfinished, inside - done
        return max(0.0, done + (self.unfinished - before) / 2)
