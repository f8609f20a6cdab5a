"""Attempts: how often one address may fail to prove who it is."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

#: Addresses that are remembered; the one that failed first is forgotten.
REMEMBERED: Final = 10_000


class Attempts:
    """Counts failures per address in windows of fixed length (CWE-307).

    Args:
        limit: Failures that an address has in one window.
        window: The window's length in seconds.
        clock: A monotonic clock, in seconds.
    """

    def __init__(
        self,
        *,
        limit: int,
        window: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._window = window
        self._clock = clock
        self._failed: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait(self, address: str) -> int:
        """Return the whole seconds until the next attempt; 0 for now."""
        since, count = self._failed.get(address, (0.0, 0))
        if count < self._limit:
            return 0
        left = since + self._window - self._clock()
        if left <= 0:
            del self._failed[address]
            return 0
        return math.ceil(left)

    def fail(self, address: str) -> bool:
        """Count a failure; tell whether it was the last that is allowed."""
        now = self._clock()
        since, count = self._failed.get(address, (now, 0))
        if now - since >= self._window:
            since, count = now, 0
        self._failed[address] = (since, count + 1)
        if len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)
        return count + 1 == self._limit
