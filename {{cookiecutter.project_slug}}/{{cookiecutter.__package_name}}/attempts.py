"""Attempts: how often the same may be tried, or told, before it counts."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .serving.application import Observer

#: Keys that are remembered; the one that came first is forgotten first.
REMEMBERED: Final = 10_000
#: Times that the same is told in a window of so many seconds.
TOLD: Final = 10
WINDOW: Final = 60.0


class Attempts:
    """Counts failures per key in windows of fixed length (CWE-307).

    Args:
        limit: Failures that a key has in one window.
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

    def wait(self, key: str) -> int:
        """Return the whole seconds until the next attempt; 0 for now."""
        since, count = self._failed.get(key, (0.0, 0))
        if count < self._limit:
            return 0
        left = since + self._window - self._clock()
        if left <= 0:
            del self._failed[key]
            return 0
        return math.ceil(left)

    def fail(self, key: str) -> bool:
        """Count a failure; tell whether it was the last that is allowed."""
        now = self._clock()
        since, count = self._failed.get(key, (now, 0))
        if now - since >= self._window:
            since, count = now, 0
        self._failed[key] = (since, count + 1)
        if len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)
        return count + 1 == self._limit


class Throttled:
    """Tells of the same thing from the same caller so often a minute at most.

    Anybody can be refused as often as they like; that must not push what
    matters out of the log (OWASP MCP08, CWE-779). It stands in front of the
    log alone: what is counted is counted each time.
    """

    def __init__(self, observer: "Observer", limit: int = TOLD) -> None:
        self._observer = observer
        self._told = Attempts(limit=limit, window=WINDOW)

    def __call__(self, event: str, fields: Mapping[str, object]) -> None:
        """Pass an event on, or keep it."""
        who = fields.get("client_id"), fields.get("peer")
        key = f"{event} {fields.get('reason')} {who}"
        if not self._told.wait(key):
            self._told.fail(key)
            self._observer(event, fields)
