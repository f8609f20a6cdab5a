"""seccomp: the kernel refuses a process the calls that it has no need of.

The filter is classic BPF (``linux/seccomp.h``, ``linux/filter.h``). It reads
the low 32 bits of an argument: all that is compared here are C ints.
"""

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from . import kernel, landlock, syscalls

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_EQUAL, _GREATER, _ANY_BIT = 0x15, 0x25, 0x45

_KILL, _ALLOW, _NOTIFY, _ERRNO = 0x80000000, 0x7FFF0000, 0x7FC00000, 0x50000
_REFUSE: Final = _ERRNO | errno.EPERM
_ABSENT: Final = _ERRNO | errno.ENOSYS
_ANSWERS: Final = (
    (syscalls.REFUSED, _REFUSE),
    (syscalls.UNSUPPORTED, _ERRNO | errno.EOPNOTSUPP),
    (syscalls.ABSENT, _ABSENT),
)

_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_SYS_SECCOMP: Final = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER = 1
_NEW_LISTENER, _WAIT_KILLABLE = 1 << 3, 1 << 5

#: ``CLONE_NEW…``: namespaces, in which a process would get privileges.
_NAMESPACES: Final = 0x7E020000
_TYPE_MASK: Final = 0xF
_PRIO_USER, _IOPRIO_WHO_USER = 2, 3
#: ``F_SETOWN``, ``F_SETSIG``, ``F_SETOWN_EX``: signals to anybody.
_FCNTL_REFUSED: Final = (8, 10, 15)
#: ``FIOSETOWN``, ``SIOCSPGRP``, ``TIOCSTI``, ``TIOCLINUX``.
_IOCTL_REFUSED: Final = (0x8901, 0x8902, 0x5412, 0x541C)

#: Calls that the keeper looks at, one by one.
METADATA: Final = ("chmod", "fchmod", "fchmodat", "utimensat")
SIGNALLING: Final = (
    "kill",
    "tkill",
    "tgkill",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "pidfd_send_signal",
)


class Test(NamedTuple):
    """What is done when an argument compares with a value, or does not."""

    argument: int
    jump: int
    value: int
    action: int
    mask: int = 0
    negated: bool = False


def machine() -> str | None:
    """Return this machine's name if its system calls are known here."""
    name = os.uname().machine
    return name if name in syscalls.ARCHITECTURES else None


def build(name: str, *, abi: int, network: bool, notify: bool) -> bytes:
    """Return the filter for a machine.

    Args:
        name: The machine, one of ``ARCHITECTURES``.
        abi: The Landlock ABI in force: below some, seccomp stands in for it.
        network: Whether sockets of the Internet are let through.
        notify: Whether a keeper answers what the filter cannot decide; where
            none does, changing modes is refused.
    """
    code = [
        _op(_LOAD, _ARCHITECTURE),
        _op(_EQUAL, syscalls.ARCHITECTURES[name], 1, 0),
        _op(_RETURN, _KILL),  # 32-bit calls have other numbers
        _op(_LOAD, _NUMBER),
        _op(
            _GREATER, syscalls.LAST_KNOWN, 0, 1
        ),  # x32's numbers are above it too
        _op(_RETURN, _ABSENT),
    ]
    for table, answer in _ANSWERS:
        for number in syscalls.numbers(table, name).values():
            code += _when(number, [_op(_RETURN, answer)])
    numbers = syscalls.numbers(syscalls.CHECKED, name)
    for call, tests, otherwise in _decisions(abi, network, notify):
        if call in numbers:
            code += _when(numbers[call], _body(tests, otherwise))
    return b"".join([*code, _op(_RETURN, _ALLOW)])


def install(program: bytes, *, notify: bool) -> int | None:
    """Put a filter on this process and all that it starts, for good.

    Returns:
        The descriptor through which a keeper is asked, with ``notify``.

    Raises:
        OSError: The kernel does not know this, or another listener is there.
    """
    if not notify:
        _install(program, 0)
        return None
    try:
        return _install(program, _NEW_LISTENER | _WAIT_KILLABLE)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return _install(program, _NEW_LISTENER)  # before Linux 5.19


