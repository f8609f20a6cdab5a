"""Reads the settings, and says in one line what is wrong with each."""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .location import holds
from .private_file import read_private, why
from .settings import PACKAGE, Settings
from .settings_error import SettingsError

ENV_FILE = "MCP_ENV_FILE"
KNOWN = {field.alias for field in Settings.model_fields.values()} | {ENV_FILE}

# What a right value looks like, where the reason alone does not say it.
EXAMPLES = {
    "MCP_RATE_LIMIT": "100/minute, or off",
    "MCP_TOOL_RATE_LIMITS": "run_command=10/minute,write_file=30/minute",
    "MCP_MAX_FILE_SIZE": "10MiB",
    "MCP_MAX_OUTPUT_SIZE": "1MiB",
    "MCP_MAX_REQUEST_SIZE": "4MiB",
    "MCP_REQUEST_TIMEOUT": "30",
    "MCP_COMMAND_TIMEOUT": "30",
    "MCP_SHUTDOWN_GRACE": "10",
    "MCP_TRUSTED_PROXIES": "10.0.0.0/8",
    "MCP_AUTH_JWKS_URI": "https://id.example.com/.well-known/jwks.json",
    "MCP_BASE_URL": "https://mcp.example.com",
    "MCP_APPROVAL_KEY": "$(openssl rand -hex 32)",
}

# In place of what pydantic says where it speaks of parsing.
REASONS = {
    "float_parsing": "it is not a number of seconds",
    "int_parsing": "it is not a whole number",
    "ip_v4_network": "it is not an IP network",
    "ip_v6_network": "it is not an IP network",
    "url_parsing": "it is not a full address",
    "too_short": "it has too few characters",
}


def load(environ: Mapping[str, str], env_file: str | None = None) -> Settings:
    """Return the settings, or refuse with every problem at once.

    The environment wins over the file, the file over the answers given when
    the project was generated. An empty variable means the default, whatever
    the file says.

    Args:
        environ: The process's environment.
        env_file: A file of ``NAME=value`` lines, readable by its owner only;
            else the one that ``MCP_ENV_FILE`` names.

    Raises:
        SettingsError: A line for each variable that is wrong.
    """
    file, given = read(environ, env_file)
    problems = list(_unknown(given))
    values = {name: value for name, value in given.items() if name in KNOWN}
    values.pop(ENV_FILE, None)
    try:
        settings = Settings.model_validate({**_answers(), **values})
    except ValidationError as error:
        first = {e["loc"][:1]: e for e in reversed(error.errors())}
        problems += [line for e in first.values() for line in _lines(e)]
    if problems:
        raise SettingsError(*problems)
    if file and holds(settings.workspace_path, file):
        raise SettingsError(
            f"{ENV_FILE}: {file} lies in the workspace, where callers read and"
            " write; move it elsewhere"
        )
    return settings


def read(
    environ: Mapping[str, str], env_file: str | None = None
) -> tuple[Path | None, dict[str, str]]:
    """Return the environment file, if there is one, and what is given.

    Raises:
        SettingsError: The file cannot be used.
    """
    named = env_file or environ.get(ENV_FILE)
    file = Path(named) if named else None
    given = {**(_from_file(file) if file else {}), **environ}
    return file, {name: value for name, value in given.items() if value}


def _answers() -> dict[str, str]:
    return tomllib.loads((PACKAGE / "defaults.toml").read_text("utf-8"))


def _from_file(path: Path) -> dict[str, str]:
    """Read an environment file that nobody but its owner can read.

    A line that is none would be a setting that its writer believes in.
    """
    try:
        lines = list(parse_stream(StringIO(read_private(path))))
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{ENV_FILE}: {path} cannot be used: {why(error)}"
        ) from error
    problems = [
        f"{ENV_FILE}: {path}: line {_number(line)} cannot be read; write"
        " NAME=value"
        for line in lines
        if line.error or (line.key and line.value is None)
    ]
    if problems:
        raise SettingsError(*problems)
    return {line.key: line.value or "" for line in lines if line.key}


def _number(line: Binding) -> int:
    """Return a line's number; empty lines before it are kept with it."""
    text = line.original.string
    return line.original.line + text.partition(text.strip())[0].count("\n")


def _unknown(given: Mapping[str, str]) -> Iterator[str]:
    """Name each variable that looks like ours and is not."""
    for name in sorted(given):
        if name.startswith("MCP_") and name not in KNOWN:
            near = difflib.get_close_matches(name, sorted(map(str, KNOWN)), 1)
            hint = f"did you mean {near[0]}?" if near else "remove it"
            yield f"{name}: there is no such variable; {hint}"


def _lines(error: ErrorDetails) -> Iterator[str]:
    """Say what is wrong with one variable, and what a right value is.

    The value itself is not repeated: it may be a secret (CWE-532).
    """
    if not error["loc"]:
        yield from error["msg"].splitlines()
        return
    said = error["msg"].removeprefix("Value error, ")
    said = said[:1].lower() + said[1:]
    reason = REASONS.get(error["type"], said)
    name = str(error["loc"][0])
    example = EXAMPLES.get(name)
    hint = f"; for example {name}={example}" if example else ""
    yield f"{name}: {reason}{hint}"
