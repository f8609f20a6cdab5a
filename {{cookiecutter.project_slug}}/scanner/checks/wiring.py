"""Which controls and settings a package has, and which have an effect."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ..rules import Hit
from .registrations import FUNCTIONS
from .source import Source

FRAMEWORK = frozenset(
    {"fastmcp.FastMCP", "fastmcp.server.FastMCP"}
    | {"fastmcp.server.server.FastMCP", "mcp.server.fastmcp.FastMCP"}
)
_MIDDLEWARE = ("fastmcp.server.middleware.", "fastmcp.server.Middleware")
_ASGI = ["self", "scope", "receive", "send"]
_MOUNTERS = frozenset({"import_server", "mount"})


@dataclass(frozen=True, slots=True)
class Control:
    """A class through which calls are meant to pass.

    Attributes:
        bases: The last words of the names of what it is made from.
        known: It is the framework's middleware, or a layer of ASGI.
    """

    name: str
    bases: frozenset[str]
    known: str
    hit: Hit


@dataclass(frozen=True, slots=True)
class Server:
    """A place where a server is made, and what it is given.

    Attributes:
        name: The last word of what is called.
        framework: It is FastMCP by its whole name.
        lacks: What it is not given: ``middleware``, ``auth``.
    """

    name: str
    framework: bool
    lacks: frozenset[str]
    hit: Hit


@dataclass(slots=True)
class Wiring:
    """What all files of a package say together.

    Attributes:
        guards: Functions of a module's own that refuse something.
        settings: The fields of the class ``Settings``.
        used: Every name that is looked up anywhere in the package.
        read: Every attribute that is, and every word in its texts.
        passed: The classes through which calls pass, as far as lists tell.
        notes: By file, the comments that speak to a linter.
        whole: Every list of them could be read.
        lists: How many there are.
    """

    controls: list[Control] = field(default_factory=list)
    servers: list[Server] = field(default_factory=list)
    guards: list[Control] = field(default_factory=list)
    settings: list[Control] = field(default_factory=list)
    bases: dict[str, frozenset[str]] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    notes: dict[str, dict[int, str]] = field(default_factory=dict)
    whole: bool = True
    lists: int = 0

    def add(self, source: Source) -> None:
        """Take in one file of the package."""
        if source.notes:
            self.notes[source.path] = source.notes
        self.used |= {
            node.id
            for node in source.nodes
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        self.read |= {
            word
            for node in source.nodes
            for word in (
                getattr(node, "attr", None),
                getattr(node, "value", None),
            )
            if isinstance(word, str)
        }
        self.guards += _guards(source)
        self.settings += _settings(source)
        for node in source.each(ast.ClassDef):
            plain = [
                base.value if isinstance(base, ast.Subscript) else base
                for base in node.bases
            ]
            names = [source.called(base) for base in plain]
            last = frozenset(name.rpartition(".")[2] for name in names)
            self.bases[node.name] = last
            known = "asgi" if _is_layer(node) else ""
            if any(name.startswith(_MIDDLEWARE) for name in names):
                known = "middleware"
            hit = source.hit(node, f"no call passes {node.name}")
            self.controls.append(Control(node.name, last, known, hit))
        for value in _lists(source):
            self._add_list(source, value)
        self.servers += _servers(source)

    def framework(self, server: Server) -> bool:
        """Tell whether it is FastMCP that is made, or a class made of it."""
        name, seen = server.name, set[str]()
        while not server.framework and name not in seen:
            seen.add(name)
            bases = self.bases.get(name, frozenset())
            if "FastMCP" in bases:
                return True
            name = next(iter(bases), name)
        return server.framework

    def kind(self, control: Control) -> str:
        """Return what a class is, by itself or by what it is made from."""
        known = {each.name: each.known for each in self.controls}
        name, seen = control.name, set[str]()
        while name not in seen:
            seen.add(name)
            if known.get(name):
                return known[name]
            name = next(iter(self.bases.get(name, ())), name)
        return ""

    def _add_list(self, source: Source, value: ast.expr) -> None:
        items = _items(source, value)
        self.lists += 1
        if items is None:
            self.whole = False
            return
        for item in items:
            self.passed |= _classes(source, item)


def _guards(source: Source) -> Iterator[Control]:
    """Yield the module's own functions that refuse something."""
    for node in getattr(source.nodes[0], "body", ()):
        own = isinstance(node, FUNCTIONS) and node.name.startswith("_")
        if not own or node.decorator_list:
            continue
        if any(
            isinstance(step, ast.Raise | ast.Yield | ast.YieldFrom)
            for step in ast.walk(node)
        ):
            hit = source.hit(node, f"nothing calls {node.name}")
            yield Control(node.name, frozenset(), "guard", hit)


