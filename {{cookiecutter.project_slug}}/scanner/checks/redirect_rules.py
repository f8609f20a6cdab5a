"""Answers that send a browser wherever a link says."""

import ast
from collections import defaultdict
from collections.abc import Iterator

from ..rules import Hit
from ..ruletable import ruled
from .source import Source

_ASKED = frozenset({"GET", "POST", "args", "form", "query_params", "values"})
_REQUESTS = frozenset({"req", "request"})
_REDIRECTS = ("RedirectResponse", "redirect")
_CHECKS = frozenset(
    {"hostname", "is_safe_url", "netloc", "startswith"}
    | {"url_has_allowed_host_and_scheme"}
)
module_rule = ruled(__file__, on="")


@module_rule("MCP-CODE-033")
def open_redirect(source: Source) -> Iterator[Hit]:
    """A link to this server, which people trust, then leads anywhere.

    After a login the browser takes codes and tokens along (OAuth 2.1, 7.12.2).
    Send it to a path of your own, or to one of the addresses that you know.
    """
    calls = [call for call in source.calls if _redirects(source, call)]
    if not calls:
        return
    given: dict[str, list[ast.expr]] = defaultdict(list)
    for node in source.each(ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                given[target.id].append(node.value)
    checked = {
        part.id
        for node in source.nodes
        if isinstance(node, ast.Call | ast.Compare) and _checks(node)
        for part in ast.walk(node)
        if isinstance(part, ast.Name)
    }
    for call in calls:
        where = [*call.args[:1], *(k.value for k in call.keywords)]
        for part in map(_first, where):
            name = part.id if isinstance(part, ast.Name) else ""
            values = given[name] if name else [part]
            if name not in checked and any(map(_is_asked, values)):
                yield source.hit(call, "the request says where it leads")
                break


def _first(part: ast.expr) -> ast.expr:
    """Return what comes first of ``to or "/"``."""
    return part.values[0] if isinstance(part, ast.BoolOp) else part


def _redirects(source: Source, call: ast.Call) -> bool:
    name = source.called(call.func) or getattr(call.func, "attr", "")
    return name.rpartition(".")[2] in _REDIRECTS


def _is_asked(value: ast.expr) -> bool:
    """Tell ``request.query_params["next"]``, ``request.args.get("next")``."""
    return any(
        isinstance(part, ast.Attribute)
        and part.attr in _ASKED
        and isinstance(part.value, ast.Name)
        and part.value.id in _REQUESTS
        for part in _outer(value)
    )


def _outer(value: ast.expr) -> Iterator[ast.expr]:
    """Yield a value and what it is taken from; the first word of a text."""
    node: ast.expr | None = value
    while node is not None:
        yield node
        if isinstance(node, ast.Attribute | ast.Subscript | ast.Await):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.BoolOp):
            node = node.values[0]
        else:
            node = None


def _checks(node: ast.Call | ast.Compare) -> bool:
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", "") or getattr(node.func, "id", "")
        return name in _CHECKS
    return any(
        isinstance(op, ast.In | ast.NotIn | ast.Eq | ast.NotEq)
        for op in node.ops
    )
