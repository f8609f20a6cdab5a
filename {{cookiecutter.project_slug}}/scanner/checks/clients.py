"""The servers that MCP clients start or call, as their files name them."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..model import Severity
from ..project import Project, Unreadable
from ..rules import Hit

MAX_SIZE = 2**20  # bytes of one file
_NAME = (
    r"(?s)(?!tests/)(?:.*/)?(?:\.?mcp|mcp_config|mcp_settings"
    r"|cline_mcp_settings|claude_desktop_config|opencode"
    r"|\.(?:claude|gemini|vscode|zed)/settings(?:\.local)?)\.json"
    r"|(?!tests/)(?:.*/)?\.codex/config\.toml"
)
_SERVERS = ("mcpServers", "mcp_servers", "servers", "context_servers", "mcp")
# VS Code and Zed read JSON with comments and trailing commas.
_LOOSE = re.compile(
    r"(?s)(\"(?:[^\"\\]|\\.)*(?:\"|$))|//[^\n]*|/\*.*?(?:\*/|$)"
    r"|,(?=\s*[}\]])"
)


@dataclass(frozen=True, slots=True)
class Client:
    """A client's file.

    Attributes:
        settings: All that it holds.
    """

    path: str
    lines: tuple[str, ...]
    settings: Mapping[str, Any]

    def hit(
        self, word: str, message: str, severity: Severity | None = None
    ) -> Hit:
        """Make a hit at the first line that holds a word."""
        text = json.dumps(word)[1:-1]
        found = (n for n, x in enumerate(self.lines, 1) if text in x)
        return Hit(
            path=self.path,
            line=next(found, 1),
            anchor=message,
            message=message,
            severity=severity,
        )

    def servers(self) -> Iterator["Server"]:
        """Yield the servers that it names."""
        for key in _SERVERS:
            named = self.settings.get(key)
            if isinstance(named, Mapping) and "servers" in named:
                named = named["servers"]  # as in VS Code's settings
            for name, given in _items(named):
                if isinstance(given, Mapping):
                    yield Server(self, str(name), given)


@dataclass(frozen=True, slots=True)
class Server:
    """One server that a client starts, or calls."""

    client: Client
    name: str
    given: Mapping[str, Any]

    @property
    def argv(self) -> list[str]:
        """The program and its arguments; nothing for a remote one."""
        command = self.given.get("command")
        if isinstance(command, Mapping):  # Zed
            command = [command.get("path"), *(command.get("args") or [])]
        first = command if isinstance(command, list) else [command]
        rest = self.given.get("args")
        words = [*first, *(rest if isinstance(rest, list) else [])]
        return [str(word) for word in words if word is not None]

    @property
    def variables(self) -> dict[str, str]:
        """What its environment is given."""
        found = self.given.get("env") or self.given.get("environment")
        return {str(name): str(value) for name, value in _items(found)}

    def hit(
        self, word: str, message: str, severity: Severity | None = None
    ) -> Hit:
        """Make a hit at a word of its own."""
        message = f"{self.name[:60]}: {message}"
        return self.client.hit(word, message, severity)


def clients(project: Project) -> Iterator[Client | Unreadable]:
    """Yield the files of MCP clients.

    One that cannot be read, or does not parse, is yielded as the error.
    """
    for path in project.named(_NAME):
        try:
            text = project.text(path, MAX_SIZE)
            held = _parsed(path, text)
        except Unreadable as error:
            yield error
            continue
        except (ValueError, RecursionError):
            yield Unreadable(f"{path} does not parse")
            continue
        if isinstance(held, dict):
            yield Client(path, tuple(text.splitlines()), held)


def _parsed(path: str, text: str) -> Any:
    if path.endswith(".toml"):
        return tomllib.loads(text)
    return json.loads(_LOOSE.sub(lambda found: found[1] or "", text) or "{}")


def _items(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items()) if isinstance(value, Mapping) else []
