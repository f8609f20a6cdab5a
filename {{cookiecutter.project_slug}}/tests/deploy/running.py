"""Starts the server and the programs around it, as they are deployed."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import httpx2
import pytest
import yaml

import {{ cookiecutter.__package_name }}

PACKAGE = {{ cookiecutter.__package_name }}.__name__
PROJECT = Path(__file__).parents[2]
DEPLOY = PROJECT / "deploy"

T = TypeVar("T")


def program(*names: str) -> str:
    """Return the path of the first program that is there.

    In CI, where ``REQUIRE_TOOLS`` is set, one that is missing fails the
    test: what did not run did not pass.
    """
    for name in names:
        found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
        if found:
            return found
    return missing(" or ".join(names))


def missing(name: str) -> NoReturn:
    """Skip the test, or fail it where every program has to be there."""
    reason = f"{name} is not installed"
    if os.environ.get("REQUIRE_TOOLS"):
        pytest.fail(reason)
    pytest.skip(reason)


def run(*argv: str | Path, **options: Any) -> str:
    """Run a program to its end, and return what it printed."""
    done = subprocess.run(
        argv,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=50,
        **options,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def documents(path: Path) -> list[Any]:
    """Return the YAML documents of a file."""
    return [d for d in yaml.safe_load_all(path.read_text("utf-8")) if d]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def eventually(ask: Callable[[], T], seconds: float = 100) -> T:
    """Ask until the answer is true, or fail with the last one."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < end, f"still {answer!r}"
        time.sleep(0.1)
    return answer


def status_of(url: str, **options: Any) -> int:
    """Return the status of an answer; 0 where there is none yet."""
    try:
        return httpx2.get(url, trust_env=False, **options).status_code
    except httpx2.TransportError:
        return 0


@contextmanager
def started(
    *argv: str | Path, log: Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the test is done with it."""
    with log.open("ab") as output:
        popen = subprocess.Popen(
            argv,
            cwd=PROJECT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield popen
    finally:
        popen.terminate()
        with suppress(subprocess.TimeoutExpired):
            popen.wait(10)
        popen.kill()
        popen.wait()


@dataclass(frozen=True)
class Running:
    """The server in a process of its own."""

    popen: subprocess.Popen[bytes]
    port: int
    metrics_port: int
    workspace: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(folder: Path, **variables: object) -> Iterator[Running]:
    """Serve over HTTP with everything on, as in production."""
    folder.mkdir(exist_ok=True)
    workspace = folder / "workspace"
    workspace.mkdir(exist_ok=True)
    port, metrics_port = free_port(), free_port()
    given = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": PROJECT,
        "WORKSPACE_PATH": workspace,
        "MCP_TRANSPORT": "http",
        "MCP_AUTH": "none",
        "MCP_PORT": port,
        "MCP_METRICS_PORT": metrics_port,
        **variables,
    }
    env = {name: str(value) for name, value in given.items()}
    log = folder / "server.log"
    command = (sys.executable, "-m", PACKAGE)
    with started(*command, log=log, env=env) as popen:
        running = Running(popen, port, metrics_port, workspace)
        eventually(
            lambda: (
                status_of(f"{running.url}/health") == 200
                or popen.poll() is not None
            )
        )
        assert popen.poll() is None, log.read_text("utf-8")
        yield running
