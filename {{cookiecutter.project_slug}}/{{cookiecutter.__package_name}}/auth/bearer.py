"""Bearer tokens of our own, known by their hashes in a file."""

import hmac
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from ..errors import SettingsError
from ..private_file import why
from ..serving.application import Observer
from ..tokens import TokenEntry, read_tokens
from .verifier import Holder, InvalidToken

#: Seconds between two looks at the file.
INTERVAL: Final = 1.0


class TokenFile:
    """The tokens in a file, as it is now.

    The file is looked at once a second at most, when a token is checked. One
    that was broken since keeps the tokens that were good before, and is told
    of once.

    Raises:
        SettingsError: At the start, it cannot be read, others can read it, or
            it is no such file.
    """

    def __init__(
        self,
        path: Path,
        *,
        on_event: Observer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._on_event = on_event
        self._clock = clock
        self._looked = clock()
        self.epoch = 0
        try:
            self._stamp = _stamp(path)
            self._entries = read_tokens(path)
        except (OSError, ValueError) as error:
            missing = isinstance(error, FileNotFoundError)
            raise SettingsError(
                f"MCP_AUTH_TOKENS_FILE: {path}: {why(error)}"
                + "; make it with the command: token create" * missing
            ) from error

    def entries(self) -> tuple[TokenEntry, ...]:
        """Return the tokens' lines."""
        if self._clock() - self._looked >= INTERVAL:
            self._looked = self._clock()
            self._refresh()
        return self._entries

    def _refresh(self) -> None:
        stamp: Any = None
        try:
            stamp = _stamp(self._path)
            if stamp == self._stamp:
                return
            self._entries = read_tokens(self._path)
        except (OSError, ValueError) as error:
            if stamp != self._stamp:
                reason = {"reason": why(error)}
                self._on_event("tokens_reload_failed", reason)
        else:
            self.epoch += 1
            self._on_event("tokens_reloaded", {"tokens": len(self._entries)})
        self._stamp = stamp


class TokenFileVerifier:
    """Checks tokens against a file of hashes, in constant time (CWE-208)."""

    def __init__(self, file: TokenFile) -> None:
        self._file = file

    @property
    def epoch(self) -> int:
        """Changes with the file."""
        self._file.entries()
        return self._file.epoch

    async def verify(self, token: str) -> Holder:
        """Return whose the token is; every line is compared, whatever fits."""
        digest = sha256(token.encode()).digest()
        found: TokenEntry | None = None
        for entry in self._file.entries():
            if hmac.compare_digest(entry.digest, digest):
                found = entry
        if found is None:
            raise InvalidToken("unknown")
        return Holder(found.client, found.scopes)


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what changes whenever the file is written or replaced."""
    status = path.stat()
    return (
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
