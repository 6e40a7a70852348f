"""How many bytes a process holds for its callers: bodies that come in, and answers that are not taken yet.

Small ones are not counted: how many of them there are, the number of connections bounds. When there is no room for
more, what has been on its way for longest gives way, so that nobody can take all of it by being slow. Leaves out
for how long a body or an answer may be on its way (limits.py, protocol.py).
"""

from collections.abc import Callable, Hashable

from service.errors import Overloaded

SMALL_BYTES = 16 * 1024
"""Up to so many bytes are not counted."""


class InFlight:
    def __init__(self, most: int) -> None:
        """most: bytes."""
        self._most = most
        self._sizes: dict[Hashable, int] = {}
        self._yielding: dict[Hashable, Callable[[], None]] = {}
        """In the order in which they came."""
        self.total = 0
        """Bytes that are held now."""

    def hold(self, holder: Hashable, size: int, give_way: Callable[[], None]) -> None:
        """`holder` now has so many bytes; it loses them if `give_way` is called. Raises Overloaded."""
        known = self._sizes.get(holder, 0)
        if size <= max(SMALL_BYTES, known):
            return
        self._yielding.setdefault(holder, give_way)
        while self.total - known + size > self._most:
            oldest = next((each for each in self._yielding if each is not holder), None)
            if oldest is None:
                self.release(holder)
                raise Overloaded("too much is under way already; try again later", retry_after=1)
            give_up = self._yielding[oldest]
            self.release(oldest)
            give_up()
        self._sizes[holder] = size
        self.total += size - known

    def keep(self, holder: Hashable) -> None:
        """What it holds no longer gives way."""
        self._yielding.pop(holder, None)

    def release(self, holder: Hashable) -> None:
        """It holds nothing any more."""
        self._yielding.pop(holder, None)
        self.total -= self._sizes.pop(holder, 0)
