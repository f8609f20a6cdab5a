"""Code run by detours, old TLS, open modes, and secrets that are told."""

import ast
import re
import stat
from collections.abc import Collection, Iterator

from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .credential_rules import SECRET, is_credential
from .fixed import beginning
from .proxy_rules import weak_ciphers
from .source import Source, written

EVALUATORS = frozenset({"eval", "exec"})
INDIRECT = frozenset({"builtins.eval", "builtins.exec"})
BUILTINS = frozenset({"builtins", "__builtins__", "builtins.__dict__"})
HIDDEN = EVALUATORS | {"system", "popen", "__import__"}
OLD_TLS = re.compile(
    r"ssl\.(?:PROTOCOL_(?:SSLv2|SSLv3|TLSv1|TLSv1_1)"
    r"|TLSVersion\.(?:SSLv3|TLSv1|TLSv1_1|MINIMUM_SUPPORTED))"
)
LOGGERS = frozenset({"log", "logger", "logging", "_log", "_logger", "ctx"})
_REQUESTS = frozenset({"environ", "req", "request", "scope"})
_WRITING = re.compile(r"(?:^|\.)(?:dict|dumps|list|repr|str)$")
LEVELS = frozenset(
    {"critical", "debug", "error", "event", "exception", "info", "log"}
    | {"warn", "warning"}
)
module_rule = ruled(__file__, on="")


@module_rule("MCP-CODE-017")
def detour(source: Source) -> Iterator[Hit]:
    """``eval`` under another name is still ``eval``, and harder to find.

    It is taken from ``builtins``, by ``getattr``, or given a new name.
    """
    for call in source.calls:
        name = source.called(call.func)
        fetched = name == "getattr" and len(call.args) > 1
        if name in INDIRECT or (fetched and _fetches_any(source, call)):
            yield source.hit(call, "it comes to eval, exec or a shell")
    for node in source.each(ast.Subscript):
        if source.called(node.value) in BUILTINS and not _harmless(node.slice):
            yield source.hit(node, "it comes to eval, exec or a shell")
    values = [node.value for node in source.each(ast.Assign)]
    values += [n.value for n in source.each(ast.AnnAssign) if n.value]
    for value in values:
        if source.called(value) in EVALUATORS | INDIRECT:
            yield source.hit(value, "eval or exec gets another name")


@module_rule("MCP-CODE-018")
def old_tls(source: Source) -> Iterator[Hit]:
    """TLS 1.0 and 1.1 were taken back in 2021 (RFC 8996).

    They rest on MD5 and SHA-1, and who sits between can make both sides
    agree on them.
    """
    for version in _tls_versions(source):
        name = source.called(version)
        if OLD_TLS.fullmatch(name):
            yield source.hit(version, f"{name} is allowed")
    for call in source.calls:
        if getattr(call.func, "attr", "") == "set_ciphers":
            names = "".join(beginning(source, part) for part in call.args)
            if found := weak_ciphers(names):
                yield source.hit(call, f"the ciphers {found[:40]}")


@module_rule("MCP-CODE-019")
def open_mode(source: Source) -> Iterator[Hit]:
    """Everybody on the machine can then write what the server reads.

    ``umask(0)`` makes every new file so.
    """
    for node in source.each(ast.Expr):
        if _unmasks(source, node.value):
            yield source.hit(node, "every new file may be so")
    for call in source.calls:
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        modes = [*call.args, *(k.value for k in call.keywords)]
        if method in {"chmod", "fchmod", "lchmod"}:
            for mode in modes:
                if _number(mode) & 0o002 and _number(mode) < 0o10000:
                    yield source.hit(call, f"its mode is {_number(mode):04o}")


@module_rule("MCP-CODE-020")
def told_secret(source: Source) -> Iterator[Hit]:
    """A log is kept for years, copied to others, and read by many.

    Log that it was there, or a few bytes of its hash, never the secret.
    """
    for call in source.calls:
        if not isinstance(call.func, ast.Attribute):
            prints = source.called(call.func) == "print"
            level, owner = ("info", "log") if prints else ("", "")
        else:
            level = call.func.attr
            owner = _logger(source, call.func.value)
        if level in LEVELS and owner.lower() in LOGGERS:
            parts = [*call.args, *(k.value for k in call.keywords)]
            for name in {n for part in parts for n in _shown(part)}:
                yield source.hit(call, f"{name} goes to the log")


