"""Settings are read once, typed, and refused in one line each."""

from pathlib import Path

import pytest

from {{ cookiecutter.__package_name }} import environment
from {{ cookiecutter.__package_name }}.errors import SettingsError
from tests.conftest import ASSUMED


@pytest.fixture(autouse=True)
def _assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {**environment._answers(), **ASSUMED}
    monkeypatch.setattr(environment, "_answers", lambda: answers)


def problems(**variables: str) -> tuple[str, ...]:
    given = {"MCP_AUTH": "none", "MCP_TRANSPORT": "stdio", **variables}
    with pytest.raises(SettingsError) as caught:
        environment.load(given)
    return caught.value.problems


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MCP_PORT", "http", "not a whole number"),
        ("MCP_PORT", "65536", "65535"),
        ("MCP_RATE_LIMIT", "often", "MCP_RATE_LIMIT=100/minute"),
        ("MCP_TOOL_RATE_LIMITS", "echo", "a tool, = and a limit"),
        ("MCP_TOOL_RATE_LIMITS", "echo", "run_command=10/minute"),
        ("MCP_AUTH_JWKS_URI", "id.example.com/keys", "not a full address"),
        ("MCP_REQUEST_TIMEOUT", "soon", "not a number of seconds"),
        ("MCP_TRUSTED_PROXIES", "somewhere", "not an IP network"),
        ("MCP_TRANSPORT", "https", "'stdio', 'http' or 'sse'"),
        ("MCP_MAX_FILE_SIZE", "big", "10MiB"),
        ("MCP_REQUEST_TIMEOUT", "0", "greater than 0"),
        ("MCP_REQUEST_TIMEOUT", "nan", "greater than 0"),
        ("MCP_WORKERS", "0", "greater than or equal to 1"),
        ("MCP_TRUSTED_PROXIES", "somewhere", "10.0.0.0/8"),
        ("MCP_TRUSTED_PROXIES", "0.0.0.0/1,128.0.0.0/1", "claim another's"),
        ("MCP_TRUSTED_PROXIES", "10.0.0.1,::/0", "claim another's"),
        ("MCP_RATE_LIMIT_STORAGE", "mongodb://x", "redis://host"),
        ("MCP_LOG_LEVEL", "chatty", "'DEBUG'"),
        ("MCP_APPROVAL_KEY", "short", "too few characters"),
        ("MCP_APPROVAL_KEY", "short", "openssl rand -hex 32"),
        ("WORKSPACE_PATH", "/nowhere/at/all", "create it"),
    ],
)
def test_wrong_value_is_one_line_with_what_to_do(
    workspace: Path, name: str, value: str, said: str
) -> None:
    variables = {"WORKSPACE_PATH": str(workspace), name: value}
    (line,) = problems(**variables)
    assert line.startswith(f"{name}: ")
    assert said in line
    assert "\n" not in line


def test_all_problems_are_told_at_once(workspace: Path) -> None:
    lines = problems(
        WORKSPACE_PATH=str(workspace), MCP_PORT="x", MCP_RATE_LIMIT="y"
    )
    assert len(lines) == 2


def test_unknown_variable_names_the_nearest(workspace: Path) -> None:
    (line,) = problems(WORKSPACE_PATH=str(workspace), MCP_RATE_LIMT="5/second")
    assert line.startswith("MCP_RATE_LIMT: there is no such variable")
    assert line.endswith("did you mean MCP_RATE_LIMIT?")


def test_secret_value_is_never_repeated(workspace: Path) -> None:
    password = "hunter" + "2hunter2"
    lines = problems(
        WORKSPACE_PATH=str(workspace),
        MCP_RATE_LIMIT_STORAGE=f"mysql://user:{password}@db",
        MCP_PORT=password,
    )
    assert not any(password in line for line in lines)


def test_settings_do_not_show_the_storage_password(
    workspace: Path,
) -> None:
    settings = environment.load(
        {
            "WORKSPACE_PATH": str(workspace),
            "MCP_RATE_LIMIT_STORAGE": "redis://:pass" + "word@localhost",
        }
    )
    assert "password" not in repr(settings)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])  # noqa: S104 - the case that is refused
