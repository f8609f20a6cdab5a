"""What a tool keeps of one caller's words, and another caller reads."""

import ast
import re
from collections.abc import Iterator

from ..rules import Hit
from ..ruletable import ruled
from .registrations import flows
from .source import Source, written
from .taint import Tool, tools

_KEEPING = frozenset(
    {"add", "append", "appendleft", "extend", "insert", "put", "setdefault"}
    | {"update"}
)
_STORES = frozenset(
    {"OrderedDict", "defaultdict", "deque", "dict", "list", "set"}
)
#: Whoever asks who is calling can keep the callers apart.
_WHO = re.compile(r"client_id|session|get_access_token|current_client|user_id")
sharing = ruled(__file__, on="tool")


@sharing("MCP-CODE-046")
def shared(source: Source) -> Iterator[Hit]:
    """What stands beside the tools is there once, for all that call them.

    Over HTTP one client's notes, history or last question are then the next
    one's to read, and what it wrote is what the other's model believes.
    """
    stores = {n for n, v in source.constants.items() if _stores(source, v)}
    for tool in tools(source):
        told = {
            name
            for node in ast.walk(tool.node)
            if isinstance(node, ast.Global)
            for name in node.names
        }
        if not stores | told or _WHO.search(written(tool.node)):
            continue
        words = _words_of(tool)
        for node, name, given in _kept(tool, told):
            known = name in stores | told
            if known and given & words and _is_read(source, name):
                message = f"{tool.name} keeps its caller's words in {name}"
                yield source.hit(node, message)


def _stores(source: Source, value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return source.called(value.func).rpartition(".")[2] in _STORES
    return isinstance(value, ast.Dict | ast.List | ast.Set)


def _words_of(tool: Tool) -> set[str]:
    """Return the names of what the caller wrote, not of what came of it."""
    spec = tool.node.args
    every = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    words = {arg.arg for arg in every if arg.arg in tool.theirs}
    for target, value in flows(list(ast.walk(tool.node))):
        if _as_given(value) & words:
            words |= _as_given(target)
    return words


def _kept(
    tool: Tool, told: set[str]
) -> Iterator[tuple[ast.expr | ast.stmt, str, frozenset[str]]]:
    """Yield where something is put, and the names of what is put there."""
    for call in tool.calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr in _KEEPING:
            parts = [*call.args, *(k.value for k in call.keywords)]
            given = frozenset(n for part in parts for n in _as_given(part))
            yield call, _base(call.func.value), given
    steps = (n for n in ast.walk(tool.node) if isinstance(n, ast.Assign))
    for node in steps:
        for target in node.targets:
            inner = isinstance(target, ast.Subscript)
            if inner or getattr(target, "id", "") in told:
                yield target, _base(target), _as_given(node.value)


def _base(part: ast.AST) -> str:
    """Return the name on which ``notes[key]`` and the like rest."""
    while not isinstance(part, ast.Name):
        inner = getattr(part, "value", None) or getattr(part, "func", None)
        if not isinstance(inner, ast.AST):
            return ""
        part = inner
    return part.id


def _as_given(part: ast.AST) -> frozenset[str]:
    """Return the names in a value, but not those that a call works on.

    What a class is made of (``Note(text=text)``) is in it, and a text's own
    method (``text.strip()``) leaves the text.
    """
    if isinstance(part, ast.Name):
        return frozenset([part.id])
    parts: list[ast.AST] = [*ast.iter_child_nodes(part)]
    if isinstance(part, ast.Call):
        made = getattr(part.func, "id", "")[:1].isupper()
        owner = getattr(part.func, "value", None)
        parts = parts[1:] if made else [owner] if owner else []
    return frozenset(name for each in parts for name in _as_given(each))


def _is_read(source: Source, name: str) -> bool:
    """Tell whether what is in it is more than counted or looked for."""
    passed = {
        id(part)
        for node in source.nodes
        for part in _passed_over(node)
        if isinstance(part, ast.Name)
    }
    return any(
        node.id == name and id(node) not in passed
        for node in source.each(ast.Name)
        if isinstance(node.ctx, ast.Load)
    )


def _passed_over(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.Compare):
        return [*node.comparators]
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        return [node.value]
    if isinstance(node, ast.Call):
        counts = getattr(node.func, "id", "") == "len"
        keeps = getattr(node.func, "attr", "") in _KEEPING - {"setdefault"}
        owner = getattr(node.func, "value", None)
        return [*node.args] if counts else [owner] if keeps and owner else []
    return []