def _settings(source: Source) -> Iterator[Control]:
    for kind in source.each(ast.ClassDef):
        for step in kind.body if kind.name == "Settings" else ():
            if isinstance(step, ast.AnnAssign) and isinstance(
                step.target, ast.Name
            ):
                name = step.target.id
                hit = source.hit(step, f"nothing reads {name}")
                yield Control(name, frozenset(), "setting", hit)


def _is_layer(node: ast.ClassDef) -> bool:
    """Tell a layer of ASGI: it is called with scope, receive and send."""
    return any(
        isinstance(step, ast.AsyncFunctionDef)
        and step.name == "__call__"
        and [arg.arg for arg in step.args.args] == _ASGI
        for step in node.body
    )


def _lists(source: Source) -> Iterator[ast.expr]:
    """Yield what is given as ``middleware=``, and to ``add_middleware``."""
    for call in source.calls:
        for given in call.keywords:
            if given.arg == "middleware":
                yield given.value
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if method == "add_middleware" and call.args:
            yield ast.List([call.args[0]])


def _items(source: Source, value: ast.expr) -> list[ast.expr] | None:
    """Return a list's items; None where the file does not show them all."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        made = [
            node
            for node in source.nodes
            if isinstance(node, FUNCTIONS) and node.name == value.func.id
        ]
        returned = [
            step.value
            for node in made
            for step in ast.walk(node)
            if isinstance(step, ast.Return) and step.value is not None
        ]
        value = returned[0] if len(returned) == 1 else value
    if isinstance(value, ast.Name):
        given = _named(source, value.id)
        value = given[0] if len(given) == 1 else value
    if not isinstance(value, ast.List | ast.Tuple):
        return None
    starred = any(isinstance(item, ast.Starred) for item in value.elts)
    return None if starred else value.elts


def _classes(source: Source, item: ast.expr) -> set[str]:
    """Return what an item may be made of: a class, or a name for one."""
    if isinstance(item, ast.Call):
        names = {source.called(item.func).rpartition(".")[2]}
        return names | {
            each
            for part in item.args[:1]  # Middleware(Class, …)
            for each in _classes(source, part)
        }
    if not isinstance(item, ast.Name):
        return set()
    found = {item.id}
    for value in _named(source, item.id):
        if isinstance(value, ast.Call):
            found.add(source.called(value.func).rpartition(".")[2])
    for arg in source.each(ast.arg):
        if arg.arg == item.id and arg.annotation is not None:
            found.add(source.called(arg.annotation).rpartition(".")[2])
    return found


def _named(source: Source, name: str) -> list[ast.expr]:
    return [
        node.value
        for node in source.each(ast.Assign)
        if any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
    ]


def _servers(source: Source) -> Iterator[Server]:
    """Yield where FastMCP is made, or something that may be made of it."""
    mounted = {
        part.id
        for call in source.calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in _MOUNTERS
        for part in call.args
        if isinstance(part, ast.Name)
    }
    inner = {
        id(node.value)
        for node in source.each(ast.Assign)
        for name in node.targets
        if isinstance(name, ast.Name) and name.id in mounted
    }
    for call in source.calls:
        called = source.called(call.func)
        name = called.rpartition(".")[2]
        given = {each.arg: each.value for each in call.keywords}
        if None in given or id(call) in inner or not name[:1].isupper():
            continue
        framework = called in FRAMEWORK
        if framework or given.keys() & {"lifespan", "middleware"}:
            lacks = frozenset(
                key for key in ("auth", "middleware") if _lacks(given, key)
            )
            hit = replace(source.hit(call, name), anchor=f"server {name}")
            yield Server(name, framework, lacks, hit)


def _lacks(given: dict[str | None, ast.expr], key: str) -> bool:
    value = given.get(key)
    empty = isinstance(value, ast.List | ast.Tuple) and not value.elts
    none = isinstance(value, ast.Constant) and value.value is None
    return value is None or empty or none
