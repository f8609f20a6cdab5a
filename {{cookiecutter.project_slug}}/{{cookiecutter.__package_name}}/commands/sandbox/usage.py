"""How much a command uses, seen from outside."""

import os
import time
from typing import Final

from . import tree
from .limits import Limits

#: Seconds between two readings of all processes, and the part of the time
#: that they may take, however many processes the machine has.
_SECONDS: Final = 0.5
_SHARE: Final = 0.01


class Usage:
    """Looks at what the kernel does not limit for a tree of processes.

    The number of tasks is one of these: the kernel counts those of a user,
    root's not at all. A look costs one short read unless tasks were started
    since the last one.
    """

    def __init__(self, workspace: int, limits: Limits) -> None:
        self._workspace = workspace
        self._limits = limits
        self._free = self._free_space()
        self._tasks: dict[int, int] = {}
        self._total, self._newest = tree.pulse()
        self._next = 0.0

    def excess(self) -> str:
        """Return the name of what is used too much, or nothing."""
        if self._free - self._free_space() > self._limits.disk:
            return "disk"
        self._look()
        if sum(self._tasks.values()) > self._limits.tasks:
            return "processes"
        if tree.memory(self._tasks) > self._limits.memory:
            return "memory"
        return ""

    def _look(self) -> None:
        """Read who is there, at once where many have come."""
        total, newest = tree.pulse()
        now = time.monotonic()
        many = total - self._total > self._limits.tasks // 2
        if many or (newest != self._newest and now >= self._next):
            self._tasks = tree.below(os.getpid())
            self._total, self._newest = total, newest
            taken = time.monotonic() - now
            self._next = now + max(_SECONDS, taken / _SHARE)

    def _free_space(self) -> int:
        status = os.fstatvfs(self._workspace)
        return status.f_bavail * status.f_frsize
