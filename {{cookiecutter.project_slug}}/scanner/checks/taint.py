"""Which words in a tool's code are its caller's."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .source import Source

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DECORATORS = frozenset({"tool", "resource", "prompt"})
_RESOLVERS = frozenset({"realpath", "resolve"})
_ASKERS = frozenset({"is_relative_to", "relative_to"})
_OURS = frozenset({"Context", "Workspace"})  # given by the server, not a model


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that a model can call, and the names its words reach.

    Attributes:
        made: The calls from which each name comes.
    """

    name: str
    node: Function
    theirs: frozenset[str]
    made: Mapping[str, list[ast.Call]]


def tools(source: Source) -> Iterator[Tool]:
    """Yield the functions under ``@tool``, ``@mcp.tool(…)`` and the like.

    With each come the functions of the same file to which it hands its
    caller's words, and those to which they do.
    """
    functions = {
        node.name: node for node in source.nodes if isinstance(node, FUNCTIONS)
    }
    waiting = [
        (node, _arguments(node))
        for node in functions.values()
        if any(_registers(item) for item in node.decorator_list)
    ]
    seen: dict[str, frozenset[str]] = {}
    while waiting:
        node, first = waiting.pop()
        before = seen.get(node.name)
        if before is not None and first <= before:
            continue
        if before is not None:  # once more, with all of them: no third time
            first = _arguments(node)
        seen[node.name] = first
        tool = Tool(node.name, node, _reached(node, first), _made(node))
        yield tool
        waiting += _handed(tool, functions)


def given(part: ast.expr, tool: Tool) -> bool:
    """Tell whether a word of the caller's is in an expression."""
    return _mentions(part, tool.theirs)


def confined(tool: Tool) -> set[str]:
    """Return the names of paths that are resolved, and asked where they lie.

    In this order or none: ``path.is_relative_to(ROOT)``,
    ``path.relative_to(ROOT)`` or ``os.path.commonpath([ROOT, path])``.
    """
    resolved = {
        target.id
        for target, value in flows(tool.node)
        if isinstance(target, ast.Name)
        and any(_method(node) in _RESOLVERS for node in ast.walk(value))
    }
    asked: set[str] = set()
    for node in ast.walk(tool.node):
        if not isinstance(node, ast.Call):
            continue
        method = _method(node)
        parts: list[ast.expr] = node.args if method == "commonpath" else []
        if method in _ASKERS and isinstance(node.func, ast.Attribute):
            parts = [node.func.value]
        named = (n for part in parts for n in ast.walk(part))
        asked |= {name.id for name in named if isinstance(name, ast.Name)}
    return resolved & asked


def _method(node: ast.AST) -> str:
    """Return the name of a method that is called; else nothing."""
    called = node.func if isinstance(node, ast.Call) else None
    return called.attr if isinstance(called, ast.Attribute) else ""


def _registers(decorator: ast.expr) -> bool:
    named = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = named.attr if isinstance(named, ast.Attribute) else ""
    name = named.id if isinstance(named, ast.Name) else name
    return name in _DECORATORS


def _reached(node: Function, first: frozenset[str]) -> frozenset[str]:
    """Follow the arguments through assignments, until nothing is added."""
    theirs = set(first)
    steps = list(flows(node))
    before = -1
    while len(theirs) != before:
        before = len(theirs)
        for target, value in steps:
            if _mentions(value, theirs):
                theirs |= {
                    name.id
                    for name in ast.walk(target)
                    if isinstance(name, ast.Name)
                }
    return frozenset(theirs)


def _arguments(node: Function) -> frozenset[str]:
    spec = node.args
    arguments = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    arguments += [arg for arg in (spec.vararg, spec.kwarg) if arg]
    return frozenset(arg.arg for arg in arguments if not _is_ours(arg))


def _handed(
    tool: Tool, functions: dict[str, Function]
) -> Iterator[tuple[Function, frozenset[str]]]:
    """Yield the functions that get a word, and the arguments with it."""
    for call in ast.walk(tool.node):
        if not isinstance(call, ast.Call) or not isinstance(
            call.func, ast.Name
        ):
            continue
        called = functions.get(call.func.id)
        if called is None or called is tool.node:
            continue
        spec = called.args
        places = [arg.arg for arg in (*spec.posonlyargs, *spec.args)]
        pairs = [*zip(places, call.args, strict=False)]
        pairs += [(k.arg or "", k.value) for k in call.keywords]
        names = {name for name, value in pairs if given(value, tool)}
        if names & _arguments(called):
            yield called, frozenset(names) & _arguments(called)


def _made(node: Function) -> Mapping[str, list[ast.Call]]:
    found: dict[str, list[ast.Call]] = defaultdict(list)
    for target, value in flows(node):
        if isinstance(target, ast.Name) and isinstance(value, ast.Call):
            found[target.id].append(value)
    return dict(found)


def _is_ours(arg: ast.arg) -> bool:
    if arg.annotation is None:
        return False
    words = (getattr(n, "id", "") for n in ast.walk(arg.annotation))
    return any(word in _OURS for word in words)


def flows(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield each place where a value gets a name."""
    for step in ast.walk(node):
        if isinstance(step, ast.Assign):
            for target in step.targets:
                yield target, step.value
        elif isinstance(step, ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
            if step.value is not None:
                yield step.target, step.value
        elif isinstance(step, ast.For | ast.AsyncFor | ast.comprehension):
            yield step.target, step.iter
        elif isinstance(step, ast.withitem) and step.optional_vars:
            yield step.optional_vars, step.context_expr


def _mentions(part: ast.AST, names: set[str] | frozenset[str]) -> bool:
    """Tell whether one of these names has a say in what comes out.

    What is looked up in a table of ours (``TABLE[word]``) is ours.
    """
    waiting = [part]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and node.id in names:
            return True
        table = _looked_up(node)
        if table is None:
            waiting += ast.iter_child_nodes(node)
        else:
            waiting.append(table)
    return False


def _looked_up(node: ast.AST) -> ast.AST | None:
    """Return the table of ``TABLE[word]`` and ``TABLE.get(word)``."""
    table: ast.AST | None = None
    if isinstance(node, ast.Subscript):
        table = node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        table = node.func.value if node.func.attr == "get" else None
        table = table if len(node.args) == 1 else None
    constant = isinstance(table, ast.Name) and table.id.isupper()
    return table if constant else None


def tool_calls(source: Source) -> Iterator[tuple[Tool, ast.Call]]:
    """Yield each call in a tool, with the tool."""
    for tool in tools(source):
        for node in ast.walk(tool.node):
            if isinstance(node, ast.Call):
                yield tool, node
