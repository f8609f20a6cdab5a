"""Opening a directory so that the way to it never leaves the workspace."""

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Literal

from ..errors import SettingsError
from .paths import Names

Opener = Callable[[int, Names], int]
Choice = Literal["auto", "openat2", "walk"]

# Windows lacks these; Workspace.open refuses to start there.
_ANY_DIRECTORY = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
DIRECTORY = _ANY_DIRECTORY | getattr(os, "O_NOFOLLOW", 0)

_SYS_OPENAT2 = 437
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08
_TRIES = 64


def openat2(root: int, names: Names) -> int:
    """Open a directory in one call that the kernel confines (Linux 5.6).

    No name on the way may be a link or leave ``root``, whatever others do to
    the tree meanwhile. ``EAGAIN`` means that they did; it is tried again a
    bounded number of times.
    """
    path = os.fsencode("/".join(names) or ".")
    how, size = _how()
    call = _syscall()
    for _ in range(_TRIES):
        descriptor: int = call(_SYS_OPENAT2, root, path, how, size)
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


def choose(root: int, choice: Choice) -> Opener:
    """Return the opener that works here: tried, not guessed.

    Seccomp profiles answer EPERM or ENOSYS for calls that they do not know.
    """
    if choice != "walk" and sys.platform == "linux":
        try:
            os.close(openat2(root, ()))
        except OSError:
            pass
        else:
            return openat2
    if choice == "openat2":
        raise SettingsError(
            "this kernel has no openat2; use Linux 5.6 or later, or let the"
            " workspace choose its resolver"
        )
    return walk


class Below:
    """The entries below a directory, however deep, up to the level limit.

    One directory is open at a time, each opened anew from the root. A
    directory that went away, may not be read or lies too deep is passed over
    and counted.
    """

    def __init__(
        self, opener: Opener, root: int, names: Names, *, recursive: bool
    ) -> None:
        self._opener = opener
        self._root = root
        self._names = names
        self._recursive = recursive
        self.skipped = 0

    def __iter__(self) -> Iterator[tuple[Names, int, os.DirEntry[str]]]:
        """Yield the parent's names, its descriptor and the entry."""
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
    ) -> Iterator[tuple[Names, int, os.DirEntry[str]]]:
        try:
            with os.scandir(parent) as entries:
                for entry in entries:
                    yield names, parent, entry
                    if self._recursive and _is_directory(entry):
                        pending.append((*names, entry.name))
        finally:
            os.close(parent)


def _is_directory(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _make(parent: int, name: str) -> None:
    """Create a directory, durably, unless something has that name."""
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        return
    os.fsync(parent)


def _step(parent: int, name: str) -> int:
    try:
        return os.open(name, DIRECTORY, dir_fd=parent)
    except NotADirectoryError:
        # Linux answers ENOTDIR for a link too; the caller learns which.
        found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
        raise


class _How(ctypes.Structure):
    """``struct open_how`` of openat2(2)."""

    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


@cache
def _how() -> tuple[object, int]:
    how = _How(
        _ANY_DIRECTORY,  # O_NOFOLLOW would hide a link behind ENOTDIR
        0,
        _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS,
    )
    return ctypes.byref(how), ctypes.sizeof(how)


@cache
def _syscall() -> Callable[..., int]:
    function = ctypes.CDLL(None, use_errno=True).syscall
    function.restype = ctypes.c_long
    function.argtypes = (
        ctypes.c_long,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_void_p,
        ctypes.c_size_t,
    )
    return function
