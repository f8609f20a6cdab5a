"""Opening a file that is regular and has no name outside the workspace."""

import errno
import os
import stat
import time
from pathlib import Path

from .directories import DIRECTORY

# O_NONBLOCK: a FIFO cannot hang the open; O_NOCTTY: a terminal stays
# nobody's. Windows lacks them; Workspace.open refuses to start there.
SAFELY = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
_TRIES = 16
_SECOND = 1_000_000_000
_DELETED = " (deleted)"


def open_file(parent: int, name: str, flags: int = os.O_RDONLY) -> int:
    """Open a regular file whose only name is the one that was asked for.

    A hard link could be the second name of a file outside (CWE-62). Its
    count alone proves nothing: whoever removes the name between the open and
    the count leaves a file that is outside and has one name. So the count
    holds only if the name was still there when it was taken.

    Args:
        parent: A confined descriptor of the directory.
        name: One name in it.
        flags: How to open; never O_TRUNC, which would empty the file before
            it can be refused.

    Raises:
        OSError: ELOOP for a link, ENXIO for a special file, EISDIR for a
            directory, EMLINK for a second name, EAGAIN when others keep
            replacing the file.
    """
    for _ in range(_TRIES):
        before = time.time_ns()
        descriptor = os.open(name, flags | SAFELY, dir_fd=parent)
        try:
            found = check_kind(os.fstat(descriptor))
            if found.st_nlink and (
                _settled(found, before)
                or _still_named(parent, name, descriptor, found)
            ):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    raise _error(errno.EAGAIN)


def check_kind(found: os.stat_result) -> os.stat_result:
    """Raise OSError unless this is a regular file with at most one name."""
    if stat.S_ISLNK(found.st_mode):
        raise _error(errno.ELOOP)
    if stat.S_ISDIR(found.st_mode):
        raise _error(errno.EISDIR)
    if not stat.S_ISREG(found.st_mode):
        raise _error(errno.ENXIO)
    if found.st_nlink > 1:
        raise _error(errno.EMLINK)
    return found


def _settled(found: os.stat_result, before: int) -> bool:
    """Tell whether the names were left alone since before the open.

    Adding and removing a name sets the change time. The file clock may lag
    behind by a tick, and by two seconds where it counts in whole ones.
    """
    lag = _SECOND // 20 if found.st_ctime_ns % _SECOND else 3 * _SECOND
    return found.st_ctime_ns < before - lag


def _still_named(
    parent: int, name: str, descriptor: int, counted: os.stat_result
) -> bool:
    """Tell whether the name that was opened outlived the count.

    The kernel marks the opened name, not the file, as deleted, and never
    takes that back. A removal that was under way during the count holds the
    directory's lock: reading the directory waits for it.
    """
    _await_changes(parent)
    try:
        opened = Path(f"/proc/self/fd/{descriptor}").readlink()
    except OSError:  # no /proc, as on macOS: the name still leads to the file
        now = os.stat(name, dir_fd=parent, follow_symlinks=False)
        return os.path.samestat(now, counted) and now.st_nlink == 1
    return not opened.name.endswith(_DELETED)


def _await_changes(parent: int) -> None:
    # A descriptor of its own: the caller may be reading the same directory.
    again = os.open(".", DIRECTORY, dir_fd=parent)
    try:
        with os.scandir(again) as entries:
            next(entries, None)
    finally:
        os.close(again)


def _error(code: int) -> OSError:
    return OSError(code, os.strerror(code))
