"""What a tool hands to its caller beyond files, programs and addresses."""

import ast
import re
from collections.abc import Iterator

from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .confinement import confined_names
from .registrations import flows
from .source import Source
from .taint import Tool, given, reached, tool_calls, tools

IMPORTERS = frozenset(
    {"__import__", "compile", "importlib.import_module", "ctypes.CDLL"}
    | {"importlib.util.spec_from_file_location"}
    | {"ctypes.cdll.LoadLibrary"}
    | {"importlib.reload", "pydoc.locate", "runpy.run_module"}
    | {"runpy.run_path", "types.FunctionType"}
    # These calculate with eval, or with what comes to it.
    | {"numexpr.evaluate", "pandas.eval", "sympy.parse_expr"}
    | {"sympy.parsing.sympy_parser.parse_expr", "sympy.sympify"}
)
TEMPLATES = ("jinja2.Template", "mako.template.Template", "from_string")
DATABASES = frozenset(
    {"c", "con", "conn", "connection", "cur", "cursor", "database", "db"}
    | {"engine", "session", "transaction", "tx"}
)
CONNECTORS = ("connect", "cursor", "create_engine", "begin", "Session")
STATEMENTS = frozenset(
    {"execute", "executemany", "executescript", "fetch", "fetch_all"}
    | {"fetch_one", "fetchrow", "fetchval"}
)
EVERY_STATEMENT = frozenset({"exec_driver_sql", "executescript"})
# How a filter begins, by the method to which it goes: LDAP's, XPath's.
LDAP = re.compile(r"\([\w()&|!-]*=.*\x00")
FILTERS = {
    **dict.fromkeys(
        ("search", "search_ext", "search_ext_s", "search_s"), LDAP
    ),
    "xpath": re.compile(r"/.*\x00"),
}
SCRIPTS = frozenset({"$accumulator", "$function", "$where"})
_LISTINGS = frozenset({"getmembers", "getnames", "infolist", "namelist"})
_OPENERS = frozenset({"open", "io.open", "os.open"})
_METHODS = frozenset({"mkdir", "open", "write_bytes", "write_text"})
READERS = frozenset(
    {"pandas.read_sql", "pandas.read_sql_query", "polars.read_database"}
)
MATCHERS = frozenset(
    f"re.{name}"
    for name in ("compile", "findall", "finditer", "fullmatch", "match")
) | {"re.search", "re.split", "re.sub", "re.subn"}
LONG = 600  # seconds
_LEAVING = ast.Await | ast.Break | ast.Raise | ast.Return | ast.Yield
tool_rule = ruled(__file__, on="tool")


@tool_rule("MCP-CODE-012")
def fixed_code(source: Source) -> Iterator[Hit]:
    """A module is run when it is imported, and what it offers can do all.

    A caller who names the module, or the attribute that is taken of one,
    picks what the server runs. Look the name up in a table of your own.
    """
    used = {call.func for call in source.calls}
    for tool, call in tool_calls(source):
        name = source.called(call.func)
        parts = call.args[:2] if "spec_from" in name else call.args[:1]
        calculates = name in IMPORTERS or _calculates(source, call, tool)
        if calculates and any(given(part, tool) for part in parts):
            yield source.hit(call, f"{tool.name} runs what its caller names")
        picks = name in {"getattr", "setattr"} and len(call.args) > 1
        module = picks and (
            name == "setattr" or source.called(call.args[0]) in source.modules
        )
        if module and given(call.args[1], tool):
            message = f"{tool.name} takes or sets what its caller names"
            severity = None if call in used else Severity.MEDIUM
            yield source.hit(call, message, severity)


@tool_rule("MCP-CODE-040")
def archived_name(source: Source) -> Iterator[Hit]:
    """``../`` in an archive's names leads out of the folder (zip slip).

    What unpacks for itself opens whatever path the archive's maker wrote;
    ``extractall`` of zipfile and tarfile's filter ``data`` do not. A path
    that is asked where it lies, or refused for its ``..``, is let be.
    """
    for loop in source.nodes:
        if not isinstance(loop, ast.For | ast.comprehension):
            continue
        listing = loop.iter if isinstance(loop.iter, ast.Call) else None
        if listing is None or method(listing) not in _LISTINGS:
            continue
        nodes = list(ast.walk(loop))
        steps = list(flows(nodes))
        names = reached(steps, frozenset(_names(loop.target)))
        confined = confined_names(nodes, steps)
        constants = (n for n in nodes if isinstance(n, ast.Constant))
        asked = any(node.value == ".." for node in constants)
        for call in nodes if not asked else ():
            if isinstance(call, ast.Call) and any(
                name in names and not confined.at(name, call)
                for part in _opened(source, call)
                for name in _names(part)
            ):
                yield source.hit(call, "it opens what the archive names")
                break


