"""What a command writes, read as it comes and kept up to a size."""

import os
from contextlib import suppress
from typing import Final

_CHUNK: Final = 65_536


class Output:
    """One pipe from a command. What does not fit is read and thrown away.

    The command is not stopped by it: it may still finish, within its time.

    Attributes:
        data: What is kept.
        cut: Whether there was more.
        reader: The keeper's end.
        writer: The command's end.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.data = bytearray()
        self.cut = False
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)

    def read(self) -> bool:
        """Take what there is; return whether more may come."""
        try:
            return self._take()
        except BlockingIOError:
            return True

    def drain(self) -> None:
        """Take what is left in the pipe when the command has ended.

        Where orphans are not followed, as on macOS, one may hold the pipe
        still. Nobody waits for it.
        """
        with suppress(BlockingIOError):
            while self._take():
                pass

    def _take(self) -> bool:
        chunk = os.read(self.reader, _CHUNK)
        room = self._limit - len(self.data)
        self.data += chunk[:room]
        self.cut = self.cut or len(chunk) > room
        return bool(chunk)
