"""Stops the process when it is told to, and not before its work is done."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

#: Seconds for the clean-up that follows the grace.
CLEAN_UP: Final = 5.0
#: Seconds until a thread that does not end is left behind.
LEAVE: Final = 1.0


@contextmanager
def on_signal(stop: Callable[[], None], *, grace: float) -> Iterator[None]:
    """Call ``stop`` in the event loop on each SIGTERM and SIGINT.

    Args:
        stop: What begins the stop.
        grace: Seconds for the calls in flight. Clean-up has five more; then
            the process is ended with exit code 1.
    """
    loop = asyncio.get_running_loop()
    limit = _end_in(grace + CLEAN_UP, code=1)

    def begin() -> None:
        if not limit.is_alive():
            limit.start()
        stop()

    # Not loop.add_signal_handler: Windows has none.
    before = {
        number: signal.signal(
            number, lambda *_: loop.call_soon_threadsafe(begin)
        )
        for number in SIGNALS
    }
    try:
        yield
    finally:
        limit.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def leave_soon() -> None:
    """End the process in a second with exit code 0, if it still runs then.

    A synchronous tool's thread cannot be stopped, and would keep the
    interpreter alive for as long as it likes.
    """
    _end_in(LEAVE, code=0).start()


def _end_in(seconds: float, *, code: int) -> threading.Timer:
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    return timer
