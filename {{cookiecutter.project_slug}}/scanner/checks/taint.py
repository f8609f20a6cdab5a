"""Which words in a tool's code are its caller's."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .source import Source

_DECORATORS = frozenset({"tool", "resource", "prompt"})
_OURS = frozenset({"Context", "Workspace"})  # given by the server, not a model


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that a model can call, and the names its words reach."""

    name: str
    node: ast.FunctionDef | ast.AsyncFunctionDef
    theirs: frozenset[str]


def tools(source: Source) -> Iterator[Tool]:
    """Yield the functions under ``@tool``, ``@mcp.tool(…)`` and the like."""
    for node in source.nodes:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if any(_registers(item) for item in node.decorator_list):
            yield Tool(node.name, node, _reached(node))


def given(part: ast.expr, tool: Tool) -> bool:
    """Tell whether a word of the caller's is in an expression."""
    return _mentions(part, tool.theirs)


def _registers(decorator: ast.expr) -> bool:
    named = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = named.attr if isinstance(named, ast.Attribute) else ""
    name = named.id if isinstance(named, ast.Name) else name
    return name in _DECORATORS


def _reached(node: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """Follow the arguments through assignments, until nothing is added."""
    spec = node.args
    arguments = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    arguments += [arg for arg in (spec.vararg, spec.kwarg) if arg]
    theirs = {arg.arg for arg in arguments if not _is_ours(arg)}
    flows = list(_flows(node))
    before = -1
    while len(theirs) != before:
        before = len(theirs)
        for target, value in flows:
            if _mentions(value, theirs):
                theirs |= {
                    name.id
                    for name in ast.walk(target)
                    if isinstance(name, ast.Name)
                }
    return frozenset(theirs)


def _is_ours(arg: ast.arg) -> bool:
    if arg.annotation is None:
        return False
    words = (getattr(n, "id", "") for n in ast.walk(arg.annotation))
    return any(word in _OURS for word in words)


def _flows(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
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
    return any(
        isinstance(node, ast.Name) and node.id in names
        for node in ast.walk(part)
    )
