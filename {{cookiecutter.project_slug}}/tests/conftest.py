"""What the tests of the server share."""

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client, FastMCP

from {{ cookiecutter.__package_name }} import environment, log
from {{ cookiecutter.__package_name }} import server as wiring
from {{ cookiecutter.__package_name }}.commands import CommandRunner
from {{ cookiecutter.__package_name }}.commands.sandbox.files import SEARCHED
from {{ cookiecutter.__package_name }}.controls.metrics import Metrics
from {{ cookiecutter.__package_name }}.errors import SettingsError
from {{ cookiecutter.__package_name }}.server import build_server
from {{ cookiecutter.__package_name }}.settings import Settings
from {{ cookiecutter.__package_name }}.workspace import Workspace

MakeSettings = Callable[..., Settings]
MakeServer = Callable[..., FastMCP[Any]]
MakeRunner = Callable[..., CommandRunner]
Events = Callable[..., list[dict[str, Any]]]

#: What a test assumes, whatever was answered when this was generated.
ASSUMED = {
    "MCP_TRANSPORT": "stdio",
    "MCP_AUTH": "none",
    "MCP_RATE_LIMIT": "100/minute",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """An empty workspace."""
    path = tmp_path / "workspace"
    path.mkdir()
    return path


@pytest.fixture
def make_settings(workspace: Path) -> MakeSettings:
    """Makes settings from variables, over stdio and without metrics."""

    def make(**variables: object) -> Settings:
        given = {
            "WORKSPACE_PATH": workspace,
            "MCP_METRICS_PORT": 0,
            **ASSUMED,
            **variables,
        }
        return environment.load({k: str(v) for k, v in given.items()})

    return make


@pytest.fixture
def make_server(make_settings: MakeSettings) -> MakeServer:
    """Makes a server from variables."""
    return lambda **variables: build_server(make_settings(**variables))


@pytest.fixture
def server(make_server: MakeServer) -> FastMCP[Any]:
    """A server with the defaults."""
    return make_server()


@pytest.fixture(params=["auto", "legacy"], ids=["2026-07-28", "handshake"])
def connect(request: pytest.FixtureRequest) -> Callable[..., Client[Any]]:
    """Makes clients, of each protocol era in turn."""

    def make(server: FastMCP[Any], **options: Any) -> Client[Any]:
        return Client(server, mode=request.param, **options)

    return make


@pytest.fixture
def events(tmp_path: Path) -> Iterator[Events]:
    """Reads the audit log: all of it, or the events of one name."""
    file = tmp_path / "audit.log"
    log.configure("DEBUG", file)

    def read(name: str | None = None) -> list[dict[str, Any]]:
        lines = map(json.loads, file.read_text("utf-8").splitlines())
        return [e for e in lines if name in {None, e["event"]}]

    yield read
    log.configure("INFO")


@pytest.fixture
def make_runner(workspace: Path) -> Iterator[MakeRunner]:
    """Makes runners of sandboxed commands, where the kernel has a sandbox."""
    with ExitStack() as stack:
        yield lambda **options: _runner(stack, workspace, options)


@pytest.fixture(scope="module")
def shared_runner(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[CommandRunner, Path]]:
    """One such runner and its workspace, for all tests of a module."""
    root = tmp_path_factory.mktemp("shared") / "workspace"
    root.mkdir()
    with ExitStack() as stack:
        yield _runner(stack, root, {}), root


def _runner(
    stack: ExitStack, root: Path, options: dict[str, Any]
) -> CommandRunner:
    if not shutil.which("python3", path=SEARCHED):
        pytest.skip(f"no python3 in {SEARCHED}")
    place = Workspace.open(root, max_file_size=2**20)
    stack.enter_context(closing(place))
    given = {
        "allowed": ["python3", "sh"],
        "timeout": 20.0,
        "max_output": 2**20,
        "sandbox": "require",
        "network": "deny",
        **options,
    }
    try:
        runner = CommandRunner.create(workspace=place, **given)
    except SettingsError as error:
        if "this system lacks" in str(error):
            pytest.skip(str(error))
        raise
    return stack.enter_context(closing(runner))


@pytest.fixture
def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def metrics(monkeypatch: pytest.MonkeyPatch) -> list[Metrics]:
    """Collects the metrics of the servers that the test makes."""
    made: list[Metrics] = []

    class Kept(Metrics):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            made.append(self)

    monkeypatch.setattr(wiring, "Metrics", Kept)
    return made
