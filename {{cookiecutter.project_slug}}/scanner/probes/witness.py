"""Starts the server, and writes down what its tools try to do.

A tool that opens ``<argument>.json`` reads no trap of ours; Python's own
audit events (PEP 578) show that it would have read any other file. It runs in
the server's process, with the server's Python, and imports nothing of ours::

    python witness.py PACKAGE FILE

FILE is given a line of JSON for each attempt: ``[kind, what]``. The traps lie
beside it.
"""

import json
import os
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PORT = 9  # of this machine; nobody listens there (RFC 863)
TRAPS = ("outside", "workspace-evil")
_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_LINKING = frozenset({"os.link", "os.symlink"})
_READING = _LINKING | {"os.listdir", "os.scandir"}
_CHANGING = frozenset(
    {"os.chmod", "os.mkdir", "os.remove", "os.rename", "os.rmdir"}
    | {"sqlite3.connect"}
)
_RUNNING = frozenset({"os.posix_spawn", "subprocess.Popen"})
_GOING_OUT = frozenset({"socket.connect", "socket.getaddrinfo"})
_EVENTS = _READING | _CHANGING | _RUNNING | _GOING_OUT | {"open"}
#: Options that few programs give a value.
_SWITCHES = frozenset(
    {"-a", "-h", "-l", "-q", "-r", "-R", "-v", "-z", "--all", "--cached"}
    | {"--dry-run", "--force", "--graph", "--hard", "--ignore-case", "--json"}
    | {"--line-number", "--list", "--name-only", "--oneline", "--patch"}
    | {"--porcelain", "--quiet", "--raw", "--recursive", "--short", "--stat"}
    | {"--text", "--verbose", "--yes"}
)

Attempts = Iterator[tuple[str, str]]


def watching(file: str) -> Callable[[str, tuple[Any, ...]], None]:
    """Return a hook that tells of what reaches for the traps."""
    told = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    root = str(Path(file).resolve().parent)

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if event not in _EVENTS:
            return
        try:
            for attempt in _attempts(event, given, root):
                os.write(told, json.dumps(attempt).encode() + b"\n")
        except (OSError, ValueError, TypeError, IndexError):
            return  # what the server does is not to fail because of us

    return hook


def _attempts(event: str, given: tuple[Any, ...], root: str) -> Attempts:
    if event in _RUNNING:
        yield from _options(given[1])
    elif event in _GOING_OUT:
        at = given[1] if event == "socket.connect" else given
        if isinstance(at, tuple) and at[1] in {PORT, str(PORT)}:
            yield "connect", _text(at[0])
    elif event == "open":
        path, _, flags = given
        follows = not flags & getattr(os, "O_NOFOLLOW", 0)
        kind = "write" if flags & _TO_WRITE else "read"
        yield from ((kind, trap) for trap in _traps(path, root, follows))
    else:
        kind = "read" if event in _READING else "write"
        follows = event in _READING - _LINKING
        for trap in _traps(given[0], root, follows):
            yield kind, trap
        if event == "os.rename" or event in _LINKING:
            yield from (("write", t) for t in _traps(given[1], root, False))


def _traps(path: object, root: str, follows: bool) -> Iterator[str]:
    """Yield the trap that a path leads to, if it does.

    What has a descriptor of a folder beside it is no path of its own; such a
    call cannot be judged here, and leads nowhere.
    """
    if not isinstance(path, str | bytes | os.PathLike):
        return
    text = _text(path)
    if text.startswith("/") and root.rpartition("/")[0] not in text:
        return
    folder, name = os.path.split(text)
    place = f"{os.path.realpath(folder)}/{name}"
    place = os.path.realpath(place) if follows else place
    within = place.removeprefix(f"{root}/")
    if within != place and within.partition("/")[0] in TRAPS:
        yield within


def _options(command: object) -> Attempts:
    """Yield what may be an option that a caller put into a command.

    After ``--`` it is none, nor is what belongs to the option before it.
    """
    if not isinstance(command, list | tuple):
        return
    before = ""
    for part in map(_text, command[1:]):
        if before == "--":
            return
        if part.startswith("-") and not _takes_a_value(before):
            yield "option", part[:200]
        before = part


def _takes_a_value(option: str) -> bool:
    """Tell whether an option may have its value behind it.

    ``-e TEXT`` and ``--grep TEXT`` may; ``-la TEXT`` and ``--in=x TEXT`` not.
    """
    is_long = option.startswith("--") and "=" not in option
    return option not in _SWITCHES and (
        is_long or (option.startswith("-") and len(option) == 2)
    )


def _text(value: Any) -> str:
    return os.fsdecode(value)


if __name__ == "__main__":
    package, file = sys.argv[1:]
    sys.argv[:] = [package]
    sys.addaudithook(watching(file))
    runpy.run_module(package, run_name="__main__", alter_sys=True)
