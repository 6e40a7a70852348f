"""What a run is to take, and what comes out of it: a row of the table for each claim."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Plan:
    """How long everything takes."""

    repeats: int = 3
    seconds: float = 3.0
    """Of one turn."""
    overload_seconds: float = 30.0
    requests: int = 200_000
    """For the measure of memory."""
    sentences: int = 96
    """For the measures of translation."""
    rates: tuple[float, ...] = (0.25, 0.5, 0.75, 0.9, 1.0, 1.2, 1.5)
    """Offered loads of the picture, as shares of the peak."""


QUICK = Plan(
    repeats=1, seconds=1.0, overload_seconds=2.0, requests=3000, sentences=12, rates=(0.5, 1.0)
)


@dataclass(frozen=True)
class Row:
    """One line of the table. `value` is what is compared with floor and goal."""

    name: str
    measure: str
    value: float
    unit: str
    floor: float | None
    goal: float | None
    higher_is_better: bool
    ours: list[float]
    """One per turn."""
    theirs: list[float] = field(default_factory=list)
    about: str = ""
    points: list[dict[str, float]] = field(default_factory=list)
    """Of a curve: offered load, answers in time, latency percentiles."""

    @property
    def met(self) -> bool | None:
        """Whether the floor is met; None without one."""
        return None if self.floor is None else self._reaches(self.floor)

    @property
    def verdict(self) -> str:
        """Which of floor and goal is met; empty for a row that has neither."""
        if self.floor is None:
            return ""
        if self._reaches(self.goal):
            return "goal met"
        return "floor met" if self.met else "**missed**"

    def _reaches(self, limit: float | None) -> bool:
        if limit is None:
            return False
        return self.value >= limit if self.higher_is_better else self.value <= limit

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "met": self.met}


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of the turns."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
