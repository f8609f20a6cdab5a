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
import re
import runpy
import socket
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

PORT = 9  # of this machine; nobody listens there (RFC 863)
SLOW = 1.0  # seconds that one step of the event loop must not take
_FACTORY = 5  # the place of that argument of sqlite3.connect
TRAPS = ("outside", "workspace-evil")
#: A text that stays in no quotes into which it is put without care.
SQL = "probesql' probesql \"probesql"
_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_LINKING = frozenset({"os.link", "os.symlink"})
_LISTING = frozenset({"os.listdir", "os.scandir"})
_READING = _LINKING | _LISTING
_CHANGING = frozenset(
    {"os.chmod", "os.mkdir", "os.remove", "os.rename", "os.rmdir"}
    | {"sqlite3.connect"}
)
_RUNNING = frozenset({"os.posix_spawn", "subprocess.Popen"})
_ASKING = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})
_SENDING = frozenset({"socket.connect", "socket.sendmsg", "socket.sendto"})
_GOING_OUT = _ASKING | _SENDING
_MADE = frozenset({"ctypes.dlopen", "exec", "pickle.find_class"})
#: What belongs to the process, and so to everybody who is served by it.
_COMMON = frozenset({"os.chdir", "os.putenv", "os.unsetenv"})
_EVENTS = (
    _COMMON | _READING | _CHANGING | _RUNNING | _GOING_OUT | _MADE | {"open"}
)
#: Names that the probes make up: of hosts, of modules and of programs.
_HOST = re.compile(r"probe[0-9a-f]{24}\.invalid")
_MODULE = re.compile(r"probe[0-9a-f]{24}")
_QUOTED = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]"
    r"|--[^\n]*|/\*.*?\*/",
    re.DOTALL,
)
#: Options that few programs give a value.
_SWITCHES = frozenset(
    {"-a", "-h", "-l", "-q", "-r", "-R", "-v", "-z", "--all", "--cached"}
    | {"--dry-run", "--force", "--graph", "--hard", "--ignore-case", "--json"}
    | {"--line-number", "--list", "--name-only", "--oneline", "--patch"}
    | {"--porcelain", "--quiet", "--raw", "--recursive", "--short", "--stat"}
    | {"--text", "--verbose", "--yes"}
)

Attempts = Iterator[tuple[str, str]]
Tell = Callable[[str, str], None]


def telling(file: str) -> Tell:
    """Return what writes an attempt down."""
    told = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def tell(kind: str, what: str) -> None:
        os.write(told, json.dumps([kind, what]).encode() + b"\n")

    return tell


def watching(tell: Tell, root: str) -> Callable[[str, tuple[Any, ...]], None]:
    """Return a hook that tells of what reaches for the traps."""

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if event not in _EVENTS:
            return
        try:
            for attempt in _attempts(event, given, root):
                tell(*attempt)
        except (OSError, ValueError, TypeError, IndexError):
            return  # what the server does is not to fail because of us
        if event in _ASKING and _HOST.fullmatch(_text(given[0] or "")):
            raise socket.gaierror(socket.EAI_NONAME, "there is no such host")

    return hook


def watch_statements(tell: Tell) -> None:
    """Let SQLite's connections tell of SQL in which a caller's text stands.

    Python's own events name a database and no statement.
    """

    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, *given: Any) -> "Cursor":
            if _is_in(sql):
                tell("statement", sql)
            return super().execute(sql, *given)

        def executescript(self, sql_script: str) -> "Cursor":
            if _is_in(sql_script):
                tell("statement", sql_script)
            super().executescript(sql_script)
            return self

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def execute(self, sql: str, *given: Any) -> Any:
            return self.cursor().execute(sql, *given)

        def executescript(self, sql_script: str) -> Any:
            return self.cursor().executescript(sql_script)

    plain = sqlite3.connect

    def connect(*args: Any, **options: Any) -> Any:
        if len(args) <= _FACTORY:
            options.setdefault("factory", Connection)
        return plain(*args, **options)

    sqlite3.connect = sqlite3.dbapi2.connect = connect


