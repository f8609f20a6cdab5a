"""Putting a file in place whole and durably, or leaving all as it was."""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from itertools import islice
from types import TracebackType
from typing import Self

from .directories import Below
from .files import SAFELY, check_kind, open_file
from .paths import is_temporary, temporary

_ACL = "system.posix_acl_access"
_NEW_MODE = 0o666  # less the umask, as any program's
_PERMISSIONS = 0o777  # never set-uid: the content is the caller's
_PRIVATE = 0o600
_MAX_CLEANED = 200_000  # entries looked at


def put(
    parent: int,
    name: str,
    content: bytes,
    *,
    overwrite: bool,
    anonymous: bool,
) -> None:
    """Give ``name`` the content, so that nobody ever sees a part of it.

    The content goes to a file without that name, is flushed to the disk, and
    takes the name in one step. Whatever stops it leaves what was there.
    Without ``overwrite`` a name is never replaced, even in a race.
    """
    old = _existing(parent, name, overwrite=overwrite)
    try:
        mode = _NEW_MODE if old is None else _PRIVATE
        with _Nameless(parent, mode, anonymous=anonymous) as new:
            _fill(new.descriptor, content)
            if old is not None:
                _copy_permissions(old, new.descriptor)
            os.fsync(new.descriptor)
            new.take(name, replace=overwrite)
    finally:
        if old is not None:
            os.close(old)
    os.fsync(parent)


def remove(parent: int, name: str) -> None:
    """Remove a regular file that has no second name, durably."""
    check_kind(os.stat(name, dir_fd=parent, follow_symlinks=False))
    os.unlink(name, dir_fd=parent)
    os.fsync(parent)


def clean(tree: Below) -> None:
    """Remove what a write left that was killed; bounded in entries."""
    for _, parent, entry in islice(tree, _MAX_CLEANED):
        if is_temporary(entry.name):
            with suppress(OSError):
                _discard(parent, entry.name)


def can_be_anonymous(directory: int) -> bool:
    """Tell whether a file can be written first and named later: by trying.

    Linux can on most file systems, given /proc. A killed write then leaves
    nothing at all.
    """
    probe = temporary()
    try:
        with _Nameless(directory, _PRIVATE, anonymous=True) as file:
            file.take(probe, replace=False)
        os.unlink(probe, dir_fd=directory)
    except OSError:
        return False
    return True


class _Nameless:
    """A new file that is gone at the end unless it took a name."""

    def __init__(self, parent: int, mode: int, *, anonymous: bool) -> None:
        self._parent = parent
        self._name: str | None = None
        self.descriptor = -1
        if anonymous:
            self.descriptor = _open_anonymous(parent, mode)
        if self.descriptor < 0:
            self._name = temporary()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFELY
            self.descriptor = os.open(self._name, flags, mode, dir_fd=parent)
        with suppress(OSError):
            _lock(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._name is not None:
                os.unlink(self._name, dir_fd=self._parent)
        finally:
            os.close(self.descriptor)

    def take(self, name: str, *, replace: bool) -> None:
        """Take a name in one step."""
        if self._name is None and not replace:
            self._link(name)
            return
        if self._name is None:
            spare = temporary()
            self._link(spare)
            self._name = spare
        if not replace:
            _rename_new(self._parent, self._name, name)
        else:
            os.rename(
                self._name,
                name,
                src_dir_fd=self._parent,
                dst_dir_fd=self._parent,
            )
        self._name = None

    def _link(self, name: str) -> None:
        source = f"/proc/self/fd/{self.descriptor}"
        os.link(source, name, dst_dir_fd=self._parent, follow_symlinks=True)


def _open_anonymous(parent: int, mode: int) -> int:
    """Return a file without a name; -1 where the file system has none."""
    if sys.platform != "linux":
        return -1
    try:
        return os.open(
            ".",
            os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC,
            mode,
            dir_fd=parent,
        )
    except OSError as error:
        if error.errno in {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL}:
            return -1
        raise


def _existing(parent: int, name: str, *, overwrite: bool) -> int | None:
    """Open what is to be replaced, to be sure that this is allowed."""
    try:
        check_kind(os.stat(name, dir_fd=parent, follow_symlinks=False))
        if not overwrite:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        return open_file(parent, name, os.O_WRONLY)
    except FileNotFoundError:
        return None


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


def _rename_new(parent: int, old: str, new: str) -> None:
    """Rename unless the new name is taken: one step, FileExistsError."""
    call, flag = _exclusive_rename()
    if call is not None:
        done = call(parent, os.fsencode(old), parent, os.fsencode(new), flag)
        code = ctypes.get_errno() if done else 0
        if not done:
            return
        if code not in {errno.ENOSYS, errno.EINVAL, errno.EPERM}:
            raise OSError(code, os.strerror(code))
    os.link(
        old, new, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False
    )
    os.unlink(old, dir_fd=parent)


@cache
def _exclusive_rename() -> tuple[Callable[..., int] | None, int]:
    """Return the call of the C library that renames without replacing."""
    library = ctypes.CDLL(None, use_errno=True)
    for name, flag in (("renameat2", 1), ("renameatx_np", 4)):
        function = getattr(library, name, None)
        if function is not None:
            return function, flag
    return None, 0


def _discard(parent: int, name: str) -> None:
    """Remove a temporary file, unless a write holds it now."""
    descriptor = os.open(name, os.O_RDONLY | SAFELY, dir_fd=parent)
    try:
        _lock(descriptor)
        os.unlink(name, dir_fd=parent)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    import fcntl  # there is none on Windows

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