def test_other_machines_need_to_prove_who_they_are(
    workspace: Path, host: str
) -> None:
    (line,) = problems(
        WORKSPACE_PATH=str(workspace), MCP_TRANSPORT="http", MCP_HOST=host
    )
    assert f"MCP_HOST is {host}" in line
    assert "MCP_AUTH" in line


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"]
)
def test_loopback_needs_no_proof(workspace: Path, host: str) -> None:
    settings = environment.load(
        {
            "WORKSPACE_PATH": str(workspace),
            "MCP_TRANSPORT": "http",
            "MCP_AUTH": "none",
            "MCP_HOST": host,
        }
    )
    assert settings.on_loopback


@pytest.mark.parametrize(
    ("variables", "missing"),
    [
        ({"MCP_AUTH": "bearer"}, "MCP_AUTH_TOKENS_FILE"),
        ({"MCP_AUTH": "jwt"}, "MCP_AUTH_ISSUER"),
        ({"MCP_AUTH": "jwt"}, "MCP_AUTH_AUDIENCE"),
        ({"MCP_AUTH": "jwt"}, "MCP_AUTH_JWKS_URI"),
        ({"MCP_TLS_CERTFILE": "cert.pem"}, "MCP_TLS_KEYFILE"),
        ({"MCP_WORKERS": "2"}, "MCP_RATE_LIMIT_STORAGE"),
        (
            {"MCP_WORKERS": "2", "MCP_METRICS_PORT": "65535"},
            "MCP_METRICS_PORT to 65534",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_half_configured_control_stops_the_start(
    workspace: Path, variables: dict[str, str], missing: str
) -> None:
    lines = problems(
        WORKSPACE_PATH=str(workspace), MCP_TRANSPORT="http", **variables
    )
    assert any(missing in line for line in lines)


def test_environment_wins_over_the_file(
    workspace: Path, tmp_path: Path
) -> None:
    file = tmp_path / "env"
    file.write_text(
        f"MCP_PORT=1111\nMCP_WORKERS=1\nWORKSPACE_PATH={workspace}"
    )
    file.chmod(0o600)
    settings = environment.load({"MCP_PORT": "2222"}, str(file))
    assert settings.port == 2222
    assert settings.workspace_path == workspace


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_file_that_others_can_read_is_refused(
    tmp_path: Path, mode: int
) -> None:
    file = tmp_path / "env"
    file.touch()
    file.chmod(mode)
    (line,) = problems(MCP_ENV_FILE=str(file))
    assert "chmod 600" in line


@pytest.mark.parametrize("name", ["none", "folder"])
def test_file_that_is_none_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir(mode=0o700)
    (line,) = problems(MCP_ENV_FILE=str(tmp_path / name))
    assert line.startswith("MCP_ENV_FILE: ")
    assert "cannot be used" in line


@pytest.mark.parametrize(
    "line", ["MCP_AUTH bearer", "MCP_AUTH", 'MCP_AUTH="bearer', "=bearer"]
)
def test_line_that_sets_nothing_is_refused(tmp_path: Path, line: str) -> None:
    """Who wrote it believes that the server asks for tokens."""
    file = tmp_path / "env"
    file.write_text(f"# who may call\n\n{line}\n")
    file.chmod(0o600)
    (problem,) = problems(MCP_ENV_FILE=str(file))
    assert "line 3 cannot be read" in problem


def test_dotenv_in_the_working_directory_is_never_read(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("MCP_PORT=1\nFASTMCP_PORT=1")
    monkeypatch.chdir(tmp_path)
    assert environment.load({"WORKSPACE_PATH": str(workspace)}).port == 8080


@pytest.mark.parametrize("off", ["0", "off", "OFF"])
def test_rate_limit_can_be_turned_off(workspace: Path, off: str) -> None:
    settings = environment.load(
        {"WORKSPACE_PATH": str(workspace), "MCP_RATE_LIMIT": off}
    )
    assert settings.rate_limit == ()


def test_sizes_durations_and_lists_are_read(workspace: Path) -> None:
    settings = environment.load(
        {
            "WORKSPACE_PATH": str(workspace),
            "MCP_MAX_FILE_SIZE": "2 MiB",
            "MCP_REQUEST_TIMEOUT": "5s",
            "MCP_ALLOWED_COMMANDS": "git, ls",
            "MCP_TOOL_RATE_LIMITS": "echo=1/second,write_file=off",
        }
    )
    assert settings.max_file_size == 2 * 2**20
    assert settings.request_timeout == 5
    assert settings.allowed_commands == ("git", "ls")
    assert settings.tool_rate_limits["write_file"] == ()
    assert settings.tool_rate_limits["echo"][0].amount == 1
