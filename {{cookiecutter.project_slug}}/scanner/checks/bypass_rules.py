"""Tools that reach past what the server lends them."""

import ast
import re
from collections.abc import Iterator

from ..rules import Hit
from ..ruletable import ruled
from .registrations import flows
from .source import Source, written
from .taint import Tool, tools

#: What the server makes once, with the limits that were set.
_MADE = re.compile(
    r"(?:^|\.)(?:Workspace\.open|CommandRunner\.create|Launcher)$"
)
_LENT = re.compile(r"\bresources\(\)")
_INSIDE = re.compile(r"_(?!_)\w+")
_SECRET_FILE = re.compile(r"\.(?:auth_tokens_file|tls_keyfile)\b")
_READING = frozenset({"open", "read_bytes", "read_private", "read_text"})
bypass = ruled(__file__, on="tool")


@bypass("MCP-CODE-048")
def reached_past(source: Source) -> Iterator[Hit]:
    """A tool is lent a workspace and a command runner; both know their limits.

    One that opens its own, or uses what lies inside of them
    (``commands._launcher``), has none: neither a directory nor a list of
    programs. So has one that reads the server's own tokens or key.
    """
    for tool in tools(source):
        lent = standing_for(tool, _LENT)
        files = standing_for(tool, _SECRET_FILE)
        for node in ast.walk(tool.node):
            if isinstance(node, ast.Call):
                name = source.called(node.func)
                if _MADE.search(name):
                    yield source.hit(node, f"{tool.name} calls {name[-40:]}")
                elif _reads(node, files):
                    message = f"{tool.name} reads a secret of the server's"
                    yield source.hit(node, message)
            elif isinstance(node, ast.Attribute) and _INSIDE.match(node.attr):
                owner = written(node.value)
                if _LENT.search(owner) or owner.partition(".")[0] in lent:
                    yield source.hit(
                        node, f"{tool.name} uses {node.attr[:40]}"
                    )


def standing_for(tool: Tool, wanted: re.Pattern[str]) -> set[str]:
    """Return the names that hold what is written so, or a part of it."""
    names: set[str] = set()
    for target, value in flows(list(ast.walk(tool.node))):
        text = written(value)
        known = isinstance(target, ast.Name) and (
            wanted.search(text) or text.partition(".")[0] in names
        )
        if known:
            names.add(written(target))
    return names


def _reads(call: ast.Call, files: set[str]) -> bool:
    """Tell what opens or reads one of these files."""
    owner, _, verb = written(call.func).rpartition(".")
    told = [owner, *map(written, call.args)]
    return verb in _READING and any(
        _SECRET_FILE.search(part) or part in files for part in told
    )
