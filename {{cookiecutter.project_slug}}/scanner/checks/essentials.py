"""What the server's own controls cannot do their work without."""

import ast
import functools
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .source import Source

_TABLE = Path(__file__).with_name("essentials.toml")
_ENDS = ast.Return | ast.Raise | ast.Break | ast.Continue
_BLOCKS = ("body", "orelse", "finalbody")
_LEFT_OUT = frozenset({"ctx", "kind", "type_comment"})
control = ruled(__file__, on="control")


@control("MCP-CODE-037")
def weakened(source: Source) -> Iterator[Hit]:
    """The function is there, and so are its tests; what it did is not.

    Each control rests on a few lines: a comparison that takes the same time
    for all, a refusal, a way that every call goes. One of them is gone, says
    something else, or is never reached, or there is a way around it.
    ``essentials.toml`` lists them.
    """
    path = source.path.partition("/")[2]
    top: Any = source.nodes[0] if source.nodes else ast.Module([], [])
    all_listed = {k: files.get(path, {}) for k, files in _table().items()}
    names = {name for listed in all_listed.values() for name in listed}
    places = {name: _named(top, name) for name in names}
    if len([*filter(None, places.values())]) * 2 < len(places):
        return  # another file of the same name
    for severity, listed in all_listed.items():
        for name in listed:
            place = places[name]
            if place is None and path.startswith("tools/"):
                continue  # a tool that is not there opens nothing
            for problem in _problems(place, listed[name]):
                where: Any = place if name and place else top.body[0]
                message = f"{name or path}: {problem}"
                yield source.hit(where, message, Severity(severity))


@control("MCP-CODE-038")
def undecided(source: Source) -> Iterator[Hit]:
    """A condition that is written out, or stands behind a way out, is none.

    ``if False``, ``and False``, ``or True`` and a ``return`` above a check
    leave it in the file, where everybody takes it for working.
    """
    node: Any
    for node in source.nodes:
        asks = isinstance(node, ast.If | ast.IfExp)
        fixed = asks and isinstance(node.test, ast.Constant)
        if fixed or _is_decided(node):
            yield source.hit(node, "it is decided before it is asked")
        for name in _BLOCKS if "body" in node._fields else ():
            steps = getattr(node, name, None)
            block = steps if isinstance(steps, list) else []
            for dead in block[len(_reached(block)) :][:1]:
                if not _yields(dead):
                    yield source.hit(dead, "it is never reached")


@functools.cache
def _table() -> dict[str, dict[str, dict[str, list[str]]]]:
    return tomllib.loads(_TABLE.read_text("utf-8"))


@functools.cache
def _parsed(part: str) -> tuple[int, Any]:
    """Return how many are wanted, at least one if negative, and of what."""
    number, _, rest = part.partition(" ")
    count = int(number) if number.isdecimal() else -1
    text = part if count < 0 else rest
    if text.startswith("except "):
        text = f"try: ...\n{text}"
    statement: Any = ast.parse(text).body[0]
    bare = isinstance(statement, ast.Expr)
    return count, statement.value if bare else statement


def _problems(place: ast.AST | None, parts: list[str]) -> Iterator[str]:
    """Say what is wrong with a function that is to have these parts."""
    if place is None:
        yield "it is gone"
        return
    lived = list(_live(place))
    for part in parts:
        count, wanted = _parsed(part)
        if value := _beyond(wanted, lived):
            yield f"{part} does not hold: it is {value}"
        if _is_bound(wanted):
            continue
        kind = type(wanted)
        found = sum(_same(wanted, x) for x in lived if type(x) is kind)
        if count < 0 and not found:
            yield f"{part} is gone"
        elif 0 <= count < found:
            yield f"{part[2:]} is there {found} times"


def _is_bound(wanted: ast.AST) -> bool:
    """Tell ``NAME <= 10``: not a part, but what the name may stand for."""
    right = wanted.comparators[0] if isinstance(wanted, ast.Compare) else None
    left = getattr(wanted, "left", None)
    return isinstance(left, ast.Name) and isinstance(right, ast.Constant)


def _beyond(wanted: Any, lived: list[ast.AST]) -> str:
    """Return the number that a name is given and may not have."""
    for node in lived if _is_bound(wanted) else ():
        given = [getattr(node, "target", None), *getattr(node, "targets", ())]
        named = any(getattr(x, "id", "") == wanted.left.id for x in given)
        value = getattr(getattr(node, "value", None), "value", None)
        if named and isinstance(value, int | float):
            most = wanted.comparators[0].value
            less = isinstance(wanted.ops[0], ast.LtE)
            if not (value <= most if less else value >= most):
                return str(value)
    return ""


def _named(tree: ast.AST, name: str) -> ast.AST | None:
    """Return a function, or a method by its class's name and its own."""
    place: ast.AST | None = tree
    for word in filter(None, name.split(".")):
        place = next(
            (x for x in getattr(place, "body", ()) if _is(x, word)), None
        )
    return place


def _is(node: ast.AST, name: str) -> bool:
    return getattr(node, "name", "") == name


def _same(wanted: object, found: object) -> bool:
    """Tell whether a part of the code is the one that is wanted."""
    if isinstance(wanted, ast.Constant) and wanted.value is ...:
        return True
    if isinstance(wanted, ast.Expr) and not isinstance(found, ast.Expr):
        return _same(wanted.value, found)
    if isinstance(wanted, list):
        return isinstance(found, list) and _within(wanted, found)
    if not isinstance(wanted, ast.AST):
        return wanted is None or wanted == found
    return type(wanted) is type(found) and all(
        _same(getattr(wanted, name), getattr(found, name))
        for name in wanted._fields
        if name not in _LEFT_OUT
    )


def _within(wanted: list[ast.AST], found: list[ast.AST]) -> bool:
    """Tell whether all that is wanted is there; but for names, in order."""
    if wanted and isinstance(wanted[0], ast.keyword):
        return all(any(_same(x, there) for there in found) for x in wanted)
    rest = iter(_reached(found))
    return all(
        any(_same(each, there) for there in rest)
        for each in wanted
        if not _is_any(each)
    )


def _is_any(part: ast.AST) -> bool:
    value = part.value if isinstance(part, ast.Expr) else part
    return isinstance(value, ast.Constant) and value.value is ...


def _live(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may be reached, from the outermost inwards."""
    waiting = [node]
    for here in waiting:  # which grows meanwhile
        yield here
        if _is_decided(here):
            continue
        left_out = ""
        if isinstance(here, ast.If) and isinstance(here.test, ast.Constant):
            left_out = "orelse" if here.test.value else "body"
        for name, value in ast.iter_fields(here):
            if name == left_out:
                continue
            parts = value if isinstance(value, list) else [value]
            waiting += [x for x in _reached(parts) if isinstance(x, ast.AST)]


def _reached(steps: list[ast.AST]) -> list[ast.AST]:
    """Return a block as far as it is reached."""
    for number, step in enumerate(steps, 1):
        if isinstance(step, _ENDS):
            return steps[:number]
    return steps


def _is_decided(node: ast.AST) -> bool:
    """Tell ``and False`` and ``or True``."""
    if not isinstance(node, ast.BoolOp):
        return False
    decides = isinstance(node.op, ast.Or)
    return any(
        isinstance(x, ast.Constant) and x.value is decides for x in node.values
    )


def _yields(node: ast.AST) -> bool:
    """Tell the idiom that makes a function a generator without items."""
    value = node.value if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Yield)
