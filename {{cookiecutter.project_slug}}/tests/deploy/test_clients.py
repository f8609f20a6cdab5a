"""The settings of clients, and what is published for them."""

import json
import re
import sys
import tomllib
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from {{ cookiecutter.__package_name }} import environment, tools
from {{ cookiecutter.__package_name }}.settings import PACKAGE as SOURCES
from {{ cookiecutter.__package_name }}.settings import Settings
from tests.deploy.running import PACKAGE, PROJECT

FILES = (".mcp.json", ".vscode/mcp.json", ".cursor/mcp.json")
ANSWERS = tomllib.loads((SOURCES / "defaults.toml").read_text("utf-8"))
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
NAME = PYPROJECT["project"]["name"]
VERSION = PYPROJECT["project"]["version"]
MCP_VARIABLE = re.compile(r"\bMCP_[A-Z_]+")


def content(path: str) -> dict[str, Any]:
    return dict(json.loads((PROJECT / path).read_text("utf-8")))


def entry(path: str) -> dict[str, Any]:
    servers = content(path)
    found = servers.get("mcpServers") or servers["servers"]
    assert list(found) == [NAME]
    return dict(found[NAME])


@pytest.mark.parametrize("path", FILES)
async def test_a_client_reaches_the_server_by_its_settings(path: str) -> None:
    settings = entry(path)
    if "command" not in settings:
        pytest.skip("the client reaches a server that runs")
    assert settings["command"].endswith(f".venv/bin/{NAME}")
    assert NAME in PYPROJECT["project"]["scripts"]
    env = {
        name: value.replace("${workspaceFolder}", str(PROJECT))
        for name, value in settings.get("env", {}).items()
    }
    if "WORKSPACE_PATH" not in env:
        pytest.skip("the workspace is a directory of this machine's own")
    transport = StdioTransport(
        sys.executable,
        ["-m", PACKAGE],
        env={**env, "MCP_METRICS_PORT": "0"},
        cwd=str(PROJECT),
    )

    async with Client(transport) as client:
        answer = await client.call_tool("read_file", {"path": "README.md"})

    assert answer.content[0].text.startswith("# Workspace")


@pytest.mark.parametrize("path", FILES)
def test_a_client_is_given_the_address_that_is_served(path: str) -> None:
    settings = entry(path)
    if "url" not in settings:
        pytest.skip("the client starts the server")
    field = Settings.model_fields
    place = "sse" if ANSWERS["MCP_TRANSPORT"] == "sse" else "mcp"
    host, port = field["host"].default, field["port"].default

    assert settings["url"] == f"http://{host}:{port}/{place}"


@pytest.mark.parametrize("path", FILES)
def test_no_token_is_written_down(path: str) -> None:
    for value in entry(path).get("headers", {}).values():
        assert re.fullmatch(r"Bearer \$\{[\w:]+\}", value)


def test_a_client_sets_no_variable_that_stops_the_start() -> None:
    for path in FILES:
        named = MCP_VARIABLE.findall(json.dumps(entry(path)))
        assert set(named) <= environment.KNOWN


def test_claude_desktop_starts_the_image_as_hardened_as_elsewhere() -> None:
    settings = content("deploy/claude_desktop_config.json")
    arguments = settings["mcpServers"][NAME]["args"]

    assert arguments[-1] == f"{NAME}:local"
    assert {"--interactive", "--read-only", "ALL"} <= set(arguments)


def test_everything_published_bears_the_version() -> None:
    server, bundle = content("server.json"), content("manifest.json")
    image = server["packages"][0]["identifier"]

    assert server["version"] == bundle["version"] == VERSION
    assert re.fullmatch(rf"ghcr\.io/[a-z0-9-]+/{NAME}:{VERSION}", image)
    for overlay in PROJECT.glob("deploy/kubernetes/overlays/production/k*"):
        assert f"newTag: {VERSION}" in overlay.read_text("utf-8")
    changelog = (PROJECT / "CHANGELOG.md").read_text("utf-8")
    assert f"## [{VERSION}]" in changelog


def test_the_registry_takes_the_entry() -> None:
    server = content("server.json")
    named = server["packages"][0]["environmentVariables"]

    assert re.fullmatch(
        r"io\.github\.[A-Za-z0-9-]+/[a-z0-9-]+", server["name"]
    )
    assert 1 <= len(server["description"]) <= 100
    assert {variable["name"] for variable in named} <= environment.KNOWN
    dockerfile = (PROJECT / "Dockerfile").read_text("utf-8")
    assert f'server.name="{server["name"]}"' in dockerfile


def test_the_bundle_names_the_tools_and_the_variables_that_there_are() -> None:
    bundle = content("manifest.json")
    ours = {"health", "files", "run"}
    named = {tool["name"] for tool in bundle["tools"]}
    there = {
        spec.name
        for spec in tools.discover()
        if spec.function.__module__.rpartition(".")[2] in ours
    }

    assert named == there
    assert (PROJECT / bundle["server"]["entry_point"]).is_file()
    assert bundle["server"]["mcp_config"]["env"].keys() <= environment.KNOWN
    for name in MCP_VARIABLE.findall(json.dumps(bundle)):
        assert name in environment.KNOWN


def test_the_bundle_leaves_out_nothing_of_the_server() -> None:
    """A name without a leading slash is left out wherever it stands."""
    lines = (PROJECT / ".mcpbignore").read_text("utf-8").splitlines()
    anywhere = {line for line in lines if line and line[0] not in "#/"}

    assert anywhere == {".*", "__pycache__/"}
    assert f"/{PACKAGE}/" not in lines
