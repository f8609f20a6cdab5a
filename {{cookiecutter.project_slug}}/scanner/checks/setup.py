"""How a server is set up: its variables, wherever a file gives them."""

import ast
import contextlib
import math
import operator
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ..container.dockerfiles import dockerfiles
from ..project import Project, Unreadable
from .setup_yaml import plain, variables

MAX_SIZE = 2**20  # bytes of one settings file
_NAME = r"(?P<name>MCP_[A-Z0-9_]+|WORKSPACE_PATH)"
_DOTENV = re.compile(rf"^\s*(?:export\s+)?{_NAME}\s*=\s*(?P<value>.*)")
_UNIT = re.compile(rf"[=\s\"']{_NAME}=(?P<value>[^\s\"']*)")
_JSON = re.compile(rf'"{_NAME}"\s*:\s*"(?P<value>[^"]*)"')
_IMAGE = re.compile(
    rf"(?:\s*ENV)?\s+{_NAME}[= ](?P<value>\"[^\"]*\"|'[^']*'|[^\s\\]*)"
)
_DEFAULT = re.compile(
    r"\$\{(?P<name>\w+)(?::?(?P<mode>[-?+])(?P<rest>[^}]*))?\}|\$(?P<bare>\w+)"
)
_PORT = re.compile(
    r"(?<![\w.:])(?:(?P<host>[\d.]+|\[[\da-fA-F:]+\]|localhost):)?"
    r"\d+:(?P<target>\d+)(?![\w.:])"
)
_WORK: dict[type, Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Mult: operator.mul,
    ast.Pow: math.pow,
    ast.Sub: operator.sub,
}
_CLUSTER = re.compile(r"(^|/)(kubernetes|k8s|helm|charts)/")
_TOLD = re.compile(rb"MCP_|WORKSPACE_PATH")
LOOPBACK = re.compile(r"127\.[\d.]+|\[?::1\]?|localhost")


@dataclass(frozen=True, slots=True)
class Setup:
    """One file's say on the server's variables.

    Attributes:
        kind: ``env``, ``defaults``, ``image``, ``compose``, ``kubernetes`` or
            ``client``.
        given: What the file sets: the value (None where only the run will
            tell), and the line.
        base: What holds for what it does not set.
        published: It opens the server's port to other machines.
    """

    path: str
    kind: str
    given: Mapping[str, tuple[str | None, int]]
    base: Mapping[str, str] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    published: bool = False

    def value(self, name: str) -> str | None:
        """Return what holds; empty where nothing is set, None: unknown."""
        if name in self.given and self.given[name][0] != "":
            return self.given[name][0]
        return self.base.get(name, "")

    def shown(self, name: str) -> str:
        """Return what holds, without what logs in at an address."""
        return re.sub(r"//[^/\s]*@", "//", self.value(name) or "")

    def sets(self, *names: str) -> int:
        """Return the line where it sets the first of these; else 0."""
        lines = (self.given[name][1] for name in names if name in self.given)
        return next(lines, 0)


_Given = dict[str, tuple[str | None, int]]


def setups(project: Project) -> Iterator[Setup | Unreadable]:
    """Yield every file that sets the server's variables.

    One that cannot be read is yielded as the error.

    Raises:
        Unreadable: The variables' names, or the defaults, cannot be read.
    """
    package = project.package
    code = f"{package}/settings.py"
    fields = _fields(project, code)
    known = frozenset({*fields, "MCP_ENV_FILE", "WORKSPACE_PATH"})
    defaults = _defaults(project, f"{package}/defaults.toml", known)
    base = {name: value or "" for name, (value, _) in defaults.given.items()}
    yield defaults
    yield Setup(code, "defaults", _written(fields), base, known)
    local: dict[str, str] = {}
    for path in _paths(project, r"(.*/)?\.env(\..+)?|.*\.(env|service)"):
        unit = path.endswith(".service")
        given = _read(project, path, _UNIT if unit else _DOTENV)
        if isinstance(given, Unreadable):
            yield given
            continue
        kind = "kubernetes" if _CLUSTER.search(path) else "env"
        yield Setup(path, kind, given, base, known)
        if path == ".env":
            local = {name: value or "" for name, (value, _) in given.items()}
    for path in _shipped(dockerfiles(project)):
        given = _read(project, path, _IMAGE)
        if isinstance(given, Unreadable):
            yield given
            continue
        yield Setup(path, "image", given, base, known)
        image = {name: value or "" for name, (value, _) in given.items()}
        base = {**base, **image}
    for path in _paths(
        project, r".*(mcp|claude)[^/]*\.json|(manifest|server)\.json"
    ):
        given = _read(project, path, _JSON, told=_TOLD)
        if isinstance(given, Unreadable):
            yield given
        elif given:
            yield Setup(path, "client", given, base, known)
    yield from _deployed(project, base, local, known)


def _deployed(
    project: Project,
    base: Mapping[str, str],
    local: Mapping[str, str],
    known: frozenset[str],
) -> Iterator[Setup | Unreadable]:
    for path in _paths(project, r"(?!\.github/).*\.ya?ml"):
        try:
            if not project.mentions(path, _TOLD):
                continue
            lines = _lines(project, path)
            every = variables(path, "\n".join(lines))
        except Unreadable as error:
            yield error
            continue
        given = {
            name: (_filled(value, local), line)
            for name, (value, line) in every
            if not _is_passed_on(name, value, local)
        }
        if not given:
            continue
        if re.fullmatch(r"(.*/)?(docker-)?compose[^/]*", path):
            port = given.get("MCP_PORT", ("8080", 0))[0] or "8080"
            open_ = _published(lines, port)
            below = {**base, **local}
            yield Setup(path, "compose", given, below, known, open_)
        else:
            yield Setup(path, "kubernetes", given, base, known)


