"""What Linux tells of a server's processes; elsewhere it tells nothing."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..processes import WORKSPACE
from .lab import Lab

MOST: Final = 64 * 2**20  # bytes that a call may need for itself
#: The same where the caller can ask for any number of times as much.
MOST_OF_ANY: Final = 8 * 2**20
#: Seconds in which what a call has started may still end by itself.
SETTLE: Final = 0.5
_PROCESSES: Final = Path("/proc")
_KIB: Final = 1024


class Memory:
    """The most that a process has needed at once.

    It is asked anew for each call: what a library takes that is imported
    late, it takes once, and a call that needs as much again does so each
    time.
    """

    def __init__(self, pid: int) -> None:
        self._process = _PROCESSES / str(pid)
        self._before = 0

    def begin(self) -> None:
        """Forget what was needed before (proc_pid_clear_refs(5))."""
        with contextlib.suppress(OSError):
            (self._process / "clear_refs").write_text("5")
        self._before = self._most()

    def is_much(self, most: int = MOST) -> bool:
        """Tell whether more bytes than these have been needed since."""
        return self._most() - self._before > most

    def _most(self) -> int:
        return _status(self._process, "VmHWM") * _KIB


def worked(pid: int) -> float:
    """Return the seconds of processor time that a process has taken."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        told = (_PROCESSES / f"{pid}" / "stat").read_text()
        ours = told.rpartition(")")[2].split()[11:13]  # proc_pid_stat(5)
        return sum(map(int, ours)) / os.sysconf("SC_CLK_TCK")
    return 0


def threads(pid: int) -> int:
    """Return how many threads a process has."""
    return _status(_PROCESSES / str(pid), "Threads")


class Strays:
    """What runs in a lab besides what ran there at first, where Linux tells.

    A process is known by the workspace that it was told of when it started,
    or by where it is, whatever session it has made its own. The server is
    none, wherever it goes.
    """

    def __init__(self, lab: Lab, server: int) -> None:
        self._told = f"{WORKSPACE}={lab.workspace}".encode()
        self._places = {str(lab.workspace), str(lab.root / "here")}
        self._known = {server, *self._found()}

    def end(self) -> list[str]:
        """End those that stay, and return their names."""
        until = time.monotonic() + SETTLE
        while left := set(self._found()) - self._known:
            if time.monotonic() > until:
                break
            time.sleep(0.05)
        names = [name for each in sorted(left) if (name := _name(each))]
        for number in left:
            with contextlib.suppress(OSError):
                os.kill(number, signal.SIGKILL)
        return names

    def _found(self) -> Iterator[int]:
        for process in _PROCESSES.glob("[0-9]*"):
            with contextlib.suppress(OSError):
                told = (process / "environ").read_bytes().split(b"\0")
                place = str((process / "cwd").readlink())
                if self._told in told or place in self._places:
                    yield int(process.name)


def _status(process: Path, name: str) -> int:
    """Return a number that Linux tells of a process; 0 if it does not."""
    with contextlib.suppress(OSError):
        for line in (process / "status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
    return 0


def _name(number: int) -> str:
    with contextlib.suppress(OSError):
        return (_PROCESSES / f"{number}" / "comm").read_text().strip()
    return ""
