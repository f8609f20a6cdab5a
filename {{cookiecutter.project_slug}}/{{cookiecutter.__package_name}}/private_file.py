"""Reads a file that nobody but its owner can read."""

import os
import stat
from pathlib import Path
from typing import Final

#: Bytes in such a file.
LARGEST: Final = 2**20


def read_private(path: Path) -> str:
    """Return a file's text, unless others can read or replace it (CWE-732).

    Raises:
        OSError: It cannot be read.
        ValueError: Others can read it, or it is no file of text.
    """
    # A FIFO must not keep us waiting for somebody to write into it.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        _check(os.fstat(file.fileno()))
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it is longer than {LARGEST} bytes; shorten it")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None


def why(error: OSError | ValueError) -> str:
    """Return the reason why a file could not be read, without its name."""
    return getattr(error, "strerror", None) or str(error)


def _check(status: os.stat_result) -> None:
    """Refuse what others can read or replace.

    Kubernetes mounts a secret as root's, readable by a group of the pod's
    own; that much is let through, and no more.
    """
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a regular file; name one")
    if os.name != "posix":
        return
    mounted = status.st_uid == 0 and os.geteuid() != 0
    if stat.S_IMODE(status.st_mode) & (0o037 if mounted else 0o077):
        raise ValueError("others can read it; run: chmod 600 on it")
