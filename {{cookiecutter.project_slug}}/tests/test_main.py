"""The command line: what a person types, and what it answers."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from {{ cookiecutter.__package_name }} import __main__, serving
from {{ cookiecutter.__package_name }}.settings import PACKAGE
from tests.conftest import ASSUMED


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the server's command line in a clean environment."""
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME"}}
    return subprocess.run(
        [sys.executable, "-m", PACKAGE.name, *arguments],
        cwd=PACKAGE.parent,
        env={"MCP_METRICS_PORT": "0", **ASSUMED, **kept, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_wrong_settings_are_lines_and_no_traceback(workspace: Path) -> None:
    result = run(
        WORKSPACE_PATH=str(workspace), MCP_PORT="x", MCP_RATE_LIMT="1/second"
    )
    assert result.returncode == 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("error: MCP_") for line in lines)


def test_workspace_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    result = run(WORKSPACE_PATH=str(tmp_path / "none"))
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "create it" in result.stderr


def test_log_file_that_cannot_be_written_is_one_line(
    workspace: Path, tmp_path: Path
) -> None:
    result = run(
        WORKSPACE_PATH=str(workspace),
        MCP_LOG_FILE=str(tmp_path / "no" / "audit.log"),
    )
    assert result.returncode == 2
    assert result.stderr.startswith("error: MCP_LOG_FILE: ")
    assert result.stderr.count("\n") == 1


def test_check_says_that_the_server_can_start(workspace: Path) -> None:
    result = run(
        "check",
        WORKSPACE_PATH=str(workspace),
        MCP_TRANSPORT="stdio",
        MCP_SERVER_NAME="Atlas",
    )
    assert (result.returncode, result.stdout) == (
        0,
        "Atlas: can start over stdio\n",
    )


def test_check_takes_an_environment_file(
    workspace: Path, tmp_path: Path
) -> None:
    file = tmp_path / "server.env"
    file.write_text(f"WORKSPACE_PATH={workspace}\nMCP_SERVER_NAME=Atlas\n")
    file.chmod(0o600)
    for arguments in ("--env-file FILE check", "check --env-file FILE"):
        result = run(*arguments.replace("FILE", str(file)).split())
        assert result.stdout.startswith("Atlas: ")


@pytest.mark.parametrize("where", ["option", "variable"])
def test_token_goes_where_the_environment_file_says(
    tmp_path: Path, where: str
) -> None:
    file, kept = tmp_path / "server.env", tmp_path / "tokens"
    file.write_text(f"MCP_AUTH_TOKENS_FILE={kept}\n")
    file.chmod(0o600)
    given = {"option": ["--env-file", str(file)], "variable": []}[where]
    told = {"variable": {"MCP_ENV_FILE": str(file)}}.get(where, {})
    result = run("token", "create", "laptop", *given, **told)
    assert result.stdout.startswith("mcp_")
    assert kept.read_text("utf-8").startswith("laptop:")


def test_checklist_begins_with_whether_it_can_start(workspace: Path) -> None:
    told = {"WORKSPACE_PATH": str(workspace), "MCP_TRANSPORT": "stdio"}
    first = run("checklist", **told).stdout.splitlines()[0]
    assert first.endswith(": can start over stdio")
    refused = run("checklist", **told, MCP_TOOL_RATE_LIMITS="nothing=1/day")
    assert (refused.returncode, refused.stdout) == (2, "")


def test_health_of_a_server_that_is_not_there_is_1(
    workspace: Path, free_port: int
) -> None:
    result = run(
        "health",
        WORKSPACE_PATH=str(workspace),
        MCP_TRANSPORT="http",
        MCP_AUTH="none",
        MCP_PORT=str(free_port),
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("transport", ["http", "stdio"])
def test_what_asks_every_half_minute_loads_no_server(
    workspace: Path, free_port: int, transport: str
) -> None:
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", PACKAGE.name, "health"],
        cwd=PACKAGE.parent,
        env={
            "WORKSPACE_PATH": str(workspace),
            "MCP_TRANSPORT": transport,
            "MCP_AUTH": "none",
            "MCP_PORT": str(free_port),
        },
        check=False,
        capture_output=True,
        text=True,
    )
    loaded = {line.rpartition("|")[2] for line in result.stderr.splitlines()}
    names = {name.strip() for name in loaded}

    assert f"{PACKAGE.name}.settings" in names
    assert not {"fastmcp", "mcp", "uvicorn"} & names


def test_health_over_stdio_is_that_of_the_settings(workspace: Path) -> None:
    given = {"WORKSPACE_PATH": str(workspace), "MCP_TRANSPORT": "stdio"}
    assert run("health", **given).returncode == 0
    workspace.rmdir()
    result = run("health", **given)
    assert result.returncode == 2
    assert "create it" in result.stderr


@pytest.mark.parametrize("arguments", [("--help",), ("token", "--help")])
def test_help_is_there(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.returncode == 0
    assert result.stdout.startswith("usage: ")


def test_garbage_is_collected_again_once_it_serves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    collecting: list[bool] = []
    monkeypatch.setattr(__main__, "_settings", lambda _: None)
    monkeypatch.setattr(
        serving, "serve", lambda *_: collecting.append(gc.isenabled())
    )
    with pytest.raises(SystemExit):
        __main__.main([])
    gc.unfreeze()
    assert collecting == [True]