@tool_rule("MCP-CODE-013")
def fixed_template(source: Source) -> Iterator[Hit]:
    """A template is a program: ``{{ ''.__class__ … }}`` reaches every class.

    ``str.format`` does not call, but reads any attribute. The caller's words
    are for the values, not for the template.
    """
    for tool, call in tool_calls(source):
        name = source.called(call.func) or method(call)
        template = call.args[0] if call.args else None
        if name.endswith(TEMPLATES) and template and given(template, tool):
            yield source.hit(call, f"{tool.name} renders its caller's words")
        elif method(call) == "format" and _is_given(call, tool):
            message = f"{tool.name} formats by its caller's words"
            yield source.hit(call, message, Severity.HIGH)


@tool_rule("MCP-CODE-014")
def fixed_statement(source: Source) -> Iterator[Hit]:
    """Whoever writes the statement reads, changes and drops every table.

    Write the statements yourself, and hand the caller's words in as
    parameters; a connection that can only read is the second line.
    """
    for tool, call in tool_calls(source):
        if not isinstance(call.func, ast.Attribute) or not call.args:
            continue
        reads = source.called(call.func) in READERS
        stated = call.func.attr in STATEMENTS and _is_database(
            source, call.func.value, tool
        )
        asks = stated or reads or call.func.attr in EVERY_STATEMENT
        if asks and given(call.args[0], tool):
            yield source.hit(call, f"{tool.name} runs its caller's SQL")


@tool_rule("MCP-CODE-030")
def fixed_filter(source: Source) -> Iterator[Hit]:
    """A filter that is put together from text is a caller's to complete.

    ``(uid=*)`` finds everybody, ``' or '1'='1`` every element, and MongoDB's
    ``$where`` runs JavaScript. Escape the words, or hand them in apart.
    """
    for tool in tools(source):
        for node in ast.walk(tool.node):
            if isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                scripts = [v for k, v in pairs if _is_script(k)]
                if any(given(script, tool) for script in scripts):
                    message = f"{tool.name} runs its caller's script"
                    yield source.hit(node, message)
            elif isinstance(node, ast.Call) and method(node) in FILTERS:
                filter_ = FILTERS[method(node)]
                parts = [part for part in node.args if given(part, tool)]
                if any(filter_.search(_shape(part)) for part in parts):
                    message = f"{tool.name} puts its caller's words in"
                    yield source.hit(node, message)


@tool_rule("MCP-CODE-036")
def escaped_page(source: Source) -> Iterator[Hit]:
    """A script in them runs in the page, with what its reader may do."""
    for tool, call in tool_calls(source):
        last = source.called(call.func).rpartition(".")[2]
        parts = [*call.args[:1], *(k.value for k in call.keywords)]
        raw = (
            node
            for part in parts
            if "\0" in _shape(part)
            for node in ast.walk(part)
            if isinstance(node, ast.Name) and given(node, tool)
        )
        if last in {"HTMLResponse", "Markup"} and not all(
            tool.comes_from(node.id, ("escape",), ending=True) for node in raw
        ):
            yield source.hit(call, f"{tool.name} shows its caller's words")


@tool_rule("MCP-CODE-016")
def fixed_pattern(source: Source) -> Iterator[Hit]:
    """``(a+)+$`` takes an hour over thirty letters (CWE-1333).

    ``re`` cannot be stopped, and holds the interpreter while it searches:
    one call of such a tool is the server's last. Search for plain text, or
    in a process with a time limit.
    """
    for tool, call in tool_calls(source):
        if source.called(call.func) in MATCHERS and call.args:
            pattern = call.args[0]
            if given(pattern, tool) and not _escaped(source, pattern):
                message = f"{tool.name} searches by its caller's pattern"
                yield source.hit(call, message)


@tool_rule("MCP-CODE-042")
def ending(source: Source) -> Iterator[Hit]:
    """The caller is told that its time is up; what it began goes on.

    A thread cannot be stopped: it keeps its place, and with the last place
    taken no tool of the server works any more.
    """
    for tool in tools(source):
        for call in tool.calls:
            if source.called(call.func) == "time.sleep" and _is_long(
                source, tool, call
            ):
                yield source.hit(call, f"{tool.name} sleeps without a bound")
        for loop in ast.walk(tool.node):
            if isinstance(loop, ast.While) and _is_endless(loop):
                yield source.hit(loop, f"{tool.name} goes round for ever")


