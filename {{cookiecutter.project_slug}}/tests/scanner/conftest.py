"""What the tests of the scanner share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.model import Options
from scanner.project import Project
from tests.scanner.faulty_tools import Bench
from tests.scanner.faulty_tools import bench as make_bench

Files = dict[str, str]
Make = Callable[..., Project]

PYPROJECT = """\
[project]
name = "small-server"
requires-python = ">=3.11"

[project.scripts]
small-server = "small_server.__main__:main"
"""
SETTINGS = """\
class Settings:
    transport: str
    host: str = "127.0.0.1"
    port: int = 8080
    auth: str
    workspace_path: str
    rate_limit: str
    tool_rate_limits: str = ""
    rate_limit_on_failure: str = "deny"
    metrics_host: str = "127.0.0.1"
    max_file_size: int = 1
    request_timeout: float = 30.0
    allowed_commands: str = ""
    allowed_hosts: str = ""
    allowed_origins: str = ""
    command_sandbox: str = "require"
    command_network: str = "deny"
    trusted_proxies: str = ""
    tls_certfile: str = ""
    tls_keyfile: str = ""
    auth_jwks_uri: str = ""
    approval: str = "auto"
    log_level: str = "INFO"
"""
DEFAULTS = """\
MCP_TRANSPORT = "stdio"
WORKSPACE_PATH = "/workspace"
MCP_RATE_LIMIT = "100/minute"
MCP_AUTH = "none"
"""
SMALL: Files = {
    "pyproject.toml": PYPROJECT,
    ".gitignore": ".env\n",
    "small_server/__init__.py": '"""A small server."""\n',
    "small_server/settings.py": SETTINGS,
    "small_server/defaults.toml": DEFAULTS,
}


@pytest.fixture
def make_project(tmp_path: Path) -> Make:
    """Makes a small and clean project, with these files in it too."""

    def make(**files: str | bytes) -> Project:
        root = tmp_path / "small-server"
        for name, content in {**SMALL, **files}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = content.encode() if isinstance(content, str) else content
            path.write_bytes(data)
            path.chmod(0o644)
        return Project(root)

    return make


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bench:
    """An empty place for programs; no other of the scan's is found."""
    return make_bench(monkeypatch, tmp_path / "bench")


@pytest.fixture
def options() -> Options:
    """Offline, and with little patience."""
    return Options(offline=True, timeout=20.0)
