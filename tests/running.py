"""Generated servers that run, and programs from npm that call them."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from filelock import FileLock

from conftest import BIN, Project, clean_environment

NODE = "node@22"


@dataclass
class Server:
    """What a client needs to know: a command or an address."""

    project: Project
    variables: dict[str, str]
    url: str = ""
    program: tuple[str, ...] = ("-m", "mcp_server")

    @property
    def command(self) -> list[str]:
        return [str(self.project.path / BIN / "python"), *self.program]

    @property
    def environment(self) -> dict[str, str]:
        return {**clean_environment(), **self.variables}


class running:  # noqa: N801 - reads as the statement that it is
    """Start a server over HTTP; it stops with exit code 0."""

    def __init__(self, stdio: Server, transport: str, log: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        path = "mcp" if transport == "http" else "sse"
        self.log = log
        self.server = replace(
            stdio,
            variables={
                **stdio.variables,
                "MCP_TRANSPORT": transport,
                "MCP_PORT": str(port),
            },
            url=f"http://127.0.0.1:{port}/{path}",
        )

    def __enter__(self) -> Server:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.server.command,
                cwd=self.server.project.path,
                env=self.server.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        health = self.server.url.rpartition("/")[0] + "/health"
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(health, timeout=5):  # noqa: S310 - it is ours
                    return self.server
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        assert code == 0, self.log.read_text()


def install(
    factory: pytest.TempPathFactory, worker_id: str, package: str
) -> Path:
    """Install a program from npm and its Node, once for all workers."""
    npm = shutil.which("npm")
    if npm is None:
        assert not os.environ.get("CI"), "CI must not leave this out"
        pytest.skip(f"npm, which fetches {package}, is not installed")
    base = factory.getbasetemp()
    folder = base if worker_id == "master" else base.parent
    folder = folder / package.rpartition("/")[2].partition("@")[0]
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "installed").exists():
            folder.mkdir(exist_ok=True)
            options = ("--no-audit", "--no-fund", "--silent")
            subprocess.run(
                [npm, "install", *options, NODE, package],
                cwd=folder,
                check=True,
                timeout=600,
            )
            (folder / "installed").touch()
    return folder


def run_node(
    folder: Path, program: str, *arguments: str, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a program that was installed from npm, with its own Node."""
    modules = folder / "node_modules"
    path = f"{modules / 'node' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [str(modules / ".bin" / program), *arguments],
        cwd=folder,
        env={**clean_environment(), "PATH": path, "HOME": str(folder)},
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=timeout,
    )
