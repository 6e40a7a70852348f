"""How much of its quotas each key has used, counted over all worker processes.

The counts lie in memory that the workers share. Each worker writes places of its own and reads those of all, so
there is no lock that a dying worker could keep; the price is that workers which decide in the same microseconds do
not see each other: a quota may be passed by one request for each further worker. A rate, of requests or of
characters, is counted in whole minutes: all of it may come in the first second of one, which is what the quota of
concurrency is for.
"""

import math
import mmap
import time
from collections.abc import Callable
from typing import NamedTuple

from service.auth.api_keys import MAX_KEYS, ApiKey
from service.errors import ConcurrencyExceeded, RateExceeded, TooLarge

MINUTE = 60
# of a worker's places, which begin with number 0, that no key has
_MINUTES, _COUNTS, _CHARACTERS, _RUNNING, _END = (place * (MAX_KEYS + 1) for place in range(5))


class Used(NamedTuple):
    """What all workers together have counted for a key."""

    this_minute: int
    characters: int
    """In this minute."""
    running: int
    reset_seconds: int
    """Until the next minute begins."""


class Quotas:
    def __init__(self, workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: must be the same for all processes."""
        # untouched pages of it cost nothing
        self._cells = memoryview(mmap.mmap(-1, 8 * _END * workers)).cast("q")
        self._starts = range(0, _END * workers, _END)
        self._mine = 0
        self._clock = clock

    def set_worker(self, worker: int) -> None:
        """This process is now worker number `worker`: requests that a former one had running no longer count."""
        self._mine = self._starts[worker]
        for place in range(self._mine + _RUNNING, self._mine + _END):
            if self._cells[place]:
                self._cells[place] = 0

    def acquire(self, key: ApiKey) -> None:
        """Counts a request that begins. Raises TooManyRequests if it may not."""
        used = self._used(key)
        if key.rate and used.this_minute >= key.rate:
            raise RateExceeded(
                f"this key may send {key.rate} requests in a minute", retry_after=used.reset_seconds
            )
        if key.concurrency and used.running >= key.concurrency:
            raise ConcurrencyExceeded(
                f"this key may have {key.concurrency} requests under way at once", retry_after=1
            )
        place = self._place_this_minute(key)
        self._cells[place + _COUNTS] += 1
        self._cells[place + _RUNNING] += 1

    def charge(self, key: ApiKey, characters: int) -> None:
        """Counts the characters of a request that is under way. Raises RateExceeded, or TooLarge if it has more
        than the key may ever send in a minute."""
        if key.characters is None:
            return
        if characters > key.characters:
            raise TooLarge(
                f"{characters} characters; this key may send {key.characters} in a minute"
            )
        used = self._used(key)
        if used.characters + characters > key.characters:
            raise RateExceeded(
                f"this key may send {key.characters} characters in a minute",
                retry_after=used.reset_seconds,
            )
        self._cells[self._place_this_minute(key) + _CHARACTERS] += characters

    def release(self, key: ApiKey) -> None:
        """A request is over."""
        self._cells[self._mine + key.number + _RUNNING] -= 1

    def remaining(self, key: ApiKey) -> dict[str, tuple[int, int]]:
        """Of each quota that a key has, its limit and how many requests are left of it.

        `rate` is of this minute, `concurrency` of those at once.
        """
        used = self._used(key)
        left = {}
        if key.rate:
            left["rate"] = key.rate, max(0, key.rate - used.this_minute)
        if key.concurrency:
            left["concurrency"] = key.concurrency, max(0, key.concurrency - used.running)
        return left

    def headers(self, key: ApiKey) -> list[tuple[bytes, bytes]]:
        """What is left, as draft-ietf-httpapi-ratelimit-headers-10 has it; none for a key without quotas."""
        used = self._used(key)
        policies, left = [], []
        if key.rate:
            policies.append(f'"rate";q={key.rate};w={MINUTE}')
            remaining = max(0, key.rate - used.this_minute)
            left.append(f'"rate";r={remaining};t={used.reset_seconds}')
        if key.characters:
            policies.append(f'"characters";q={key.characters};qu="characters";w={MINUTE}')
            remaining = max(0, key.characters - used.characters)
            left.append(f'"characters";r={remaining};t={used.reset_seconds}')
        if key.concurrency:
            policies.append(f'"concurrency";q={key.concurrency};qu="concurrent-requests"')
            left.append(f'"concurrency";r={max(0, key.concurrency - used.running)}')
        if not policies:
            return []
        return [
            (b"ratelimit-policy", ", ".join(policies).encode()),
            (b"ratelimit", ", ".join(left).encode()),
        ]

    def _place_this_minute(self, key: ApiKey) -> int:
        """Where this worker counts for a key; what it counted in another minute is gone."""
        place, minute = self._mine + key.number, int(self._clock() // MINUTE)
        if self._cells[place + _MINUTES] != minute:
            self._cells[place + _COUNTS] = self._cells[place + _CHARACTERS] = 0
            self._cells[place + _MINUTES] = minute
        return place

    def _used(self, key: ApiKey) -> Used:
        minute, second = divmod(self._clock(), MINUTE)
        count = characters = running = 0
        for start in self._starts:
            place = start + key.number
            if self._cells[place + _MINUTES] == int(minute):
                count += self._cells[place + _COUNTS]
                characters += self._cells[place + _CHARACTERS]
            running += self._cells[place + _RUNNING]
        return Used(count, characters, running, math.ceil(MINUTE - second))
