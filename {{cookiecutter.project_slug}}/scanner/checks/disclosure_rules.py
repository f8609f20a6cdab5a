"""What a tool gives away: the environment, errors, secrets and tokens."""

import ast
import re
from collections.abc import Collection, Iterator

from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .credential_rules import SECRET
from .registrations import flows
from .source import Source, written
from .taint import Tool, given, tool_calls, tools
from .tool_rules import method

_ALL_SETTINGS = re.compile(
    r"\bsettings\.model_dump(?:_json)?\((?!.*\binclude=)|\bsettings\.__dict__"
    r"|^(?:dict|vars|repr|str)\((?:.*\.)?settings\)$|\)\.settings$"
)
tool_rule = ruled(__file__, on="tool")


@tool_rule("MCP-CODE-015")
def kept_environment(source: Source) -> Iterator[Hit]:
    """The environment is where the server's own secrets come in.

    A tool that returns it, or any variable that its caller names, tells them
    to the model, and to everybody who can read the conversation.
    """
    for tool in tools(source):
        names = {
            target.id
            for target, value in flows(list(ast.walk(tool.node)))
            if isinstance(target, ast.Name)
            and _whole_environment(source, value)
        }
        for node in ast.walk(tool.node):
            if isinstance(node, ast.Return) and node.value is not None:
                if _whole_environment(source, node.value, names):
                    message = f"{tool.name} returns the environment"
                    yield source.hit(node, message, Severity.CRITICAL)
                elif any(
                    _is_secret(name)
                    for part in _put_in(node.value)
                    for name in _variables(source, part)
                ) or any(
                    isinstance(part, ast.Call)
                    and method(part) == "get_secret_value"
                    for part in _put_in(node.value)
                ):
                    yield source.hit(node, f"{tool.name} returns a secret")
                elif any(
                    _ALL_SETTINGS.search(written(part))
                    for part in _put_in(node.value)
                ):
                    message = f"{tool.name} returns every setting"
                    yield source.hit(node, message, Severity.MEDIUM)
            elif isinstance(node, ast.expr) and any(
                given(name, tool) for name in _variables(source, node)
            ):
                message = f"{tool.name} reads what its caller names"
                yield source.hit(node, message)


@tool_rule("MCP-CODE-023")
def told_error(source: Source) -> Iterator[Hit]:
    """Paths, queries, addresses and keys stand in the text of an error.

    FastMCP keeps what it does not know to itself; a tool that catches every
    error and returns its text, or the whole stack, hands it to the model.
    """
    for tool in tools(source):
        for handler in ast.walk(tool.node):
            if isinstance(handler, ast.ExceptHandler):
                yield from _told(source, tool, handler)


@tool_rule("MCP-CODE-043")
def printed(source: Source) -> Iterator[Hit]:
    """On stdio, stdout is the protocol's: one line more, and clients give up.

    Where the server has put it out of harm's way, the line stands beside the
    audit log, without a time or a client, and with whatever was said.
    """
    for tool, call in tool_calls(source):
        if source.called(call.func) in {"print", "sys.stdout.write"}:
            yield source.hit(call, f"{tool.name} prints")


@tool_rule("MCP-CODE-045")
def passed_on(source: Source) -> Iterator[Hit]:
    """A token was made out to this server, and is good for nothing else.

    Whoever passes it on lets the other service believe that the user asked
    for it there, and hands it to whoever runs that service. The MCP
    specification forbids it (authorization: token passthrough).
    """
    for tool in tools(source):
        for sent in (
            n for n in ast.walk(tool.node) if isinstance(n, ast.Dict)
        ):
            for key, value in zip(sent.keys, sent.values, strict=True):
                said = key.value if isinstance(key, ast.Constant) else ""
                if str(said).lower() == "authorization" and any(
                    _is_heard(tool, part) for part in _put_in(value)
                ):
                    message = f"{tool.name} passes a caller's token on"
                    yield source.hit(value, message)


