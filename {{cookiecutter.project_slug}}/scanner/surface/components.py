"""The tools, resources and prompts that a server offers, as it offers them."""

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..live_stdio import StdioServer
from ..project import Project, Unreadable
from ..rules import Hit
from .references import followed

KINDS = (
    ("tool", "tools/list", "tools", "name"),
    ("resource", "resources/list", "resources", "uri"),
    (
        "template",
        "resources/templates/list",
        "resourceTemplates",
        "uriTemplate",
    ),
    ("prompt", "prompts/list", "prompts", "name"),
)
MAX_DEPTH = 30


@dataclass(frozen=True, slots=True)
class Declared:
    """A function that is marked as a tool, where it stands in the source.

    Attributes:
        options: What the decorator was given, as far as it is constant.
    """

    path: str
    function: ast.FunctionDef | ast.AsyncFunctionDef
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Component:
    """One thing that the server offers.

    Attributes:
        kind: tool, resource, template, prompt or instructions.
        data: What the server said of it.
        declared: The function behind a tool, where it was found.
    """

    kind: str
    name: str
    data: Mapping[str, Any]
    declared: Declared | None = None

    @property
    def key(self) -> str:
        """The name under which the baseline keeps its fingerprint."""
        return f"surface:{self.kind}:{self.name}"

    @property
    def fingerprint(self) -> str:
        """Changes with whatever a model would see of it."""
        text = json.dumps(self.data, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def marks(self) -> Mapping[str, Any]:
        """What it says of itself (MCP, tool annotations)."""
        return self.data.get("annotations") or {}

    @property
    def scope(self) -> object:
        """What callers need for it, as far as its function says."""
        return self.declared and self.declared.options.get("scope")

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The schemas of its arguments, by name."""
        schema = self.data.get("inputSchema")
        found = schema.get("properties") if isinstance(schema, dict) else None
        if not isinstance(found, dict):
            return {}
        named = schema.get("$defs") if isinstance(schema, dict) else None
        if not isinstance(named, dict):
            return found
        return dict(followed(found, named))

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield each text that a model reads, with where it stands."""
        yield from _texts(self.data, "", 0)

    def hit(self, message: str, anchor: str = "") -> Hit:
        """Make the place of a finding about it."""
        there = self.declared
        return Hit(
            message=f"{self.kind} {self.name[:60]}: {message}",
            path=there.path if there else None,
            line=there.function.lineno if there else None,
            anchor=f"{self.key} {anchor or message}",
        )


def offered(server: StdioServer, project: Project) -> list[Component]:
    """Ask a running server for everything that it offers.

    Raises:
        ToolError: It does not answer.
    """
    declared = declarations(project)
    instructions = str(server.initialized.get("instructions") or "")
    found = [
        Component("instructions", "server", {"description": instructions})
    ]
    able = server.initialized.get("capabilities") or {}
    for kind, method, key, name in KINDS:
        if method.partition("/")[0] not in able:
            continue
        for data in server.everything(method, key):
            named = str(data.get(name))
            source = declared.get(named) if kind == "tool" else None
            found.append(Component(kind, named, data, source))
    return found


def declarations(project: Project) -> dict[str, Declared]:
    """Find the functions marked with ``@tool`` in the server's package."""
    found: dict[str, Declared] = {}
    inside = f"{project.package}/tools/"
    for path in project.files:
        if not path.startswith(inside) or not path.endswith(".py"):
            continue
        try:
            tree = ast.parse(project.text(path))
        except (Unreadable, SyntaxError, ValueError, RecursionError):
            continue  # the check ``code`` says so
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                options = _tool_options(node)
                if options is not None:
                    found[node.name] = Declared(path, node, options)
    return found


def _tool_options(
    node: ast.FunctionDef | ast.AsyncFunctionDef,
) -> dict[str, object] | None:
    """Return what ``@tool`` was given; None where there is no such mark."""
    for mark in node.decorator_list:
        called = mark.func if isinstance(mark, ast.Call) else mark
        if getattr(called, "id", getattr(called, "attr", "")) != "tool":
            continue
        given = mark.keywords if isinstance(mark, ast.Call) else []
        return {
            str(k.arg): k.value.value
            for k in given
            if isinstance(k.value, ast.Constant)
        }
    return None


def _texts(value: Any, where: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif depth < MAX_DEPTH and isinstance(value, dict):
        for key, inner in value.items():
            yield f"{where}.{key}", str(key)
            yield from _texts(inner, f"{where}.{key}", depth + 1)
    elif depth < MAX_DEPTH and isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{where}[{number}]", depth + 1)
