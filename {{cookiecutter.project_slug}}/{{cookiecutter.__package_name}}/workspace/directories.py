"""Opening a directory so that the way to it never leaves the workspace."""

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Literal

from ..errors import SettingsError
from .paths import MAX_LEVELS, Names, is_temporary

Opener = Callable[[int, Names], int]
Choice = Literal["auto", "openat2", "walk"]
Found = tuple[Names, int, os.DirEntry[str]]

# Windows lacks these; Workspace.open refuses to start there.
_ANY_DIRECTORY = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
DIRECTORY = _ANY_DIRECTORY | getattr(os, "O_NOFOLLOW", 0)

_TRIES = 64

if sys.platform != "win32":
    _LIBC = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    """``struct open_how`` of openat2(2)."""

    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


_SYS_OPENAT2 = ctypes.c_long(437)
_NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x02, 0x04, 0x08
# O_NOFOLLOW is left out: it would hide a link behind ENOTDIR.
_HOW = _OpenHow(_ANY_DIRECTORY, 0, _NO_MAGICLINKS | _NO_SYMLINKS | _BENEATH)
_SIZE = ctypes.c_size_t(ctypes.sizeof(_HOW))


def openat2(root: int, names: Names) -> int:
    """Open a directory in one call that the kernel confines (Linux 5.6).

    No name on the way may be a link or leave ``root``, whatever others do to
    the tree meanwhile. ``EAGAIN`` means that they did; it is tried again a
    bounded number of times.
    """
    path = os.fsencode("/".join(names) or ".")
    code = errno.EAGAIN
    for _ in range(_TRIES):
        descriptor: int = _LIBC.syscall(
            _SYS_OPENAT2, root, path, ctypes.byref(_HOW), _SIZE
        )
        if descriptor >= 0:
            return descriptor
        code = ctypes.get_errno()
        if code not in {errno.EAGAIN, errno.EINTR}:
            break
    raise OSError(code, os.strerror(code))


def walk(root: int, names: Names, *, create: bool = False) -> int:
    """Open a directory name by name, each from its parent's descriptor.

    A name that is a link is refused where it is met; ``..`` never gets here.
    """
    current = os.open(".", DIRECTORY, dir_fd=root)
    for name in names:
        try:
            if create:
                _make(current, name)
            inner = _step(current, name)
        finally:
            os.close(current)
        current = inner
    return current


def sync(directory: int) -> None:
    """Make the names in a directory durable, where the file system can."""
    try:
        os.fsync(directory)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise


def choose(root: int, choice: Choice) -> Opener:
    """Return the opener that works here: tried, not guessed.

    Seccomp profiles answer EPERM or ENOSYS to calls that they do not know.
    """
    if choice == "walk" or (choice == "auto" and not _confines(root)):
        return walk
    if not _confines(root):
        raise SettingsError(
            "this kernel has no openat2; use Linux 5.6 or later, or let the"
            " workspace choose its resolver"
        )
    return openat2


def _confines(root: int) -> bool:
    """Tell whether openat2 is there and holds: it must refuse ``..``."""
    if sys.platform != "linux":
        return False
    try:
        os.close(openat2(root, ("..",)))
    except OSError as error:
        return error.errno == errno.EXDEV
    return False


def _make(parent: int, name: str) -> None:
    """Create a directory, durably, unless something has that name."""
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
        sync(parent)


def _step(parent: int, name: str) -> int:
    try:
        return os.open(name, DIRECTORY, dir_fd=parent)
    except NotADirectoryError:
        # Linux says so of a link too; the caller learns which it is.
        found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
        raise


class Below:
    """The entries below a directory, one open directory at a time.

    Each is opened anew from the root. One that went away, may not be read or
    lies too deep is passed over and counted in ``skipped``.
    """

    def __init__(
        self, opener: Opener, root: int, names: Names, *, recursive: bool
    ) -> None:
        self._opener = opener
        self._root = root
        self._names = names
        self._recursive = recursive
        self.skipped = 0

    def __iter__(self) -> Iterator[Found]:
        """Yield the parent's names, its descriptor and the entry."""
        return (item for item in self.all() if not is_temporary(item[2].name))

    def all(self) -> Iterator[Found]:
        """Yield the files that are being written, too."""
        parent = self._opener(self._root, self._names)
        pending: list[Names] = []
        yield from self._entries(self._names, parent, pending)
        while pending:
            names = pending.pop()
            try:
                parent = self._opener(self._root, names)
            except OSError:
                self.skipped += 1
            else:
                yield from self._entries(names, parent, pending)

    def _entries(
        self, names: Names, parent: int, pending: list[Names]
    ) -> Iterator[Found]:
        try:
            with os.scandir(parent) as entries:
                for entry in entries:
                    yield names, parent, entry
                    if self._recursive and entry.is_dir(follow_symlinks=False):
                        self._descend((*names, entry.name), pending)
        except OSError:
            self.skipped += 1
        finally:
            os.close(parent)

    def _descend(self, names: Names, pending: list[Names]) -> None:
        if len(names) < MAX_LEVELS:
            pending.append(names)
        else:
            self.skipped += 1
