"""Processes that a tool started and left behind."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .lab import Lab

#: Seconds in which what a call has started may still end by itself.
SETTLE: Final = 0.5
_PROCESSES: Final = Path("/proc")


class Strays:
    """What runs in a lab besides what ran there at first, where Linux tells.

    A process is known by the workspace that it was told of when it started,
    or that it is in, whatever session it has made its own. The server is
    none, wherever it goes.
    """

    def __init__(self, lab: Lab, server: int) -> None:
        self._told = f"WORKSPACE_PATH={lab.workspace}".encode()
        self._place = str(lab.workspace)
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
                if self._told in told or place == self._place:
                    yield int(process.name)


def _name(number: int) -> str:
    with contextlib.suppress(OSError):
        return (_PROCESSES / f"{number}" / "comm").read_text().strip()
    return ""
