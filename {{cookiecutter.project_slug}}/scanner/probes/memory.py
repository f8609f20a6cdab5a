"""How much memory a server needs for one call, where Linux tells."""

import contextlib
from pathlib import Path
from typing import Final

MOST: Final = 64 * 2**20  # bytes that a call may need for itself
_KIB: Final = 1024


class Memory:
    """The most that a process has needed at once.

    It is asked anew for each call: what a library takes that is imported
    late, it takes once, and a call that needs as much again does so each
    time.
    """

    def __init__(self, pid: int) -> None:
        self._process = Path(f"/proc/{pid}")
        self._before = 0

    def begin(self) -> None:
        """Forget what was needed before (proc_pid_clear_refs(5))."""
        with contextlib.suppress(OSError):
            (self._process / "clear_refs").write_text("5")
        self._before = self._most()

    def is_much(self) -> bool:
        """Tell whether too much has been needed since."""
        return self._most() - self._before > MOST

    def _most(self) -> int:
        with contextlib.suppress(OSError):
            for line in (self._process / "status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * _KIB
        return 0
