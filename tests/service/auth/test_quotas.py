"""Quotas, by a clock that the test moves."""

import pytest

from service.auth import api_keys
from service.auth.api_keys import ApiKey
from service.auth.quotas import Quotas
from service.errors import ConcurrencyExceeded, RateExceeded, TooLarge


class Clock:
    now = 120.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def key(number: int = 1, **quotas: int) -> ApiKey:
    return api_keys.make(number, "shop", **quotas)[0]  # type: ignore[arg-type]


def headers(quotas: Quotas, of: ApiKey) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in quotas.headers(of)}


def test_a_rate_holds_for_a_minute_and_says_when_the_next_begins(clock: Clock) -> None:
    quotas, shop = Quotas(1, clock), key(rate=3)
    for left in (2, 1, 0):
        quotas.acquire(shop)
        quotas.release(shop)
        assert headers(quotas, shop) == {
            "ratelimit-policy": '"rate";q=3;w=60',
            "ratelimit": f'"rate";r={left};t=60',
        }
    clock.now += 17.5
    with pytest.raises(RateExceeded) as refused:
        quotas.acquire(shop)
    assert refused.value.retry_after == 43
    assert headers(quotas, shop)["ratelimit"] == '"rate";r=0;t=43'
    clock.now = 180.0
    quotas.acquire(shop)


def test_a_request_in_flight_counts_until_it_is_over(clock: Clock) -> None:
    quotas, shop = Quotas(1, clock), key(concurrency=2)
    quotas.acquire(shop)
    quotas.acquire(shop)
    assert headers(quotas, shop) == {
        "ratelimit-policy": '"concurrency";q=2;qu="concurrent-requests"',
        "ratelimit": '"concurrency";r=0',
    }
    clock.now += 3600
    with pytest.raises(ConcurrencyExceeded) as refused:
        quotas.acquire(shop)
    assert refused.value.retry_after == 1
    quotas.release(shop)
    quotas.acquire(shop)


def test_characters_are_counted_by_the_minute_whatever_the_number_of_requests(clock: Clock) -> None:
    quotas, shop = Quotas(1, clock), key(characters=100)
    quotas.acquire(shop)
    quotas.charge(shop, 60)
    with pytest.raises(RateExceeded) as refused:
        quotas.charge(shop, 41)
    assert refused.value.retry_after == 60
    assert headers(quotas, shop) == {
        "ratelimit-policy": '"characters";q=100;qu="characters";w=60',
        "ratelimit": '"characters";r=40;t=60',
    }
    quotas.charge(shop, 40)
    with pytest.raises(TooLarge):  # nor would it be in any other minute
        quotas.charge(shop, 101)
    clock.now = 180.0
    quotas.charge(shop, 100)
    quotas.charge(key(2), 1000)


def test_keys_do_not_share_a_quota_and_may_have_none(clock: Clock) -> None:
    quotas = Quotas(1, clock)
    one, other, free = key(1, rate=1), key(10_000, rate=1), key(3)
    for each in (one, other, free, free, free):
        quotas.acquire(each)
    assert headers(quotas, free) == {}
    for each in (one, other):
        with pytest.raises(RateExceeded):
            quotas.acquire(each)


def test_workers_share_the_quotas_and_a_dead_one_has_no_request_in_flight(clock: Clock) -> None:
    quotas, shop = Quotas(2, clock), key(rate=3, concurrency=2)
    quotas.set_worker(1)
    quotas.acquire(shop)
    quotas.set_worker(0)  # as the other worker would do it, on the same memory
    quotas.acquire(shop)
    with pytest.raises(ConcurrencyExceeded):
        quotas.acquire(shop)
    quotas.set_worker(1)  # anew: it had died
    assert headers(quotas, shop)["ratelimit"] == '"rate";r=1;t=60, "concurrency";r=1'
    quotas.acquire(shop)
    with pytest.raises(RateExceeded):
        quotas.acquire(shop)
