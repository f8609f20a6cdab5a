"""Putting a file in place whole and durably, or leaving all as it was."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice

from .directories import Below, sync
from .files import SAFELY, check_kind, open_file
from .paths import is_temporary, temporary

if sys.platform != "win32":
    import fcntl

_ACL = "system.posix_acl_access"
_NEW_MODE = 0o666  # less the umask, as any program's
_PERMISSIONS = 0o777  # never set-uid: the content is the caller's
_PRIVATE = 0o600
_MAX_CLEANED = 200_000  # entries looked at


def put(
    parent: int, name: str, content: bytes, *, overwrite: bool, unnamed: bool
) -> None:
    """Give ``name`` the content, so that nobody ever sees a part of it.

    The content goes to a file without that name, is flushed to the disk, and
    takes the name in one step. Whatever stops it leaves what was there.
    Without ``overwrite`` a name is never replaced, even in a race.
    """
    old = _open_existing(parent, name, overwrite=overwrite)
    try:
        mode = _NEW_MODE if old is None else _PRIVATE
        with _new_file(parent, mode, unnamed=unnamed) as (new, source):
            _fill(new, content)
            if old is not None:
                _copy_permissions(old, new)
            os.fsync(new)
            take_name = _replace if overwrite else _link
            take_name(parent, source, name)
    finally:
        if old is not None:
            os.close(old)
    sync(parent)


def remove(parent: int, name: str) -> None:
    """Remove a regular file that has no second name, durably."""
    check_kind(os.stat(name, dir_fd=parent, follow_symlinks=False))
    os.unlink(name, dir_fd=parent)
    sync(parent)


def clean(tree: Below) -> None:
    """Remove what a write left that was killed, up to a number of entries."""
    for _, parent, entry in islice(tree.all(), _MAX_CLEANED):
        if is_temporary(entry.name):
            with suppress(OSError):
                _discard(parent, entry.name)


def can_be_unnamed(directory: int) -> bool:
    """Tell by trying whether a file can be written first and named later.

    Linux can on most file systems, given /proc. A write that is killed then
    leaves nothing at all.
    """
    probe = temporary()
    try:
        put(directory, probe, b"", overwrite=False, unnamed=True)
        os.unlink(probe, dir_fd=directory)
    except OSError:
        return False
    return True


def _open_existing(parent: int, name: str, *, overwrite: bool) -> int | None:
    """Open what is to be replaced, to be sure that it may be."""
    try:
        check_kind(os.stat(name, dir_fd=parent, follow_symlinks=False))
        if not overwrite:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        return open_file(parent, name, os.O_WRONLY)
    except FileNotFoundError:
        return None


@contextmanager
def _new_file(
    parent: int, mode: int, *, unnamed: bool
) -> Iterator[tuple[int, str]]:
    """Lend a new file, and the path by which it is linked or renamed.

    Its own name, if it has one, is gone at the end. The lock tells a server
    that starts meanwhile that the file is in use.
    """
    descriptor, name = -1, ""
    if unnamed:
        descriptor = _open_unnamed(parent, mode)
    if descriptor < 0:
        name = temporary()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFELY
        descriptor = os.open(name, flags, mode, dir_fd=parent)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor, name or f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
        if name:
            _forget(parent, name)


def _open_unnamed(parent: int, mode: int) -> int:
    """Return a file without a name; -1 where the file system has none."""
    if sys.platform == "linux":
        flags = os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC
        try:
            return os.open(".", flags, mode, dir_fd=parent)
        except OSError as error:
            if error.errno not in {errno.EOPNOTSUPP, errno.EISDIR}:
                raise
    return -1


def _link(parent: int, source: str, name: str) -> None:
    """Give a new file a name that nothing has, in one step (linkat(2)).

    The path in /proc leads to the file itself, whatever ``parent`` is. A name
    of its own is not followed: someone may have put a link there.
    """
    os.link(
        source,
        name,
        src_dir_fd=parent,
        dst_dir_fd=parent,
        follow_symlinks=source.startswith("/"),
    )


def _replace(parent: int, source: str, name: str) -> None:
    """Give a new file a name, whatever has it now, in one step."""
    spare = temporary() if source.startswith("/") else source
    if spare != source:
        _link(parent, source, spare)
    try:
        os.rename(spare, name, src_dir_fd=parent, dst_dir_fd=parent)
    except OSError:
        _forget(parent, spare)
        raise


def _forget(parent: int, name: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=parent)


def _fill(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        written = os.write(descriptor, rest)
        rest = rest[written:]


def _copy_permissions(old: int, new: int) -> None:
    """Keep owner and group where that is allowed, the mode and the ACL."""
    found = os.fstat(old)
    for owner, group in ((-1, found.st_gid), (found.st_uid, -1)):
        with suppress(PermissionError):
            os.fchown(new, owner, group)
    os.fchmod(new, found.st_mode & _PERMISSIONS)
    if sys.platform == "linux":
        try:
            os.setxattr(new, _ACL, os.getxattr(old, _ACL))
        except OSError:  # the old file has none: nor has the new
            with suppress(OSError):
                os.removexattr(new, _ACL)


def _discard(parent: int, name: str) -> None:
    """Remove a temporary file, unless a write holds it now."""
    descriptor = os.open(name, os.O_RDONLY | SAFELY, dir_fd=parent)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _forget(parent, name)
    finally:
        os.close(descriptor)
