"""What a process holds for its callers is bounded, and what has been on its way for longest gives way."""

from functools import partial

import pytest

from service.errors import Overloaded
from service.http.in_flight import SMALL_BYTES, InFlight


def nothing() -> None:
    """Gives way without more."""


def test_small_things_are_not_counted() -> None:
    held = InFlight(100)
    held.hold("a", SMALL_BYTES, nothing)
    assert held.total == 0


def test_what_grows_is_counted_once_and_released() -> None:
    held = InFlight(100_000)
    held.hold("a", 20_000, nothing)
    held.hold("a", 50_000, nothing)
    held.hold("b", 30_000, nothing)
    assert held.total == 80_000
    held.release("a")
    held.release("a")
    assert held.total == 30_000


def test_the_oldest_gives_way_until_there_is_room() -> None:
    gone: list[str] = []
    held = InFlight(100_000)
    for name in "abc":
        held.hold(name, 30_000, partial(gone.append, name))
    held.hold("a", 35_000, nothing)
    assert gone == []
    held.hold("d", 60_000, nothing)
    assert gone == ["a", "b"]
    assert held.total == 90_000


def test_what_is_kept_does_not_give_way() -> None:
    gone: list[str] = []
    held = InFlight(100_000)
    held.hold("a", 60_000, lambda: gone.append("a"))
    held.keep("a")
    with pytest.raises(Overloaded):
        held.hold("b", 60_000, nothing)
    assert gone == []
    assert held.total == 60_000
    held.release("a")
    held.hold("b", 60_000, nothing)
