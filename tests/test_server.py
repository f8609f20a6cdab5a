"""The generated server, started for real and called by real clients."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import SSETransport, StdioTransport
from filelock import FileLock

from conftest import BIN, Project, clean_environment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="file tools need POSIX"),
]

# Each tool, with arguments that it takes and a part of what it answers.
CALLS: dict[str, tuple[dict[str, Any], str]] = {
    "health_check": ({}, "ok"),
    "echo": ({"message": "hello"}, "hello"),
    "list_files": ({"path": "."}, "seen.txt"),
    "read_file": ({"path": "seen.txt"}, "in the workspace"),
    "search_files": ({"pattern": "workspace"}, "seen.txt"),
    "write_file": ({"path": "new.txt", "content": "x"}, "new.txt"),
    "run_command": ({"argv": ["echo", "ran"]}, "ran"),
}
INSPECTOR = ("node@22", "@modelcontextprotocol/inspector@2.12.0")


@dataclass
class Server:
    """What a client needs to know: a command or an address."""

    project: Project
    variables: dict[str, str]
    url: str = ""

    @property
    def command(self) -> list[str]:
        return [str(self.project.path / BIN / "python"), "-m", "mcp_server"]

    @property
    def environment(self) -> dict[str, str]:
        return {**clean_environment(), **self.variables}


@pytest.fixture
def stdio(generated: Project, tmp_path: Path) -> Server:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "seen.txt").write_text("it lies in the workspace\n")
    return Server(
        generated,
        {
            "WORKSPACE_PATH": str(workspace),
            "MCP_ALLOWED_COMMANDS": "echo",
            "MCP_APPROVAL": "never",
            "MCP_COMMAND_SANDBOX": "best-effort",
            "MCP_METRICS_PORT": "0",
            "MCP_TRANSPORT": "stdio",
        },
    )


@pytest.fixture(params=["http", "sse"])
def web(
    stdio: Server, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Server]:
    with running(stdio, request.param, tmp_path / "server.log") as server:
        yield server


class running:  # noqa: N801 - reads as the statement that it is
    """Start a server over HTTP; it stops in time, and with exit code 0."""

    def __init__(self, stdio: Server, transport: str, log: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        path = "mcp" if transport == "http" else "sse"
        self.log = log
        self.server = Server(
            stdio.project,
            {
                **stdio.variables,
                "MCP_TRANSPORT": transport,
                "MCP_PORT": str(port),
            },
            f"http://127.0.0.1:{port}/{path}",
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
        start = time.monotonic()
        code = self.process.wait(30)
        assert code == 0, self.log.read_text()
        assert time.monotonic() - start < 5


async def call_every_tool(client: Client[Any]) -> None:
    async with client:
        assert {tool.name for tool in await client.list_tools()} == set(CALLS)
        for name, (arguments, part) in CALLS.items():
            result = await client.call_tool(name, arguments)
            assert part in str(result.content), name


def test_every_tool_over_stdio(stdio: Server) -> None:
    command, *arguments = stdio.command
    transport = StdioTransport(
        command,
        arguments,
        env=stdio.environment,
        cwd=str(stdio.project.path),
    )
    asyncio.run(call_every_tool(Client(transport)))


def test_every_tool_over_the_network(web: Server) -> None:
    target = SSETransport(web.url) if web.url.endswith("sse") else web.url
    asyncio.run(call_every_tool(Client(target)))


def test_missing_workspace_is_one_line(stdio: Server, tmp_path: Path) -> None:
    variables = {"WORKSPACE_PATH": str(tmp_path / "missing")}
    run = stdio.project.run(
        *("python", "-m", "mcp_server"), env={**stdio.variables, **variables}
    )
    assert run.returncode == 2
    assert run.stderr.startswith("error: ")
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


@pytest.fixture(scope="module")
def inspector(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Path:
    """Install the Inspector and its Node, once for all workers."""
    npm = shutil.which("npm")
    if npm is None:
        assert not os.environ.get("CI"), "CI must not leave this out"
        pytest.skip("npm is not installed")
    base = tmp_path_factory.getbasetemp()
    folder = base if worker_id == "master" else base.parent
    folder = folder / "inspector"
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "installed").exists():
            folder.mkdir(exist_ok=True)
            options = ("--no-audit", "--no-fund", "--silent")
            subprocess.run(
                [npm, "install", *options, *INSPECTOR],
                cwd=folder,
                check=True,
                timeout=600,
            )
            (folder / "installed").touch()
    return folder


class TestInspector:
    """The official MCP Inspector, as a command."""

    def ask(
        self, inspector: Path, server: Server, *arguments: str
    ) -> dict[str, Any]:
        modules = inspector / "node_modules"
        path = f"{modules / 'node' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        target = [server.url, "--transport", "http"]
        if not server.url:
            variables = server.variables.items()
            target = [*server.command, "--cwd", str(server.project.path)]
            target += [x for k, v in variables for x in ("-e", f"{k}={v}")]
        run = subprocess.run(
            [
                str(modules / ".bin" / "mcp-inspector"),
                *("--cli", *target, *arguments),
            ],
            env={**clean_environment(), "PATH": path, "HOME": str(inspector)},
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=120,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        answer: dict[str, Any] = json.loads(run.stdout)
        return answer

    def call_everything(self, inspector: Path, server: Server) -> None:
        listed = self.ask(inspector, server, "--method", "tools/list")
        assert {tool["name"] for tool in listed["tools"]} == set(CALLS)
        for name, (arguments, part) in CALLS.items():
            options = []
            for key, value in arguments.items():
                text = value if isinstance(value, str) else json.dumps(value)
                options += ["--tool-arg", f"{key}={text}"]
            asked = ("--method", "tools/call", "--tool-name", name, *options)
            result = self.ask(inspector, server, *asked)
            assert not result.get("isError"), result
            assert part in json.dumps(result["content"]), name

    def test_lists_and_calls_every_tool_over_stdio(
        self, inspector: Path, stdio: Server
    ) -> None:
        self.call_everything(inspector, stdio)

    def test_lists_and_calls_every_tool_over_http(
        self, inspector: Path, stdio: Server, tmp_path: Path
    ) -> None:
        with running(stdio, "http", tmp_path / "server.log") as server:
            self.call_everything(inspector, server)
