"""A batch that is computed step by step: the protocol of one, and the batch of a single step."""

from collections.abc import Callable, Collection, Sequence
from typing import Generic, Protocol, TypeVar


class HasLength(Protocol):
    @property
    def length(self) -> int:
        """Tokens, at least 1."""


W = TypeVar("W", bound=HasLength)
W_in = TypeVar("W_in", contravariant=True)
O = TypeVar("O")  # noqa: E741


class Batch(Protocol[W_in, O]):
    """A batch that is computed step by step; windows may join before any step and leave after any.

    Used by one thread at a time.
    """

    def join(self, windows: Sequence[W_in]) -> list[int]:
        """Adds windows; gives a handle for each."""

    def leave(self, handles: Collection[int]) -> None:
        """Removes windows."""

    def step(self) -> list[tuple[int, O]]:
        """One step for all windows. Those that are finished leave: their handles and outputs."""


class SingleStepBatch(Generic[W, O]):
    """A batch that is finished after its first step."""

    def __init__(self, compute: Callable[[Sequence[W]], list[O]]) -> None:
        self._compute = compute
        self._windows: Sequence[W] = ()

    def join(self, windows: Sequence[W]) -> list[int]:
        self._windows = windows
        return list(range(len(windows)))

    def leave(self, handles: Collection[int]) -> None:
        """Nothing to do: there is no moment between joining and the only step."""

    def step(self) -> list[tuple[int, O]]:
        """Raises ValueError if there are more or fewer outputs than windows."""
        return list(zip(range(len(self._windows)), self._compute(self._windows), strict=True))