def _paths(project: Project, pattern: str) -> list[str]:
    """Return the files, and .env, which git does not take."""
    found = project.named(f"(?s){pattern}")
    extra = ".env"
    if re.fullmatch(pattern, extra) and project.exists(extra):
        found = [extra, *(path for path in found if path != extra)]
    return _shipped(found)


def _shipped(paths: Iterable[str]) -> list[str]:
    return [path for path in paths if not path.startswith("tests/")]


def _fields(project: Project, path: str) -> dict[str, ast.AnnAssign]:
    """Read the variables off the class that declares them, by name.

    Raises:
        Unreadable: There is no such class.
    """
    try:
        tree = ast.parse(project.read(path, MAX_SIZE))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unreadable(f"{path} does not parse") from None
    fields = {
        item.target.id: item
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == "Settings"
        for item in node.body
        if isinstance(item, ast.AnnAssign)
        and isinstance(item.target, ast.Name)
    }
    if not fields:
        raise Unreadable(f"{path} declares no settings")
    return {
        name.upper() if name == "workspace_path" else f"MCP_{name.upper()}": x
        for name, x in fields.items()
    }


def _written(fields: Mapping[str, ast.AnnAssign]) -> _Given:
    """Return the defaults that are written out, in a call or without."""
    found: _Given = {}
    for name, field_ in fields.items():
        told = _said(field_.value) if field_.value else None
        if told is not None:
            found[name] = told, field_.lineno
    return found


def _said(value: ast.expr) -> str | None:
    """Return a default as a variable would give it; None where unknown."""
    if isinstance(value, ast.Call):
        named = [k.value for k in value.keywords if k.arg == "default"]
        first = next(iter([*value.args[:1], *named]), None)
        return _said(first) if first else None
    if isinstance(value, ast.Tuple | ast.List):
        return ",".join(filter(None, map(_said, value.elts))) or None
    number = _number(value)
    if number is not None:
        return str(int(number) if number.is_integer() else number)
    return str(value.value) if isinstance(value, ast.Constant) else None


def _number(value: ast.expr) -> float | None:
    """Work out what stands as a sum or a product: ``10 * 2**20``."""
    if isinstance(value, ast.Constant) and type(value.value) in {int, float}:
        with contextlib.suppress(ArithmeticError):
            return float(str(value.value))
    if isinstance(value, ast.BinOp) and type(value.op) in _WORK:
        parts = _number(value.left), _number(value.right)
        with contextlib.suppress(ArithmeticError, TypeError, ValueError):
            return _WORK[type(value.op)](*parts)
    return None


def _defaults(project: Project, path: str, known: frozenset[str]) -> Setup:
    """Read the answers that were given when the project was generated."""
    lines = _lines(project, path)
    try:
        values = tomllib.loads("\n".join(lines))
    except (ValueError, RecursionError):
        raise Unreadable(f"{path} is no TOML") from None
    given = {
        name: (str(value), _line(lines, name))
        for name, value in values.items()
    }
    return Setup(path, "defaults", given, {}, known)


def _line(lines: list[str], name: str) -> int:
    starts = (n for n, x in enumerate(lines, 1) if x.startswith(name))
    return next(starts, 1)


def _lines(project: Project, path: str) -> list[str]:
    return project.text(path, MAX_SIZE).splitlines()


def _read(
    project: Project,
    path: str,
    pattern: re.Pattern[str],
    told: re.Pattern[bytes] | None = None,
) -> _Given | Unreadable:
    """Return a file's assignments, or why it cannot be read.

    A file of any size in which not one variable is told sets nothing.
    """
    try:
        if told is None or project.mentions(path, told):
            return dict(_assignments(project, path, pattern))
    except Unreadable as error:
        return error
    return {}


def _assignments(
    project: Project, path: str, pattern: re.Pattern[str]
) -> Iterator[tuple[str, tuple[str | None, int]]]:
    """Yield the variables of a file of assignments, the last one winning."""
    for number, line in enumerate(_lines(project, path), 1):
        if line.lstrip().startswith("#"):
            continue
        for found in pattern.finditer(line):
            yield found["name"], (plain(found["value"]), number)


def _is_passed_on(
    name: str, value: str | None, local: Mapping[str, str]
) -> bool:
    """Tell ``NAME: ${NAME:-…}`` that .env gives: it is told of there."""
    found = _DEFAULT.fullmatch(value or "")
    return bool(found and name in local and name in found.groups())


def _filled(value: str | None, local: Mapping[str, str]) -> str | None:
    """Put in what compose would; None where it stands outside the project."""
    found = _DEFAULT.search(value or "")
    if value is None or found is None:
        return value
    name = found["name"] or found["bare"] or ""
    filled = local.get(name)
    if filled is None and found["mode"] == "-":
        filled = found["rest"]
    return None if filled is None else _DEFAULT.sub(lambda _: filled, value)


def _published(lines: list[str], port: str) -> bool:
    """Tell whether compose opens the server's port beyond this machine."""
    opened = [
        found["host"] or ""
        for line in lines
        for found in _PORT.finditer(_filled(line, {}) or "")
        if found["target"] == port
    ]
    return not all(map(LOOPBACK.fullmatch, opened))
