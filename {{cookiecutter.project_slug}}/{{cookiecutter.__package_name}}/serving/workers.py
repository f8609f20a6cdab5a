"""Workers: several processes that accept from one socket."""

import os
import signal
import threading
import time
from types import FrameType
from typing import Final

from ..errors import SettingsError
from ..settings import Settings
from .stopping import CLEAN_UP, SIGNALS

#: Seconds: a worker that fails sooner could not start; between two looks at
#: the workers; between a worker's death and its replacement.
STARTING: Final = 10.0
TICK: Final = 0.1
PAUSE: Final = 0.5


def fork_workers(settings: Settings) -> int | None:
    """Become ``MCP_WORKERS`` processes; return the number of this one.

    In the parent, which serves nobody, this returns ``None`` when all have
    ended. A worker that dies is replaced, one that cannot start ends them
    all, and none outlives the parent. Nothing of the server exists yet: each
    worker builds its own.

    Raises:
        SettingsError: The platform cannot fork.
        SystemExit: In the parent, with the exit code of one that failed.
    """
    if not hasattr(os, "fork"):
        raise SettingsError("MCP_WORKERS: this platform has no fork; set 1")
    return _Parent(settings).run()


class _Parent:
    def __init__(self, settings: Settings) -> None:
        self._count = settings.workers
        self._patience = settings.shutdown_grace + CLEAN_UP + 1
        self._running: dict[int, tuple[int, float]] = {}
        self._stopping = False
        self._code = 0
        self._handlers = {
            number: signal.signal(number, self._stop) for number in SIGNALS
        }
        # When the parent is gone, however it went, its end of this closes.
        self._lifeline, self._life = os.pipe()

    def run(self) -> int | None:
        missing = list(range(self._count))
        while missing and not self._stopping:
            for worker in missing:
                if self._fork(worker):
                    return worker
            missing = self._wait_for_deaths()
        self._end()
        if self._code:
            raise SystemExit(self._code)
        return None

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _fork(self, worker: int) -> bool:
        """Start a worker; tell whether this is it.

        A signal that comes meanwhile waits until it finds the handlers of the
        process that it was sent to.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            pid = os.fork()
            if not pid:
                for number, handler in self._handlers.items():
                    signal.signal(number, handler)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if pid:
            self._running[pid] = worker, time.monotonic()
            return False
        os.close(self._life)
        threading.Thread(
            target=_end_with, args=(self._lifeline,), daemon=True
        ).start()
        return True

    def _wait_for_deaths(self) -> list[int]:
        """Return the workers to be replaced, as soon as there are any."""
        dead: list[int] = []
        while not dead and not self._stopping:
            time.sleep(TICK)
            dead = self._reap()
        if dead and not self._stopping:
            time.sleep(PAUSE)
        return dead

    def _reap(self) -> list[int]:
        dead = []
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            worker, since = self._running.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            if code > 0 and time.monotonic() - since < STARTING:
                self._code, self._stopping = code, True
            dead.append(worker)
        return dead

    def _end(self) -> None:
        for pid in self._running:
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + self._patience
        while self._running and time.monotonic() < deadline:
            self._reap()
            time.sleep(TICK)
        for pid in self._running:
            os.kill(pid, signal.SIGKILL)


def _end_with(lifeline: int) -> None:
    """Wait for the parent to be gone, and stop as if told to."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)