def _decisions(
    abi: int, network: bool, notify: bool
) -> Iterator[tuple[str, list[Test], int]]:
    """Yield each call to look into, its tests, and what is done else."""
    yield "clone", [Test(0, _ANY_BIT, _NAMESPACES, _REFUSE)], _ALLOW
    for call in METADATA:
        yield call, [], _NOTIFY if notify else _REFUSE
    if abi < landlock.SCOPED_ABI and notify:
        for call in SIGNALLING:
            yield call, [], _NOTIFY
    yield from _sockets(network, confined=abi >= landlock.UNIX_ABI)
    yield from _own_only()
    for call, commands in (
        ("fcntl", _FCNTL_REFUSED),
        ("ioctl", _IOCTL_REFUSED),
    ):
        yield call, [Test(1, _EQUAL, n, _REFUSE) for n in commands], _ALLOW


def _sockets(
    network: bool, *, confined: bool
) -> Iterator[tuple[str, list[Test], int]]:
    """Yield which sockets there are.

    ``connect`` on a UNIX socket reaches whoever listens at a path: the
    Docker daemon, an SSH agent. It is let through only where Landlock keeps
    it inside (``confined``). A datagram needs no ``connect``.
    """
    unix = Test(0, _EQUAL, socket.AF_UNIX, _REFUSE, negated=True)
    streams = [
        Test(1, _EQUAL, kind, _ALLOW, _TYPE_MASK)
        for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET)
    ]
    yield "socketpair", [unix, *streams], _REFUSE
    if not network:
        yield "socket", [unix, *streams], _REFUSE
        yield "connect", [], _ALLOW if confined else _REFUSE
        return
    families = [socket.AF_INET, socket.AF_INET6]
    tests = [
        Test(0, _EQUAL, socket.AF_UNIX, _ALLOW if confined else _REFUSE),
        Test(1, _GREATER, socket.SOCK_DGRAM, _REFUSE, _TYPE_MASK),
        *(Test(0, _EQUAL, family, _ALLOW) for family in families),
    ]
    yield "socket", tests, _REFUSE


def _own_only() -> Iterator[tuple[str, list[Test], int]]:
    """Yield calls that change the limits of any process of the same user."""
    for call in (
        "prlimit64",
        "sched_setparam",
        "sched_setscheduler",
        "sched_setaffinity",
        "sched_setattr",
    ):
        yield call, [Test(0, _EQUAL, 0, _ALLOW)], _REFUSE
    for call, user in (
        ("setpriority", _PRIO_USER),
        ("ioprio_set", _IOPRIO_WHO_USER),
    ):
        tests = [Test(0, _EQUAL, user, _REFUSE), Test(1, _EQUAL, 0, _ALLOW)]
        yield call, tests, _REFUSE


def _op(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)


def _when(number: int, body: list[bytes]) -> list[bytes]:
    """Return code that runs a body, which returns, for one call."""
    return [_op(_EQUAL, number, 0, len(body)), *body]


def _body(tests: list[Test], otherwise: int) -> list[bytes]:
    code = []
    for test in tests:
        code.append(_op(_LOAD, _ARGUMENTS + 8 * test.argument))
        if test.mask:
            code.append(_op(_AND, test.mask))
        skip = (1, 0) if test.negated else (0, 1)
        code.append(_op(test.jump, test.value, *skip))
        code.append(_op(_RETURN, test.action))
    return [*code, _op(_RETURN, otherwise)]


def _install(program: bytes, flags: int) -> int:
    buffer = ctypes.create_string_buffer(program, len(program))
    length = len(program) // 8
    header = struct.pack("@HP", length, ctypes.addressof(buffer))
    call = _SYS_SECCOMP[os.uname().machine]
    return kernel.syscall(call, _SET_MODE_FILTER, flags, header)
