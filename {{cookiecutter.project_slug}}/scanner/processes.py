"""Processes of the project's server: forked where that can be done."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess  # nosec B404 # argument lists, never a shell
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from .project import Project

PROGRAM: Final = Path(__file__).with_name("forkserver.py")
PATIENCE: Final = 60.0  # seconds, for the libraries to be imported
WORKSPACE: Final = "WORKSPACE_PATH"

_known: "weakref.WeakKeyDictionary[Project, ForkServer]"
_known = weakref.WeakKeyDictionary()
_lock = threading.Lock()


class Forked:
    """A process that a fork server started, used as one of ``Popen``'s."""

    def __init__(
        self, told: int, stdin: IO[bytes] | None, stdout: IO[bytes] | None
    ) -> None:
        """Wait until it is there.

        Args:
            told: Where its number comes, and its exit code when it has ended.
            stdin: What it reads.
            stdout: What it writes.

        Raises:
            OSError: It was not started.
        """
        self.stdin, self.stdout = stdin, stdout
        self.returncode: int | None = None
        self._told = os.fdopen(told, "rb", buffering=0)
        self._lock = threading.Lock()
        number = self._next(PATIENCE)
        if not number:
            for stream in filter(None, (self._told, stdin, stdout)):
                stream.close()
            raise OSError("the fork server did not start it")
        self.pid = int.from_bytes(number, "big")

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code.

        Raises:
            subprocess.TimeoutExpired: It runs on.
        """
        with self._lock:
            if self.returncode is None:
                told = self._next(timeout)
                if told is None:
                    raise subprocess.TimeoutExpired("server", timeout or 0)
                code = int.from_bytes(told, "big", signed=True)
                self.returncode = code if told else -signal.SIGKILL
                self._told.close()
            return self.returncode

    def terminate(self) -> None:
        """Send it SIGTERM, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def _next(self, timeout: float | None) -> bytes | None:
        """Return what is told next; empty if nothing more will be."""
        ready, _, _ = select.select([self._told], [], [], timeout)
        return self._told.read(8) if ready else None


Process = subprocess.Popen[bytes] | Forked


class ForkServer:
    """The program that has the libraries ready; it ends with the scan.

    Linux shows its environment for that of each server, and so it names no
    workspace: by that name we know what a server has left behind.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        python, _, package = command[:3]
        named = {k: environment[k] for k in environment if k != WORKSPACE}
        self._orders, theirs = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET
        )
        with theirs:
            self._process = subprocess.Popen(  # nosec B603 # no shell
                [python, str(PROGRAM), package, str(theirs.fileno())],
                env=named,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def start(
        self,
        command: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        log: IO[bytes],
        *,
        pipes: bool,
    ) -> Forked:
        """Start a server.

        Raises:
            OSError: It cannot be forked, nor can any other from here.
        """
        given = {"run": command[1:], "cwd": str(cwd)}
        order = json.dumps({**given, "env": dict(environment)})
        told, tell = os.pipe()
        read, stdin = _stream("wb") if pipes else (_nothing(), None)
        taken, stdout = _stream("rb") if pipes else (_nothing(), None)
        theirs = (read, taken, log.fileno(), tell)
        try:
            socket.send_fds(self._orders, [order.encode()], theirs)
        except OSError:
            os.close(told)
            for stream in filter(None, (stdin, stdout)):
                stream.close()
            self.close()
            raise
        finally:
            for descriptor in (read, taken, tell):
                os.close(descriptor)
        return Forked(told, stdin, stdout)

    def close(self) -> None:
        """End the program; the servers that it started have their own end."""
        self._orders.close()
        self._process.kill()
        self._process.wait()


def start(
    project: Project,
    command: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    log: IO[bytes],
    *,
    pipes: bool,
) -> Process:
    """Start the project's server in a session of its own.

    Args:
        project: Whose server it is.
        command: The Python, ``-m`` or a program, the package, and what else
            the program is told.
        cwd: Where it runs.
        environment: All its variables.
        log: Where its standard error goes.
        pipes: Whether we speak with it over standard input and output.
    """
    if sys.platform == "linux":  # elsewhere a fork without exec can fail
        with contextlib.suppress(OSError):
            forkserver = _forkserver(project, command, environment)
            return forkserver.start(
                command, cwd, environment, log, pipes=pipes
            )
    stream = subprocess.PIPE if pipes else subprocess.DEVNULL
    return subprocess.Popen(  # nosec B603 # no shell
        command,
        cwd=cwd,
        env=dict(environment),
        stdin=stream,
        stdout=stream,
        stderr=log,
        start_new_session=os.name != "nt",
    )


def forget(project: Project) -> None:
    """End the project's fork server; it would end with the scan as well."""
    forkserver = _known.pop(project, None)
    if forkserver is not None:
        forkserver.close()


def _forkserver(
    project: Project, command: Sequence[str], environment: Mapping[str, str]
) -> ForkServer:
    with _lock:
        if project not in _known:
            _known[project] = made = ForkServer(command, environment)
            weakref.finalize(project, made.close)
        return _known[project]


def _stream(mode: str) -> tuple[int, IO[bytes]]:
    """Return a pipe: the server's end, and ours of this mode."""
    reading, writing = os.pipe()
    if mode == "rb":
        return writing, os.fdopen(reading, "rb")
    return reading, os.fdopen(writing, "wb")


def _nothing() -> int:
    return os.open(os.devnull, os.O_RDWR)
