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
    r"|(?!tests/)(?:.*/)?\.codex/config\.toml|(?:manifest|server)\.json"
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
        yield from self._published()

    def _published(self) -> Iterator["Server"]:
        """Yield what a bundle's manifest or a registry's entry starts."""
        name = str(self.settings.get("name"))
        inner = dict(_items(self.settings.get("server"))).get("mcp_config")
        if isinstance(inner, Mapping):
            yield Server(self, name, inner)
        packages = self.settings.get("packages")
        for each in packages if isinstance(packages, list) else ():
            given = dict(_items(each))
            if given.get("registryType") == "oci":
                words = given.get("runtimeArguments")
                words = words if isinstance(words, list) else []
                args = ["run", *_words(words), given.get("identifier")]
                yield Server(self, name, {"command": "docker", "args": args})


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


def _words(arguments: list[Any]) -> Iterator[str]:
    """Yield the words of a registry entry's arguments."""
    for each in arguments:
        given = dict(_items(each))
        name, value = given.get("name"), given.get("value")
        parts = [str(x) for x in (name, value) if x is not None]
        if parts:
            yield "=".join(parts)


def _items(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items()) if isinstance(value, Mapping) else []
