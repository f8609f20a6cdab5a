"""Reads lines from a descriptor that may block for ever."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from typing import Final

PIECE: Final = 65_536
AHEAD: Final = 4


class LineReader:
    """Lines of bounded length, until the end of the file or until told.

    A daemon thread reads: a pipe, a terminal and a file alike block it, and
    it neither delays the stop nor makes the descriptor non-blocking for
    whoever else holds it.
    """

    def __init__(self, descriptor: int, *, limit: int) -> None:
        self._descriptor = descriptor
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self._ahead = threading.Semaphore(AHEAD)
        self._ended = False
        threading.Thread(target=self._read, daemon=True).start()

    def end(self) -> None:
        """Read no further; lines that were not taken yet are dropped."""
        self._ended = True
        self._pieces.put_nowait(b"")

    async def __aiter__(self) -> AsyncIterator[bytes | None]:
        """Give each line without its end, ``None`` for one that is too long.

        No more of a line is kept than may be in it (CWE-770).
        """
        line, too_long = bytearray(), False
        while piece := await self._pieces.get():
            *ends, rest = piece.split(b"\n")
            for end in ends:
                line += end
                too_long = too_long or len(line) > self._limit
                if self._ended:
                    return
                yield None if too_long else bytes(line)
                line, too_long = bytearray(), False
            line += rest
            if len(line) > self._limit:
                line, too_long = bytearray(), True
            self._ahead.release()

    def _read(self) -> None:
        piece = b"-"
        while piece:
            self._ahead.acquire()
            try:
                piece = os.read(self._descriptor, PIECE)
                self._loop.call_soon_threadsafe(self._pieces.put_nowait, piece)
            except (OSError, RuntimeError):
                # The descriptor or the loop is gone, and so is the reader.
                piece = b""
