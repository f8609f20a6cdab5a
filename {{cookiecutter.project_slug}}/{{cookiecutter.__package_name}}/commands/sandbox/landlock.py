"""Landlock: the kernel keeps a process to the files that it is granted.

Numbers are those of ``linux/landlock.h``; what a kernel knows is its ABI.
"""

import os
import stat
import struct
from collections.abc import Iterable
from typing import Final

from . import kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1

EXECUTE: Final = 1 << 0
WRITE_FILE: Final = 1 << 1
READ_FILE: Final = 1 << 2
READ_DIR: Final = 1 << 3
_REMOVE_DIR, _REMOVE_FILE = 1 << 4, 1 << 5
_MAKE_DIR, _MAKE_REG, _MAKE_FIFO, _MAKE_SYM = 1 << 7, 1 << 8, 1 << 10, 1 << 12
_REFER = 1 << 13
TRUNCATE: Final = 1 << 14
_IOCTL_DEV = 1 << 15
_RESOLVE_UNIX = 1 << 16

READ: Final = READ_FILE | READ_DIR
#: All but devices and sockets, and no execution: what a command wrote, or a
#: caller uploaded, does not become a program.
CHANGE: Final = (
    READ
    | WRITE_FILE
    | TRUNCATE
    | _REMOVE_DIR
    | _REMOVE_FILE
    | _MAKE_DIR
    | _MAKE_REG
    | _MAKE_FIFO
    | _MAKE_SYM
    | _REFER
)
_OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | _IOCTL_DEV

#: The first ABI that knows truncation (Linux 6.2): before it, a command could
#: empty files that it cannot write.
NEEDED_ABI: Final = 3
#: From here signals and abstract sockets do not leave the sandbox (6.12).
SCOPED_ABI: Final = 6
#: From here sockets with a path are refused like files are (7.1).
UNIX_ABI: Final = 9

_TCP = 0b11  # bind, connect
_SIGNALS = 0b10
_SCOPES = 0b01 | _SIGNALS  # abstract UNIX sockets, signals


def abi() -> int:
    """Return the kernel's Landlock ABI; 0 where there is none."""
    try:
        return kernel.syscall(_CREATE_RULESET, 0, 0, _VERSION)
    except OSError:
        return 0


def create(
    version: int, grants: Iterable[tuple[str | int, int]], *, network: bool
) -> int:
    """Return the descriptor of a ruleset: the grants, and nothing else.

    Args:
        version: The ABI to make use of.
        grants: A path or a descriptor, and what may be done beneath it. Paths
            that are not there are left out.
        network: Whether TCP is left alone.
    """
    known = _known(version)
    ruleset = kernel.syscall(
        _CREATE_RULESET, *_attributes(version, known, network), 0
    )
    for place, access in grants:
        _grant(ruleset, place, access & known)
    return ruleset


def create_seal() -> int:
    """Return the descriptor of a ruleset that only keeps signals in.

    Moving files between directories has to be granted: a ruleset that does
    not name it refuses it.
    """
    attributes = struct.pack("=QQQ", _REFER, 0, _SIGNALS)
    ruleset = kernel.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    _grant(ruleset, "/", _REFER)
    return ruleset


def restrict_self(ruleset: int) -> None:
    """Keep this process and all that it starts to the ruleset, for good."""
    kernel.syscall(_RESTRICT_SELF, ruleset, 0)


def _known(version: int) -> int:
    """Return the file rights of an ABI: each added one bit, or none."""
    rights = (1 << 13) - 1
    for since, right in (
        (2, _REFER),
        (3, TRUNCATE),
        (5, _IOCTL_DEV),
        (UNIX_ABI, _RESOLVE_UNIX),
    ):
        rights |= right if version >= since else 0
    return rights


def _attributes(version: int, files: int, network: bool) -> tuple[bytes, int]:
    ports = 0 if network or version < 4 else _TCP
    scopes = _SCOPES if version >= SCOPED_ABI else 0
    size = 24 if version >= SCOPED_ABI else 16 if version >= 4 else 8
    words = struct.pack("=QQQ", files, ports, scopes)[:size]
    return words, size


def _grant(ruleset: int, place: str | int, access: int) -> None:
    try:
        beneath = (
            os.dup(place)
            if isinstance(place, int)
            else os.open(place, os.O_PATH | os.O_CLOEXEC)
        )
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(beneath).st_mode):
            access &= _OF_A_FILE
        if not access:  # an empty rule is an error
            return
        rule = struct.pack("=Qi", access, beneath)
        kernel.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(beneath)
