"""System calls that Python has no function for."""

import ctypes
import os
from functools import cache

PR_SET_PDEATHSIG = 1
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def syscall(number: int, *arguments: int | bytes) -> int:
    """Make a system call.

    Raises:
        OSError: The kernel refused, or does not know the call.
    """
    words = (
        ctypes.c_long(word) if isinstance(word, int) else word
        for word in arguments
    )
    call = _libc().syscall
    call.restype = ctypes.c_long
    return _checked(call(ctypes.c_long(number), *words))


def prctl(option: int, value: int = 0) -> int:
    """Change something of the calling process.

    Raises:
        OSError: The kernel refused, or does not know the option.
    """
    words = (option, value, 0, 0, 0)
    return _checked(_libc().prctl(*map(ctypes.c_long, words)))


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
