"""Answers to the system calls that a filter cannot decide by itself."""

import ctypes
import errno
import fcntl
import os
import stat
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from . import seccomp, tree
from .syscalls import CHECKED, numbers

_RECEIVE, _SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_…
# …_ID_VALID, as kernels before 5.9 spelled it and all have taken it since.
_IS_VALID: Final = 0x80082102
_NOTIFICATION: Final = struct.Struct("=QIIiIQ6Q")
_ANSWER: Final = struct.Struct("=QqiI")
_CONTINUE: Final = 1
_AT_FDCWD, _AT_SYMLINK_NOFOLLOW = -100, 0x100
_UTIME_NOW, _UTIME_OMIT = (1 << 30) - 1, (1 << 30) - 2
_PERMISSIONS: Final = 0o777
_PATH_MAX: Final = 4096
_SELF: Final = "/proc/self/"


class Call(NamedTuple):
    """A system call that waits for its answer."""

    ident: int
    pid: int
    arguments: tuple[int, ...]

    def integer(self, index: int) -> int:
        """Return an argument as the C ``int`` that the kernel takes it for."""
        return ctypes.c_int(self.arguments[index]).value


class Supervisor:
    """Keeps the modes and times that a command sets to the workspace.

    Landlock does not; on older kernels it does not keep signals in either.

    A call is let through (``CONTINUE``) only where nothing but its numbers
    counts. Where a path counts, the keeper does the work itself, on a
    descriptor that it has checked: the command cannot change it in between.
    """

    def __init__(self, listener: int, workspace: int) -> None:
        self._listener = listener
        self._workspace = workspace
        known = numbers(CHECKED, os.uname().machine)
        self._names = {number: name for name, number in known.items()}
        self._answers: dict[str, Callable[[Call], int]] = {
            **dict.fromkeys(seccomp.SIGNALLING, self._signal),
            "chmod": lambda call: self._chmod(call, _AT_FDCWD, 0),
            "fchmodat": lambda call: self._chmod(call, call.integer(0), 1),
            "fchmod": lambda call: self._chmod(call, call.integer(0), None),
            "utimensat": self._utimensat,
        }

    def answer(self) -> None:
        """Receive one call and answer it."""
        buffer = bytearray(_NOTIFICATION.size)
        try:
            fcntl.ioctl(self._listener, _RECEIVE, buffer)
        except OSError:  # who asked has gone
            return
        ident, pid, _, number, _, _, *arguments = _NOTIFICATION.unpack(buffer)
        error, flags = 0, 0
        try:
            answer = self._answers[self._names[number]]
            flags = answer(Call(ident, pid, tuple(arguments)))
        except OSError as problem:
            error = -(problem.errno or errno.EPERM)
        except (OverflowError, ValueError, struct.error):
            error = -errno.EINVAL  # numbers that no honest program sends
        try:
            reply = _ANSWER.pack(ident, 0, error, flags)
            fcntl.ioctl(self._listener, _SEND, reply)
        except OSError:
            return

    def _signal(self, call: Call) -> int:
        """Let a command signal its own (before Landlock keeps signals in)."""
        target = call.integer(0)
        if target not in {0, call.pid} and not self._is_own(target):
            raise PermissionError(errno.EPERM, "not of this command")
        return _CONTINUE

    def _is_own(self, pid: int) -> bool:
        return pid > 0 and tree.is_below(pid, os.getpid())

    def _chmod(self, call: Call, directory: int, path: int | None) -> int:
        """Change the mode of a file in the workspace, never set-user-id."""
        mode = call.arguments[1 if path in {None, 0} else 2]
        with _Opened(self._find(call, directory, path, 0)) as place:
            if stat.S_ISLNK(os.fstat(place.descriptor).st_mode):
                raise OSError(errno.EOPNOTSUPP, "a link has no mode")
            self._check_waits(call)
            place.path.chmod(mode & _PERMISSIONS)
        return 0

    def _utimensat(self, call: Call) -> int:
        """Change the times of a file in the workspace."""
        directory, pointer, times, flags = (
            call.integer(0),
            call.arguments[1],
            call.arguments[2],
            call.integer(3),
        )
        follow = 0 if flags & _AT_SYMLINK_NOFOLLOW == 0 else os.O_NOFOLLOW
        path = 1 if pointer else None
        with _Opened(self._find(call, directory, path, follow)) as place:
            old = os.fstat(place.descriptor)
            wanted = _memory(call.pid, times, 32) if times else None
            moments = _moments(wanted, old)
            self._check_waits(call)
            os.utime(place.path, ns=moments)
        return 0

    def _check_waits(self, call: Call) -> None:
        """Make sure that what was read of a process was read of this one.

        A process that is killed leaves its number to another, whose files and
        memory these would have been (seccomp_unotify(2), CWE-367).
        """
        ident = struct.pack("=Q", call.ident)
        fcntl.ioctl(self._listener, _IS_VALID, ident)

    def _find(
        self, call: Call, directory: int, path: int | None, flags: int
    ) -> int:
        """Return a descriptor of the file that is meant, in the workspace.

        Raises:
            PermissionError: It lies elsewhere, or has a name elsewhere.
        """
        base = (
            f"/proc/{call.pid}/cwd"
            if directory == _AT_FDCWD
            else f"/proc/{call.pid}/fd/{directory}"
        )
        descriptor = _start(base)
        if path is not None:
            start, text = descriptor, _path(call.pid, call.arguments[path])
            how = os.O_PATH | os.O_CLOEXEC | flags
            try:
                descriptor = os.open(text, how, dir_fd=start)
            finally:
                os.close(start)
        if not self._is_inside(descriptor):
            os.close(descriptor)
            raise PermissionError(errno.EPERM, "not in the workspace")
        return descriptor

    def _is_inside(self, descriptor: int) -> bool:
        root = _where(self._workspace).readlink()
        path = _where(descriptor).readlink()
        status = os.fstat(descriptor)
        alone = stat.S_ISDIR(status.st_mode) or status.st_nlink <= 1
        return alone and path.is_relative_to(root)


class _Opened:
    """A descriptor, closed at the end, and a path that leads to it alone."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.path = _where(descriptor)

    def __enter__(self) -> "_Opened":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)


def _where(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}")


def _start(base: str) -> int:
    try:
        return os.open(base, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        raise OSError(errno.EBADF, "no such descriptor") from None


def _path(pid: int, address: int) -> str:
    text = os.fsdecode(_memory(pid, address, _PATH_MAX).partition(b"\0")[0])
    if not text:
        raise FileNotFoundError(errno.ENOENT, "an empty path")
    if text.startswith(_SELF):  # how the C library changes modes of links
        return f"/proc/{pid}/{text.removeprefix(_SELF)}"
    return text


def _memory(pid: int, address: int, size: int) -> bytes:
    """Return bytes of another process's memory."""
    descriptor = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(descriptor, size, address)
    except OSError:
        raise OSError(errno.EFAULT, "no such address") from None
    finally:
        os.close(descriptor)


def _moments(wanted: bytes | None, old: os.stat_result) -> tuple[int, int]:
    """Return access and change time in nanoseconds, as ``utimensat`` asks."""
    now = time.time_ns()
    if wanted is None:
        return now, now
    seconds_a, part_a, seconds_m, part_m = struct.unpack("=qqqq", wanted)

    def moment(seconds: int, part: int, before: int) -> int:
        if part == _UTIME_OMIT:
            return before
        return now if part == _UTIME_NOW else seconds * 10**9 + part

    return (
        moment(seconds_a, part_a, old.st_atime_ns),
        moment(seconds_m, part_m, old.st_mtime_ns),
    )
