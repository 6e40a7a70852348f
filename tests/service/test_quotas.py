"""Quotas, by a clock that the test moves."""

import pytest

from service import keys
from service.errors import ConcurrencyExceeded, RateExceeded
from service.keys import Key
from service.quotas import Quotas


class Clock:
    now = 120.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def key(number: int = 1, *, rate: int | None = None, concurrency: int | None = None) -> Key:
    return keys.make(number, "shop", rate=rate, concurrency=concurrency)[0]


def headers(quotas: Quotas, of: Key) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in quotas.headers(of)}


def test_a_rate_holds_for_a_minute_and_says_when_the_next_begins(clock: Clock) -> None:
    quotas, shop = Quotas(1, clock), key(rate=3)
    for left in (2, 1, 0):
        quotas.enter(shop)
        quotas.leave(shop)
        assert headers(quotas, shop) == {
            "ratelimit-policy": '"rate";q=3;w=60',
            "ratelimit": f'"rate";r={left};t=60',
        }
    clock.now += 17.5
    with pytest.raises(RateExceeded) as refused:
        quotas.enter(shop)
    assert refused.value.retry_after == 43
    assert headers(quotas, shop)["ratelimit"] == '"rate";r=0;t=43'
    clock.now = 180.0
    quotas.enter(shop)


def test_what_is_under_way_counts_until_it_is_over(clock: Clock) -> None:
    quotas, shop = Quotas(1, clock), key(concurrency=2)
    quotas.enter(shop)
    quotas.enter(shop)
    assert headers(quotas, shop) == {
        "ratelimit-policy": '"concurrency";q=2;qu="concurrent-requests"',
        "ratelimit": '"concurrency";r=0',
    }
    clock.now += 3600
    with pytest.raises(ConcurrencyExceeded) as refused:
        quotas.enter(shop)
    assert refused.value.retry_after == 1
    quotas.leave(shop)
    quotas.enter(shop)


def test_keys_do_not_share_a_quota_and_may_have_none(clock: Clock) -> None:
    quotas = Quotas(1, clock)
    one, other, free = key(1, rate=1), key(10_000, rate=1), key(3)
    for each in (one, other, free, free, free):
        quotas.enter(each)
    assert headers(quotas, free) == {}
    for each in (one, other):
        with pytest.raises(RateExceeded):
            quotas.enter(each)


def test_workers_share_the_quotas_and_a_dead_one_has_nothing_under_way(clock: Clock) -> None:
    quotas, shop = Quotas(2, clock), key(rate=3, concurrency=2)
    quotas.settle(1)
    quotas.enter(shop)
    quotas.settle(0)  # as the other worker would do it, on the same memory
    quotas.enter(shop)
    with pytest.raises(ConcurrencyExceeded):
        quotas.enter(shop)
    quotas.settle(1)  # anew: it had died
    assert headers(quotas, shop)["ratelimit"] == '"rate";r=1;t=60, "concurrency";r=1'
    quotas.enter(shop)
    with pytest.raises(RateExceeded):
        quotas.enter(shop)