def _told(
    source: Source, tool: Tool, handler: ast.ExceptHandler
) -> Iterator[Hit]:
    kind = handler.type
    broad = kind is None or source.called(kind) in {
        "BaseException",
        "Exception",
    }
    for node in ast.walk(handler):
        value = node.value if isinstance(node, ast.Return) else None
        value = node.exc if isinstance(node, ast.Raise) else value
        if value is None or not isinstance(node, ast.stmt):
            continue
        parts = list(ast.walk(value))
        stack = any(
            source.called(part.func).startswith("traceback.format_")
            for part in parts
            if isinstance(part, ast.Call)
        )
        named = handler.name and any(
            isinstance(part, ast.Name) and part.id == handler.name
            for part in parts
            if part is not value
        )
        if stack:
            message = f"{tool.name} returns its stack"
            yield source.hit(node, message, Severity.MEDIUM)
        elif broad and named:
            yield source.hit(node, f"{tool.name} returns any error's text")


def _is_heard(tool: Tool, part: ast.expr) -> bool:
    """Tell the header that came in, or the token that was shown."""
    if isinstance(part, ast.Attribute) and part.attr == "token":
        owner = part.value
        name = getattr(owner, "id", "")
        made = [*tool.made.get(name, ())]
        if isinstance(owner, ast.Call):
            made.append(str(getattr(owner.func, "id", method(owner))))
        return any(x.endswith("get_access_token") for x in made)
    key: ast.expr | None = None
    if isinstance(part, ast.Subscript):
        key = part.slice
    elif isinstance(part, ast.Call) and method(part) == "get":
        key = part.args[0] if part.args else None
    said = key.value if isinstance(key, ast.Constant) else ""
    return str(said).lower() == "authorization"


def _whole_environment(
    source: Source, value: ast.expr, names: Collection[str] = ()
) -> bool:
    """Tell whether all of it is in what is returned.

    Args:
        source: The file.
        value: What is returned.
        names: The names that stand for all of it.
    """
    if isinstance(value, ast.Name) and value.id in names:
        return True
    if isinstance(value, ast.DictComp | ast.ListComp | ast.GeneratorExp):
        first = value.generators[0]
        return not first.ifs and _whole_environment(source, first.iter, names)
    if isinstance(value, ast.Call):
        func = value.func
        if isinstance(func, ast.Attribute) and func.attr in {"copy", "items"}:
            return source.called(func.value) == "os.environ"
        return any(_whole_environment(source, x, names) for x in value.args)
    if isinstance(value, ast.Dict):
        return any(_whole_environment(source, x, names) for x in value.values)
    return source.called(value) == "os.environ"


def _put_in(value: ast.expr) -> list[ast.expr]:
    """Return what a value is put together of, as it stands in it."""
    parts = [value]
    for part in parts:  # which grows meanwhile
        if isinstance(part, ast.Dict | ast.JoinedStr):
            parts += part.values
        elif isinstance(part, ast.List | ast.Tuple):
            parts += part.elts
        elif isinstance(part, ast.BinOp):
            parts += [part.left, part.right]
        elif isinstance(part, ast.FormattedValue):
            parts.append(part.value)
        elif isinstance(part, ast.IfExp):
            parts += [part.body, part.orelse]
    return parts


def _variables(source: Source, node: ast.expr) -> list[ast.expr]:
    """Return the names of the variables that an expression reads."""
    if isinstance(node, ast.Subscript):
        known = source.called(node.value) == "os.environ"
        return [node.slice] if known else []
    if isinstance(node, ast.Call) and node.args:
        name = source.called(node.func)
        if name in {"os.environ.get", "os.getenv"}:
            return [node.args[0]]
    return []


def _is_secret(name: ast.expr) -> bool:
    text = name.value if isinstance(name, ast.Constant) else ""
    return isinstance(text, str) and SECRET.fullmatch(text) is not None
