"""What a file writes out itself: words that nobody else has a say in."""

import ast
from collections.abc import Iterator

from .source import Source

MAX_DEPTH = 20  # of names that stand for names, and of parts in parts
_OWN = frozenset({"sys.executable", "os.sep", "os.devnull"})


def is_fixed(source: Source, node: ast.expr, depth: int = 0) -> bool:
    """Tell whether a value is made of what stands in the file alone.

    That is a constant, a name that the module gives one once and for all,
    or a list, a sum or a text of such.
    """
    if depth > MAX_DEPTH:
        return False
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.Name) and node.id in source.constants:
        return is_fixed(source, source.constants[node.id], depth + 1)
    if isinstance(node, ast.Attribute):
        return source.called(node) in _OWN
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        parts: list[ast.expr] = node.elts
    elif isinstance(node, ast.Dict):
        parts = [part for part in (*node.keys, *node.values) if part]
    elif isinstance(node, ast.JoinedStr):
        parts = node.values
    elif isinstance(node, ast.FormattedValue | ast.Starred):
        parts = [node.value]
    elif isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    else:
        return False
    return all(is_fixed(source, part, depth + 1) for part in parts)


def beginning(source: Source, node: ast.expr) -> str:
    """Return the text with which a value begins, as far as it is fixed."""
    found = ""
    for part in _parts(source, node):
        if not isinstance(part, ast.Constant):
            break
        found += str(part.value)
    return found


def _parts(
    source: Source, node: ast.expr, depth: int = 0
) -> Iterator[ast.expr]:
    """Yield the pieces of a text in their order."""
    if depth > MAX_DEPTH:
        yield node
    elif isinstance(node, ast.Name) and node.id in source.constants:
        yield from _parts(source, source.constants[node.id], depth + 1)
    elif isinstance(node, ast.JoinedStr):
        for value in node.values:
            yield from _parts(source, value, depth + 1)
    elif isinstance(node, ast.FormattedValue) and node.format_spec is None:
        yield from _parts(source, node.value, depth + 1)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _parts(source, node.left, depth + 1)
        yield from _parts(source, node.right, depth + 1)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        yield from _before_percent(source, node.left, depth)
    else:
        yield node


def _before_percent(
    source: Source, node: ast.expr, depth: int
) -> Iterator[ast.expr]:
    """Yield the first piece of a template, up to where something goes in."""
    first = next(_parts(source, node, depth + 1), None)
    if isinstance(first, ast.Constant):
        yield ast.Constant(str(first.value).partition("%")[0])
    yield ast.Tuple([])  # no constant: here the fixed part ends
