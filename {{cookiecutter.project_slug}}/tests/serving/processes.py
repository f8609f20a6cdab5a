"""Starts servers for the tests in processes of their own."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import Any, cast

import httpx2

from tests.serving.nursery import Nursery


@cache
def nursery() -> Nursery:
    """Return the one nursery; it ends with the process that asks for it."""
    return Nursery()


@dataclass
class Process:
    """A server in a process of its own."""

    pid: int
    stdin: BufferedWriter
    stdout: BufferedReader
    log: Path
    port: int
    environ: dict[str, str]

    def poll(self) -> int | None:
        """Return the exit code, if it has ended."""
        return nursery().code_of(self.pid)

    def wait(self, seconds: float = 20) -> int:
        deadline = time.monotonic() + seconds
        while (code := self.poll()) is None:
            assert time.monotonic() < deadline, "it does not end"
            time.sleep(0.02)
        return code

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def end(self, number: int) -> int:
        self.signal(number)
        return self.wait()

    def finish(self) -> bytes:
        """Give it no more to read, and return the rest of what it writes."""
        self.stdin.close()
        return self.stdout.read()

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = self.log.read_text("utf-8").splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [event for event in found if event["event"] == name]

    def wait_for(self, event: str, count: int = 1) -> list[dict[str, Any]]:
        while len(self.events(event)) < count:
            assert self.poll() is None, self.log.read_text("utf-8")
            time.sleep(0.02)
        return self.events(event)

    def peak_memory(self) -> int:
        """Return the most memory that it ever had, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        line = next(x for x in status.splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) * 1024


@contextmanager
def process(
    tmp_path: Path,
    *,
    listening: bool = True,
    stdin: Path | None = None,
    **variables: object,
) -> Iterator[Process]:
    """Serve the demo in a process of its own, until it is ended.

    Args:
        tmp_path: Where the workspace and the log are made.
        listening: Whether to wait until it can be reached.
        stdin: A file to be its stdin, in place of a pipe.
        variables: The settings, and what else is in the environment.
    """
    workspace = tmp_path / "workspace"
    workspace.mkdir(exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    given: dict[str, object] = {
        "PATH": os.environ["PATH"],
        "WORKSPACE_PATH": workspace,
        "MCP_TRANSPORT": "http",
        "MCP_AUTH": "none",
        "MCP_PORT": port,
        **variables,
    }
    environ = {name: str(value) for name, value in given.items()}
    log = tmp_path / "stderr.log"
    with ExitStack() as stack:
        running = _start(stack, environ, log, port, stdin)
        try:
            if listening:
                _wait_until_healthy(running)
            yield running
        finally:
            with suppress(ProcessLookupError):
                running.end(signal.SIGKILL)


def _start(
    stack: ExitStack,
    environ: dict[str, str],
    log: Path,
    port: int,
    stdin: Path | None,
) -> Process:
    reading, to_it = os.pipe()
    from_it, writing = os.pipe()
    into = stack.enter_context(os.fdopen(to_it, "wb"))
    out = stack.enter_context(os.fdopen(from_it, "rb"))
    # What it does not read, it is not sent.
    stack.callback(_close_quietly, into)
    error = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    given = reading if stdin is None else os.open(stdin, os.O_RDONLY)
    pid = nursery().bear(environ, [given, writing, error])
    for descriptor in {reading, given, writing, error}:
        os.close(descriptor)
    return Process(
        pid,
        cast("BufferedWriter", into),
        cast("BufferedReader", out),
        log,
        port,
        environ,
    )


def _close_quietly(file: BufferedWriter) -> None:
    with suppress(OSError):
        file.close()


def _wait_until_healthy(running: Process) -> None:
    while True:
        assert running.poll() is None, running.log.read_text("utf-8")
        try:
            url = f"http://127.0.0.1:{running.port}/health"
            httpx2.get(url, trust_env=False)
        except httpx2.TransportError:
            time.sleep(0.02)
        else:
            return
