"""SQL that is put together from what stands in the file alone."""

import ast
import re

from .fixed import is_fixed
from .narrowed import harmless_words
from .registrations import FUNCTIONS, flows
from .source import Source
from .words import holds_no_word

_STATEMENT = re.compile(
    r"(?is)\b(?:select\b.*\bfrom|insert\s+into|delete\s+from|update\b.*\bset"
    r"|replace\s+into|with\b.*\bas)\b"
)
_MARKS = re.compile(r"\s*(?:\?|%s|:\w+|\$\d+|\(?\?(?:\s*,\s*\?)*\)?|\s|,)*\s*")


def fixed_statements(source: Source) -> frozenset[int]:
    """Return the lines of those into which nothing but our own words go.

    That is fixed words, numbers, and as many marks as there are values.
    """
    given = source.given()
    right: set[int] = set()
    wrong: set[int] = set()
    inner: set[int] = set()
    for node in source.nodes:  # from the outermost inwards
        if not isinstance(node, ast.BinOp | ast.JoinedStr | ast.Call):
            continue
        parts = _put_in(node)
        if parts is None or id(node) in inner:
            continue
        inner |= {id(each) for each in ast.walk(node)}
        text = "".join(
            each.value
            for each in ast.walk(node)
            if isinstance(each, ast.Constant) and isinstance(each.value, str)
        )
        if _STATEMENT.search(text):
            safe = all(_is_ours(source, part, given) for part in parts)
            lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            (right if safe else wrong).update(lines)
    return frozenset(right - wrong)


def _put_in(
    node: ast.BinOp | ast.JoinedStr | ast.Call,
) -> list[ast.expr] | None:
    """Return what is put into a text; None if it is none."""
    if isinstance(node, ast.JoinedStr):
        return [v for v in node.values if isinstance(v, ast.FormattedValue)]
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Mod):
            right = node.right
            return right.elts if isinstance(right, ast.Tuple) else [right]
        return _terms(node) if isinstance(node.op, ast.Add) else None
    formats = isinstance(node.func, ast.Attribute) and (
        node.func.attr == "format"
        and isinstance(node.func.value, ast.Constant)
    )
    return [*node.args, *(k.value for k in node.keywords)] if formats else None


def _terms(node: ast.expr) -> list[ast.expr]:
    """Return the terms of a sum, however long."""
    found: list[ast.expr] = []
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, ast.BinOp) and isinstance(each.op, ast.Add):
            waiting += [each.left, each.right]
        else:
            found.append(each)
    return found


def _is_ours(
    source: Source, part: ast.expr, given: dict[str, list[ast.expr]]
) -> bool:
    """Tell what no caller fills: fixed words, numbers and marks."""
    if isinstance(part, ast.FormattedValue):
        part = part.value
    if isinstance(part, ast.Name):
        values = given.get(part.id, [])
        if len(values) == 1 and _joins(source, values[0]):
            return True
        if not values and holds_no_word(source, part.id):
            return True
        if _was_asked(source, part):
            return True
    upper = source.called(part).rpartition(".")[2].isupper()
    return (
        upper
        or is_fixed(source, part)
        or _counts(part)
        or _joins(source, part)
    )


def _was_asked(source: Source, part: ast.Name) -> bool:
    """Tell a name that was looked up among ours before (``in COLUMNS``)."""
    for function in source.nodes:
        if not isinstance(function, FUNCTIONS):
            continue
        if function.lineno <= part.lineno <= (function.end_lineno or 0):
            nodes = list(ast.walk(function))
            plain = harmless_words(source, nodes, list(flows(nodes)))
            if plain.at(part.id, part):
                return True
    return False


def _counts(part: ast.expr) -> bool:
    named = part.func if isinstance(part, ast.Call) else None
    return isinstance(named, ast.Name) and named.id in {"int", "len"}


def _joins(source: Source, part: ast.expr) -> bool:
    """Tell ``", ".join("?" * n)``, and a join of fixed words."""
    if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult):
        return any(map(_is_mark, (part.left, part.right)))
    if not isinstance(part, ast.Call) or len(part.args) != 1:
        return False
    joins = isinstance(part.func, ast.Attribute) and part.func.attr == "join"
    items = part.args[0]
    if isinstance(items, ast.GeneratorExp | ast.ListComp):
        return joins and _is_mark(items.elt)
    if isinstance(items, ast.BinOp) and isinstance(items.op, ast.Mult):
        return joins and any(map(_is_mark, (items.left, items.right)))
    return joins and is_fixed(source, items)


def _is_mark(node: ast.expr) -> bool:
    if isinstance(node, ast.List | ast.Tuple):
        return all(map(_is_mark, node.elts))
    text = node.value if isinstance(node, ast.Constant) else None
    return isinstance(text, str) and _MARKS.fullmatch(text) is not None