@module_rule("MCP-CODE-021")
def every_origin(source: Source) -> Iterator[Hit]:
    """Every page that the user opens calls the server, and reads the answer.

    With credentials Starlette answers ``*`` by naming the asking page, so
    that the cookies come along; without them a server that needs no login is
    open all the same.
    """
    for call in source.calls:
        given = {k.arg: k.value for k in call.keywords}
        every = _has_star(given.get("allow_origins")) or _says(
            given.get("allow_origin_regex"), {".*", ".+"}
        )
        if every:
            told = _says(given.get("allow_credentials"), {True})
            more = ", with credentials" if told else ""
            severity = Severity.HIGH if told else None
            yield source.hit(call, f"every origin{more}", severity)


def _fetches_any(source: Source, call: ast.Call) -> bool:
    """Tell whether ``getattr`` comes to one of these, or may."""
    name = call.args[1]
    among = source.called(call.args[0]) in BUILTINS
    return _says(name, HIDDEN) or (among and not _harmless(name))


def _harmless(name: ast.expr) -> bool:
    return isinstance(name, ast.Constant) and name.value not in HIDDEN


def _logger(source: Source, owner: ast.expr) -> str:
    """Return the last word of what logs, or of what has just made it."""
    made = owner.func if isinstance(owner, ast.Call) else owner
    name = source.called(made).rpartition(".")[2]
    return "logger" if name.lower() in {"getlogger", "get_logger"} else name


def _says(node: ast.expr | None, words: Collection[object]) -> bool:
    return isinstance(node, ast.Constant) and node.value in words


def _has_star(node: ast.expr | None) -> bool:
    items = node.elts if isinstance(node, ast.List | ast.Tuple) else []
    return any(_says(item, {"*"}) for item in items)


def _tls_versions(source: Source) -> Iterator[ast.expr]:
    """Yield what a context is made with, or is told to start from."""
    for node in source.each(ast.Assign):
        if getattr(node.targets[0], "attr", "") == "minimum_version":
            yield node.value
    for call in source.calls:
        name = source.called(call.func)
        if name.startswith("ssl.") or name.endswith("Context"):
            yield from call.args
        yield from (
            k.value
            for k in call.keywords
            if k.arg in {"minimum_version", "protocol", "ssl_version"}
        )


def _unmasks(source: Source, node: ast.expr) -> bool:
    """Tell a mask that stays from one that is read and set back."""
    if not isinstance(node, ast.Call) or not node.args:
        return False
    mask = node.args[0]
    number = isinstance(mask, ast.Constant) and type(mask.value) is int
    named = source.called(node.func) == "os.umask"
    return named and number and not _number(mask) & 0o002


def _number(node: ast.expr) -> int:
    """Return a mode that is written as a number, or out of stat's names."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _number(node.left) | _number(node.right)
    if isinstance(node, ast.Attribute) and node.attr.startswith("S_I"):
        return int(getattr(stat, node.attr, 0))
    value = node.value if isinstance(node, ast.Constant) else 0
    return value if type(value) is int else 0


def _shown(part: ast.expr) -> Iterator[str]:
    """Yield the secrets that go into a message as they are."""
    waiting = [part]
    while waiting:
        each = waiting.pop()
        if _carries_all(each):
            yield "what a request came with"
        elif isinstance(each, ast.Name | ast.Attribute):
            name = each.id if isinstance(each, ast.Name) else each.attr
            if SECRET.fullmatch(name):
                yield name
        elif is_credential(each):
            yield "a credential"
        elif isinstance(each, ast.JoinedStr):
            waiting += each.values
        elif isinstance(each, ast.FormattedValue):
            waiting.append(each.value)
        elif isinstance(each, ast.BinOp):
            waiting += [each.left, each.right]
        elif isinstance(each, ast.Tuple):
            waiting += each.elts
        elif isinstance(each, ast.BoolOp):
            waiting += each.values
        elif isinstance(each, ast.Call) and _WRITING.search(
            written(each.func)
        ):
            waiting += each.args


def _carries_all(node: ast.expr) -> bool:
    """Tell all the headers or cookies of a request, or a call's arguments."""
    owner = getattr(node, "value", None)
    what = getattr(node, "attr", "")
    if isinstance(node, ast.Subscript):  # scope["headers"]
        what = getattr(node.slice, "value", "")
    if isinstance(node, ast.Call) and written(node.func) == "getattr":
        owner, what = node.args[0], getattr(node.args[1], "value", "")
    name = getattr(owner, "id", "") or getattr(owner, "attr", "")
    if what == "arguments":
        return name in {"message", "params", "request"}
    return what in {"cookies", "headers"} and name in _REQUESTS
