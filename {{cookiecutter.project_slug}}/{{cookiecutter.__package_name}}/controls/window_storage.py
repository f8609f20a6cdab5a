"""Counts in memory for the rate limiter, bounded and of constant cost."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

KEYS: Final = 100_000

#: When a window began, the count before it, and the count within it.
Window = tuple[float, int, int]


class WindowStorage:
    """The sliding windows of at most ``keys`` clients and tools.

    ``limits`` has a storage in memory, whose cost grows with the number of
    clients and which forgets nothing early. This one forgets who was quiet
    for longest (CWE-770), measures time with a clock that nobody can set
    back, and starts no thread. Its methods are those of ``limits``' storages
    that the rate limiter calls.
    """

    def __init__(
        self,
        *,
        keys: int = KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._windows: OrderedDict[str, Window] = OrderedDict()

    async def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        """Count a hit and return whether the limit allows it.

        The count before the window weighs as much as the part of it that is
        not yet ``expiry`` seconds ago, as in ``limits``' Redis script.
        """
        now = self._clock()
        start, before, within = self._window(key, expiry, now)
        weight = max(0.0, 1 - (now - start) / expiry)
        allowed = math.floor(before * weight) + within + amount <= limit
        self._windows[key] = start, before, within + amount * allowed
        # A refused client stays known: many others must not wash it out.
        self._windows.move_to_end(key)
        if len(self._windows) > self._keys:
            self._windows.popitem(last=False)
        return allowed

    async def get_sliding_window(
        self, key: str, expiry: int
    ) -> tuple[int, float, int, float]:
        """Return both counts, each with the seconds until it is gone."""
        now = self._clock()
        start, before, within = self._window(key, expiry, now)
        left = expiry - (now - start)
        return before, left, within, left + expiry if within else 0

    async def check(self) -> bool:
        """Tell that memory is always there."""
        return True

    def _window(self, key: str, expiry: int, now: float) -> Window:
        """Return the key's window, moved on to the present."""
        start, before, within = self._windows.get(key, (now, 0, 0))
        passed = int((now - start) / expiry)
        if passed == 0:
            return start, before, within
        if passed == 1:
            return start + expiry, within, 0
        return now, 0, 0
