"""Workers: several processes that accept from one socket."""

import os
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Final

from ..errors import SettingsError
from ..settings import Settings
from .stopping import CLEAN_UP, SIGNALS

#: Seconds in which a worker that ends has failed to start: then all stop.
STARTING: Final = 5.0
#: Seconds between looks at the workers.
TICK: Final = 0.1


def run_workers(work: Callable[[int], None], settings: Settings) -> None:
    """Run ``work`` in each of ``MCP_WORKERS`` processes until a signal comes.

    Each is forked before anything of the server exists, and builds its own.
    One that dies is replaced; one that cannot start stops them all.

    Args:
        work: Serves, as the worker of this number, until SIGTERM.
        settings: The settings.

    Raises:
        SettingsError: The platform cannot fork.
        SystemExit: A worker failed; with its exit code.
    """
    if not hasattr(os, "fork"):
        raise SettingsError("MCP_WORKERS: this platform has no fork; set 1")
    code = _Workers(work, settings).run()
    if code:
        raise SystemExit(code)


class _Workers:
    """The parent of the workers; it serves nobody itself."""

    def __init__(
        self, work: Callable[[int], None], settings: Settings
    ) -> None:
        self._work = work
        self._count = settings.workers
        self._patience = settings.shutdown_grace + CLEAN_UP + 1
        self._running: dict[int, tuple[int, float]] = {}
        self._stopping = False
        self._code = 0
        # When the parent is gone, however it went, its end of this closes.
        self._lifeline, self._life = os.pipe()

    def run(self) -> int:
        """Keep the workers running; return the exit code."""
        for number in SIGNALS:
            signal.signal(number, self._stop)
        for worker in range(self._count):
            self._start(worker)
        while self._running and not self._stopping:
            self._reap()
            time.sleep(TICK)
        self._end()
        return self._code

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _start(self, worker: int) -> None:
        pid = os.fork()
        if pid:
            self._running[pid] = (worker, time.monotonic())
            return
        os.close(self._life)
        code = 1
        try:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            self._work(worker)
            code = 0
        finally:
            os._exit(code)

    def _reap(self) -> None:
        """Take note of workers that have ended, and replace them."""
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            worker, since = self._running.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            if self._stopping or time.monotonic() - since < STARTING:
                self._code = self._code or abs(code)
                self._stopping = True
            else:
                self._start(worker)

    def _end(self) -> None:
        deadline = time.monotonic() + self._patience
        for pid in self._running:
            os.kill(pid, signal.SIGTERM)
        while self._running and time.monotonic() < deadline:
            self._reap()
            time.sleep(TICK)
        for pid in self._running:
            os.kill(pid, signal.SIGKILL)
