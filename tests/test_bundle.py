"""The MCPB bundle, packed as the release does and run as a client does."""

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from conftest import Project, clean_environment
from running import install, run_node
from template import PROJECT_FOLDER, render

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="file tools need POSIX"),
]

RELEASE = PROJECT_FOLDER / ".github" / "workflows" / "release.yml"
#: The program and the version that the release fetches.
PACKAGE = re.findall(r"npx --yes (\S+) pack", RELEASE.read_text("utf-8"))[0]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    return install(tmp_path_factory, worker_id, PACKAGE)


@pytest.fixture(scope="module")
def unpacked(
    program: Path, generated: Project, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return what a client makes of the bundle of the default project."""
    folder = tmp_path_factory.mktemp("bundle")
    for arguments in (
        ("pack", str(generated.path), str(folder / "server.mcpb")),
        ("unpack", str(folder / "server.mcpb"), str(folder / "unpacked")),
    ):
        done = run_node(program, "mcpb", *arguments, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "unpacked"


def test_it_holds_the_server_and_nothing_of_the_desk(
    unpacked: Path, generated: Project
) -> None:
    wanted = {"LICENSE", "README.md", "manifest.json", "mcp_server"}
    assert {path.name for path in unpacked.iterdir()} == wanted | {
        "pyproject.toml",
        "uv.lock",
    }
    assert modules(unpacked) == modules(generated.path)


def modules(project: Path) -> set[str]:
    """Return the server's files, but for what Python made of them."""
    return {
        path.relative_to(project).as_posix()
        for path in (project / "mcp_server").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_a_client_calls_a_tool_of_it(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "seen.txt").write_text("it lies in the workspace\n")
    manifest = json.loads((unpacked / "manifest.json").read_text("utf-8"))
    answers = {
        "${__dirname}": str(unpacked),
        "${user_config.workspace}": str(tmp_path),
        "${user_config.allowed_commands}": manifest["user_config"][
            "allowed_commands"
        ]["default"],
    }
    given = filled(manifest["server"]["mcp_config"], answers)
    variables = {**given["env"], "MCP_METRICS_PORT": "0"}
    transport = StdioTransport(
        given["command"],
        given["args"],
        env={**clean_environment(), **variables},
        cwd=str(tmp_path),
    )

    async def call() -> str:
        async with Client(transport, init_timeout=300) as client:
            named = {tool["name"] for tool in manifest["tools"]}
            listed = {tool.name for tool in await client.list_tools()}
            assert listed == named - {"run_command"}
            read = await client.call_tool("read_file", {"path": "seen.txt"})
            return str(read.content)

    assert "in the workspace" in asyncio.run(call())


def filled(value: Any, answers: dict[str, str]) -> Any:
    """Return a part of the manifest with its variables replaced."""
    if isinstance(value, dict):
        return {k: filled(v, answers) for k, v in value.items()}
    if isinstance(value, list):
        return [filled(item, answers) for item in value]
    for variable, answer in answers.items():
        value = value.replace(variable, answer)
    return value


@pytest.mark.parametrize("license_", ["MIT", "Proprietary"])
def test_manifest_is_what_its_schema_says(
    program: Path, tmp_path: Path, license_: str
) -> None:
    path = render(tmp_path, license=license_) / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    name = manifest["$schema"].rpartition("/")[2]
    schemas = program / "node_modules/@anthropic-ai/mcpb/schemas"
    schema = json.loads((schemas / name).read_text("utf-8"))
    jsonschema.validate(manifest, schema)

    assert valid(program, path)
    manifest["server"]["type"] = "uvx"
    path.write_text(json.dumps(manifest))
    assert not valid(program, path)


def valid(program: Path, manifest: Path) -> bool:
    """Ask the program that packs bundles."""
    done = run_node(program, "mcpb", "validate", str(manifest), timeout=60)
    return done.returncode == 0
