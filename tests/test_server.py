"""The generated server, started for real and called by real clients."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import SSETransport, StdioTransport

from conftest import Project
from running import Server, install, run_node, running

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
INSPECTOR = "@modelcontextprotocol/inspector@2.12.0"


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
    return install(tmp_path_factory, worker_id, INSPECTOR)


class TestInspector:
    """The official MCP Inspector, as a command."""

    def ask(
        self, inspector: Path, server: Server, *arguments: str
    ) -> dict[str, Any]:
        target = [server.url, "--transport", "http"]
        if not server.url:
            variables = server.variables.items()
            target = [*server.command, "--cwd", str(server.project.path)]
            target += [x for k, v in variables for x in ("-e", f"{k}={v}")]
        command = ("mcp-inspector", "--cli", *target, *arguments)
        run = run_node(inspector, *command, timeout=120)
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

    def test_starts_the_server_by_the_settings_of_the_project(
        self, inspector: Path, generated: Project
    ) -> None:
        settings = ("--config", str(generated.path / ".mcp.json"))
        server = ("--server", "mcp-server", "--cwd", str(generated.path))
        asked = ("--method", "tools/call", "--tool-name", "list_files")
        command = ("mcp-inspector", "--cli", *settings, *server, *asked)
        run = run_node(inspector, *command, timeout=120)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "README.md" in str(json.loads(run.stdout)["content"])
