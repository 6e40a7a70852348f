"""How many long requests are answered at once."""

from contextlib import ExitStack

import pytest

from service.errors import QueueFull
from service.http.limits import LONG_CHARACTERS, LongRequests


def test_long_requests_are_bounded_together_and_short_ones_are_not() -> None:
    long = LongRequests(100_000)
    with ExitStack() as held:
        held.enter_context(long.hold(60_000))
        with pytest.raises(QueueFull) as refused, long.hold(40_001):
            pass
        assert refused.value.retry_after == 1
        for _ in range(100):
            held.enter_context(long.hold(LONG_CHARACTERS))
        with long.hold(40_000), pytest.raises(QueueFull), long.hold(LONG_CHARACTERS + 1):
            pass
    with long.hold(100_000):
        pass


def test_one_request_is_answered_however_long_it_is_and_an_error_frees_its_place() -> None:
    long = LongRequests(100_000)
    for _ in range(2):
        with pytest.raises(ValueError, match="failed"), long.hold(1_000_000):
            raise ValueError("failed")