def watch_loop(tell: Tell) -> None:
    """Let the event loop tell of a step in which nobody else is served.

    An async tool that computes, sleeps or waits for another machine without
    ``await`` holds up everybody, and its time limit too.
    """
    import asyncio  # the scan, which reads our names, needs none

    handles: Any = asyncio.Handle
    plain = handles._run

    def timed(handle: Any) -> None:
        start = time.monotonic()
        plain(handle)
        if time.monotonic() - start > SLOW:
            tell("block", "the event loop")

    handles._run = timed


def _is_in(sql: str) -> bool:
    """Tell whether our text stands outside of all quotes in a statement.

    Whoever takes a whole statement says so, and may.
    """
    whole = sql.lstrip().startswith(SQL)
    return not whole and SQL.split("'")[0] in _QUOTED.sub(" ", sql)


class Modules:
    """Finds no module, and tells of those that only a caller has named."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def find_spec(self, name: str, *_: object) -> None:
        """Look at the name."""
        if _MODULE.fullmatch(name):
            self._tell("run", f"import {name}")


def _attempts(event: str, given: tuple[Any, ...], root: str) -> Attempts:
    if event in _RUNNING:
        yield from _named("the program", given[0], root)
        yield from _options(given[1])
    elif event == "ctypes.dlopen":
        yield from _named("the library", given[0], root)
    elif event == "exec":
        mark = f"{root.rpartition('/')[0]}/door/executed"
        code = given[0]
        if code.co_filename.startswith("<") and _holds(code, mark):
            yield "run", "Python"
    elif event == "pickle.find_class":
        if given == ("io", "open"):
            yield "run", "a pickle"
    elif event in _ASKING:
        host, port = _text(given[0] or ""), str(given[1:2])
        if _HOST.fullmatch(host) or port in {f"({PORT},)", f"('{PORT}',)"}:
            yield "connect", host
        elif _is_far(host):
            yield "reach", host
    elif event in _GOING_OUT:
        at = given[1]
        if isinstance(at, tuple) and at[1] in {PORT, str(PORT)}:
            yield "connect", _text(at[0])
        elif isinstance(at, tuple) and _is_far(_text(at[0])):
            yield "reach", _text(at[0])
    elif event in _COMMON:
        yield "common", event
    elif event == "open":
        path, _, flags = given
        follows = not flags & getattr(os, "O_NOFOLLOW", 0)
        kind = "write" if flags & _TO_WRITE else "read"
        if kind == "write" and _is_elsewhere(path, root):
            yield "fixed", _text(path)
        yield from ((kind, trap) for trap in _traps(path, root, follows))
    else:
        kind = "read" if event in _READING else "write"
        kind = "list" if event in _LISTING else kind
        follows = event in _READING - _LINKING
        for trap in _traps(given[0], root, follows):
            yield kind, trap
        if event == "os.rename" or event in _LINKING:
            yield from (("write", t) for t in _traps(given[1], root, False))


def _named(what: str, path: object, root: str) -> Attempts:
    """Yield that something is run, if only a caller can have named it."""
    named = _text(path or "")
    made_up = _MODULE.match(Path(named).name)
    if made_up or any(_traps(named, root, True)):
        yield "run", what


def _is_far(host: str) -> bool:
    """Tell whether a host is another machine than this one."""
    near = ("127.", "localhost", "::", "0.")
    return bool(host) and not host.startswith(near)


def _holds(code: CodeType, text: str) -> bool:
    """Tell whether a text stands among what a piece of code works with."""
    return any(
        text in each
        if isinstance(each, str)
        else isinstance(each, CodeType) and _holds(each, text)
        for each in code.co_consts
    )


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


def _is_elsewhere(path: object, root: str) -> bool:
    """Tell whether a path is one of the machine's, far from the lab.

    The home and the folder for temporary files lie in the lab, too.
    """
    if not isinstance(path, str | bytes | os.PathLike):
        return False
    text = os.path.normpath(_text(path))
    near = (root.rpartition("/")[0], "/dev", "/proc", *sys.path)
    return text.startswith("/") and not any(
        text == place or text.startswith(f"{place}/")
        for place in near
        if place
    )


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
    tell = telling(file)
    watch_statements(tell)
    watch_loop(tell)
    sys.meta_path.insert(0, Modules(tell))
    sys.addaudithook(watching(tell, str(Path(file).resolve().parent)))
    runpy.run_module(package, run_name="__main__", alter_sys=True)
