"""How much a command uses, seen from outside."""

import os
import signal
import time
from collections.abc import Callable
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

    Args:
        workspace: The descriptor of a directory on the disk to watch.
        limits: What may be used.
        signal_all: Signals the whole tree of processes at once.
    """

    def __init__(
        self,
        workspace: int,
        limits: Limits,
        signal_all: Callable[[int], None],
    ) -> None:
        self._workspace = workspace
        self._limits = limits
        self._signal_all = signal_all
        self._free = self._free_space()
        self._tasks: dict[int, int] = {}
        self._least, _ = tree.pulse()
        self._newest = 0
        self._next = 0.0

    def excess(self) -> str:
        """Return the name of what is used too much, or nothing."""
        if self._free - self._free_space() > self._limits.disk:
            return "disk"
        self._look()
        if self._too_many():
            return "processes"
        most = self._limits.memory
        if tree.memory(self._tasks, most) > most:
            return "memory"
        return ""

    def _look(self) -> None:
        """Read who is there, at once where many have come.

        They are stopped meanwhile: ``/proc`` is read more slowly than a fork
        bomb grows. One that is too large stays stopped until it is ended.
        """
        total, newest = tree.pulse()
        self._least = min(self._least, total)
        if total - self._least > self._limits.tasks // 2:
            self._signal_all(signal.SIGSTOP)
            self._count(total, newest)
            if not self._too_many():
                self._signal_all(signal.SIGCONT)
        elif newest != self._newest and time.monotonic() >= self._next:
            self._count(total, newest)

    def _count(self, total: int, newest: int) -> None:
        begun = time.monotonic()
        self._tasks = tree.below(os.getpid())
        self._least, self._newest = total, newest
        now = time.monotonic()
        self._next = now + max(_SECONDS, (now - begun) / _SHARE)

    def _too_many(self) -> bool:
        return sum(self._tasks.values()) > self._limits.tasks

    def _free_space(self) -> int:
        status = os.fstatvfs(self._workspace)
        return status.f_bavail * status.f_frsize