@tool_rule("MCP-CODE-044")
def asserted(source: Source) -> Iterator[Hit]:
    """``assert`` is for what cannot be; what a caller sends can be anything.

    With ``-O`` or ``PYTHONOPTIMIZE`` it is not there, and nobody is refused.
    """
    for tool in tools(source):
        for node in ast.walk(tool.node):
            if isinstance(node, ast.Assert) and given(node.test, tool):
                yield source.hit(node, f"{tool.name} asserts what it is given")


def _is_long(source: Source, tool: Tool, call: ast.Call) -> bool:
    """Tell a wait of ten minutes, or an unbounded one of a caller's."""
    seconds = call.args[0] if call.args else None
    if isinstance(seconds, ast.Constant):
        return isinstance(seconds.value, int | float) and seconds.value > LONG
    spec = tool.node.args
    every = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    steps = list(flows(list(ast.walk(tool.node))))
    theirs = reached(steps, frozenset(a.arg for a in every))
    if seconds is None or theirs.isdisjoint(
        n.id for n in ast.walk(seconds) if isinstance(n, ast.Name)
    ):
        return False
    kinds = [a.annotation for a in every]
    named = [source.constants.get(getattr(k, "id", ""), k) for k in kinds if k]
    parts = [n for part in (*named, tool.node) for n in ast.walk(part)]
    return not any(
        (isinstance(n, ast.keyword) and n.arg in {"le", "lt"})
        or isinstance(n, ast.Compare)
        or (isinstance(n, ast.Call) and source.called(n.func) == "min")
        for n in parts
    )


def _is_endless(loop: ast.While) -> bool:
    """Tell ``while True`` that nothing leaves, nor waits to be stopped."""
    test = loop.test
    parts = [n for step in loop.body for n in ast.walk(step)]
    return (
        isinstance(test, ast.Constant)
        and bool(test.value)
        and not any(isinstance(n, _LEAVING) for n in parts)
    )


def _opened(source: Source, call: ast.Call) -> list[ast.expr]:
    """Return the paths that a call opens or makes; none if it does neither."""
    if source.called(call.func) in _OPENERS:
        return call.args
    if isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS:
        return [call.func.value]
    bare = not any(k.arg == "filter" for k in call.keywords)
    untars = "tarfile" in source.modules and method(call) == "extract"
    return call.args[:1] if untars and bare else []


def _names(part: ast.AST) -> Iterator[str]:
    return (n.id for n in ast.walk(part) if isinstance(n, ast.Name))


def method(call: ast.Call) -> str:
    """Return the name of the method that is called; else nothing."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _calculates(source: Source, call: ast.Call, tool: Tool) -> bool:
    """Tell a data frame's ``eval`` and ``query``."""
    if method(call) == "eval":
        return True
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    name = source.called(owner) if owner else ""
    framed = tool.comes_from(name, ("pandas.", "polars."))
    return framed and method(call) == "query"


def _is_script(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value in SCRIPTS


def _shape(part: ast.expr) -> str:
    """Return a text that is put together, with NUL for each word put in.

    What a function makes harmless (``escape_filter_chars``) is left out.
    """
    if isinstance(part, ast.JoinedStr):
        return "".join(map(_shape, part.values))
    if isinstance(part, ast.BinOp):
        return _shape(part.left) + _shape(part.right)
    if isinstance(part, ast.Constant):
        return str(part.value)
    calls = (node for node in ast.walk(part) if isinstance(node, ast.Call))
    names = (getattr(x.func, "id", "") or method(x) for x in calls)
    return "" if any("escape" in name for name in names) else "\0"


def _is_given(call: ast.Call, tool: Tool) -> bool:
    """Tell whether a method is the caller's own text's."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(owner, ast.Name) and owner.id in tool.theirs


def _is_database(source: Source, owner: ast.expr, tool: Tool) -> bool:
    """Tell a connection by its name, or by what it comes from."""
    if isinstance(owner, ast.Call):
        return method(owner) in CONNECTORS
    name = source.called(owner).rpartition(".")[2]
    if name.lower().lstrip("_") in DATABASES:
        return True
    return tool.comes_from(name, CONNECTORS, ending=True)


def _escaped(source: Source, pattern: ast.expr) -> bool:
    return any(
        isinstance(part, ast.Call) and source.called(part.func) == "re.escape"
        for part in ast.walk(pattern)
    )
