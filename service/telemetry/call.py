"""What is recorded about one request while it is answered, for its log line, its spans and `Server-Timing`.

Leaves out how it is written: logs.py and tracing.py.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.tasks.base import ModelName
from service.telemetry.metrics import PHASES

_SERVER_TIMING = ", ".join(f"{phase};dur=%.3f" for phase in PHASES).encode()


class Part(NamedTuple):
    """What one model did for a request."""

    model: ModelName
    texts: int
    characters: int
    tokens: int
    began: float
    """In the time of `time.perf_counter()`."""
    phases: tuple[float, float, float, float]
    """Seconds in each of PHASES."""
    expected: float = 0.0
    """Seconds that queue and run were estimated to take together; 0 if too little was known."""


@dataclass(slots=True)
class Call:
    """What one request has beside its query: when it must be done, and what became of it, for the log."""

    request_id: str = ""
    canary: bool | None = None
    """Whether it wants a model's canary, or the other version; None: either."""
    deadline: float = math.inf
    """In the time of `time.monotonic()`."""
    caller: str = ""
    """Who shares fairly with other callers: the number of a key, else an address. Never logged."""
    charge: Callable[[int], None] | None = None
    """Counts the characters of its texts towards the quota of its key. Raises TooManyRequests, TooLarge."""
    phases: list[float] = field(default_factory=lambda: [0.0] * len(PHASES))
    """Where its time went: seconds in each of PHASES."""
    task: str = ""
    """Which one it is for."""
    detected: Sequence[str] = ()
    """The languages of those of its texts whose language was detected."""
    bytes_in: int = 0
    bytes_out: int = 0
    parts: list[Part] = field(default_factory=list)

    @property
    def server_timing(self) -> bytes:
        """The header of this name: milliseconds by phase."""
        return _SERVER_TIMING % tuple([seconds * 1000 for seconds in self.phases])
