"""Which functions of a file a model can call."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .source import Source

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Function = FunctionNode | ast.Lambda
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# FastMCP's own, and those of the SDK's low-level server.
_DECORATORS = frozenset(
    {"call_tool", "get_prompt", "prompt", "read_resource", "resource", "tool"}
)
_ADDERS = frozenset(
    {"add_prompt", "add_resource", "add_resource_fn", "add_template"}
    | {"add_tool", "from_function"}
)
_REQUESTS = frozenset({"fastapi.Request", "starlette.requests.Request"})
_HANDED = frozenset({"fn", "func", "function", "handler"})


@dataclass(frozen=True, slots=True)
class Functions:
    """The functions of a file, by what can be called.

    A method does not hide a function of the same name, nor a function a
    method.

    Attributes:
        plain: Those of the module and those inside of others, by name.
        methods: Those of each class, by the class and the name.
        owners: The class of each method.
    """

    plain: Mapping[str, list[Function]]
    methods: Mapping[tuple[ast.ClassDef, str], list[Function]]
    owners: Mapping[Function, ast.ClassDef]

    def arguments(self, node: Function) -> list[ast.arg]:
        """Return what a call by position gives; not the object itself."""
        spec = node.args
        places = [*spec.posonlyargs, *spec.args]
        static = any(
            isinstance(item, ast.Name) and item.id == "staticmethod"
            for item in getattr(node, "decorator_list", ())
        )
        return places[1:] if node in self.owners and not static else places


def functions(source: Source) -> Functions:
    """Sort a file's functions, whatever is defined inside of what."""
    methods: dict[tuple[ast.ClassDef, str], list[Function]] = {}
    owners: dict[Function, ast.ClassDef] = {}
    for kind in source.each(ast.ClassDef):
        for method in _directly_in(kind):
            methods.setdefault((kind, method.name), []).append(method)
            owners[method] = kind
    plain: dict[str, list[Function]] = defaultdict(list)
    for node in source.nodes:
        if isinstance(node, FUNCTIONS) and node not in owners:
            plain[node.name].append(node)
    return Functions(dict(plain), methods, owners)


def registered(source: Source, known: Functions) -> Iterator[Function]:
    """Yield what is under ``@tool``, or is added in any of FastMCP's ways.

    So is what another file adds, which is what ``tools/`` offers, and what
    answers an HTTP request.
    """
    names = _aliases(source)
    offered = _offered(source)
    for node in (*_all(known.plain), *_all(known.methods)):
        if isinstance(node, FUNCTIONS) and (
            node in offered
            or _answers(source, node)
            or any(
                _registers(source, item, names) for item in node.decorator_list
            )
        ):
            yield node
    finder = _Finder(source, known)
    for call in source.calls:
        adds = _last(call.func) in _ADDERS
        if adds or _registers(source, call.func, names):
            yield from finder.among(call)
    for (kind, name), nodes in known.methods.items():
        if name == "run" and any(_is_tool(source, x) for x in kind.bases):
            yield from nodes


def _all(
    table: Mapping[str, list[Function]]
    | Mapping[tuple[ast.ClassDef, str], list[Function]],
) -> Iterator[Function]:
    for nodes in table.values():
        yield from nodes


def _offered(source: Source) -> frozenset[ast.AST]:
    """Return the public functions of a module in the package's ``tools``."""
    here = source.path.split("/")
    if here[1:-1] != ["tools"] or here[-1] == "__init__.py":
        return frozenset()
    return frozenset(
        node
        for node in getattr(source.nodes[0], "body", ())
        if isinstance(node, FUNCTIONS) and not node.name.startswith("_")
    )


def _answers(source: Source, node: FunctionNode) -> bool:
    return any(
        arg.annotation and source.called(arg.annotation) in _REQUESTS
        for arg in node.args.args
    )


class _Finder:
    """Finds the functions for which an expression stands."""

    def __init__(self, source: Source, known: Functions) -> None:
        self._known = known
        self._bound: dict[str, list[ast.expr]] = defaultdict(list)
        for target, value in flows(source.nodes):
            if isinstance(target, ast.Name):
                self._bound[target.id].append(value)
        self._methods: dict[str, list[Function]] = defaultdict(list)
        for (_, name), nodes in known.methods.items():
            self._methods[name] += nodes

    def among(self, call: ast.Call) -> Iterator[Function]:
        """Yield those that are handed to a call."""
        parts = [*call.args]
        parts += [k.value for k in call.keywords if k.arg in _HANDED]
        for part in parts:
            yield from self._meant(part, follow=True)

    def _meant(self, part: ast.expr, *, follow: bool) -> Iterator[Function]:
        """Yield what a name, a method or a wrapper of them stands for."""
        waiting = [part]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.Lambda):
                yield node
            elif isinstance(node, ast.Attribute):
                yield from self._methods.get(node.attr, ())
            elif isinstance(node, ast.Tuple | ast.List | ast.Set):
                waiting += node.elts
            elif isinstance(node, ast.Call):
                waiting += node.args
            elif isinstance(node, ast.Name):
                found = self._known.plain.get(node.id, [])
                yield from found
                if follow and not found:
                    for value in self._bound.pop(node.id, ()):
                        yield from self._meant(value, follow=False)


def _directly_in(
    kind: ast.ClassDef,
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the methods, also those that a condition decides on."""
    waiting: list[ast.AST] = [*kind.body]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, FUNCTIONS):
            yield node
        elif not isinstance(node, ast.ClassDef | ast.expr):
            waiting += ast.iter_child_nodes(node)


def _aliases(source: Source) -> frozenset[str]:
    """Return every name that a decorator has here."""
    names = set(_DECORATORS)
    for node in source.nodes:
        if isinstance(node, ast.ImportFrom):
            names |= {
                item.asname
                for item in node.names
                if item.asname and item.name in _DECORATORS
            }
        elif isinstance(node, ast.Assign) and _registers(
            source, node.value, names
        ):
            names |= {x.id for x in node.targets if isinstance(x, ast.Name)}
    return frozenset(names)


def _registers(
    source: Source, decorator: ast.expr, names: set[str] | frozenset[str]
) -> bool:
    """Tell ``tool``, ``tool(…)``, ``mcp.tool(…)`` and a partial of them."""
    if isinstance(decorator, ast.Call):
        called = decorator.func
        if source.called(called).endswith("partial") and decorator.args:
            called = decorator.args[0]
        decorator = called
    if isinstance(decorator, ast.Name):
        return decorator.id in names
    return _last(decorator) in _DECORATORS


def _last(called: ast.expr) -> str:
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def _is_tool(source: Source, base: ast.expr) -> bool:
    name = source.called(base)
    return name.startswith("fastmcp.") and name.endswith(".Tool")


def flows(nodes: list[ast.AST]) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield each place where a value gets a name."""
    for step in nodes:
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
