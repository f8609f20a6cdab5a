"""Secrets that can be guessed, patterns that never end, and loose settings."""

import ast
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .credential_rules import is_constant
from .source import Source

_PARSER: Any = getattr(re, "_parser")  # noqa: B009 - it tells no types
_REPEATS: Final = frozenset({"MAX_REPEAT", "MIN_REPEAT"})
MAX_PATTERN = 5_000  # characters
MANY = 10  # repeats; fewer are tried out soon
_SECRET = re.compile(
    r"(?i)(?:^|_)(?:tokens?|passwords?|passwd|passphrases?|secrets?|otp|nonce"
    r"|salt|csrf|session_?ids?|code_?verifier"
    r"|(?:api|auth|access|private|secret|session|signing)_?keys?"
    r"|(?:auth|invite|reset|verification|pin)_?codes?)(?:_|$)"
)
_GUESSABLE = re.compile(
    r"random\.(?!SystemRandom\b|seed\b)\w+|numpy\.random\.\w+|uuid\.uuid1"
)
_MATCHERS = frozenset(
    {"compile", "findall", "finditer", "fullmatch", "match", "search"}
    | {"split", "sub", "subn"}
)
Test = Callable[[ast.expr], bool]
module_rule = ruled(__file__, on="")


def _says(*values: object) -> Test:
    return lambda node: any(is_constant(node, value) for value in values)


def _stars(node: ast.expr) -> bool:
    """Tell ``"*"`` and ``["*"]``."""
    items = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    return any(is_constant(item, "*") for item in items)


def _below(least: int) -> Test:
    def test(node: ast.expr) -> bool:
        value = node.value if isinstance(node, ast.Constant) else least
        return type(value) is int and value < least

    return test


# The end of a call's name, a keyword, what makes it a fault, and what is said.
_LOOSE: tuple[tuple[str, str, Test, Severity, str], ...] = (
    (
        "set_cookie",
        "httponly",
        _says(False),
        Severity.MEDIUM,
        "scripts read the cookie",
    ),
    (
        "set_cookie",
        "secure",
        _says(False),
        Severity.MEDIUM,
        "the cookie crosses the network in clear",
    ),
    (
        "Middleware",
        "allowed_hosts",
        _stars,
        Severity.MEDIUM,
        "every host name is answered",
    ),
    (
        "Middleware",
        "trusted_hosts",
        _stars,
        Severity.HIGH,
        "everybody is trusted to say who they are",
    ),
    (
        "",
        "forwarded_allow_ips",
        _stars,
        Severity.HIGH,
        "everybody is trusted to say who they are",
    ),
    (
        "FastMCP",
        "mask_error_details",
        _says(False),
        Severity.MEDIUM,
        "callers are told what went wrong inside",
    ),
    (
        "PBKDF2HMAC",
        "iterations",
        _below(100_000),
        Severity.MEDIUM,
        "a password's hash is guessed fast",
    ),
    (
        "gensalt",
        "rounds",
        _below(10),
        Severity.MEDIUM,
        "a password's hash is guessed fast",
    ),
)


@module_rule("MCP-CODE-024")
def guessable(source: Source) -> Iterator[Hit]:
    """``random`` gives the same numbers to whoever has seen enough of them.

    After 624 outputs its whole state is known. A token, a password or a
    one-time code out of it is the next one's guess; so is ``uuid1``, which is
    a clock and the network card's number.
    """
    seen: set[ast.Call] = set()
    for name, within in _named(source):
        for call in ast.walk(within) if _SECRET.search(name) else ():
            if not isinstance(call, ast.Call) or call in seen:
                continue
            seen.add(call)
            called = source.called(call.func)
            if _GUESSABLE.fullmatch(called):
                yield source.hit(call, f"{name[:60]} comes from {called}")


@module_rule("MCP-CODE-025")
def endless(source: Source) -> Iterator[Hit]:
    """``(a+)+$`` takes an hour over thirty letters (CWE-1333).

    A repeat inside a repeat, with nothing between that must be there, can
    divide the same text in more ways than there is time to try. ``re`` cannot
    be stopped, and holds the interpreter while it searches.
    """
    for call in source.calls:
        owner, _, verb = source.called(call.func).rpartition(".")
        first = call.args[0] if call.args else None
        text = first.value if isinstance(first, ast.Constant) else None
        if owner != "re" or verb not in _MATCHERS:
            continue
        if not isinstance(text, str) or len(text) > MAX_PATTERN:
            continue
        if _explodes(text, verb):
            yield source.hit(call, "a repeat stands inside a repeat")


@module_rule("MCP-CODE-026")
def loose_setting(source: Source) -> Iterator[Hit]:
    """A keyword of the library's that takes its protection off."""
    for call in source.calls:
        name = source.called(call.func)
        name = name or getattr(call.func, "attr", "")
        wrapped = [source.called(x) for x in call.args[:1]]
        adds = name.lower().endswith("middleware")
        names = (name, *(wrapped if adds else ()))
        for ending, key, test, severity, message in _LOOSE:
            if any(each.endswith(ending) for each in names) and any(
                k.arg == key and test(k.value) for k in call.keywords
            ):
                yield source.hit(call, message, severity)


def _named(source: Source) -> Iterator[tuple[str, ast.AST]]:
    """Yield what is made under a name: by a function, or by an assignment."""
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node
        elif isinstance(node, ast.Assign):
            yield from ((_name(each), node.value) for each in node.targets)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield _name(node.target), node.value


def _name(target: ast.expr) -> str:
    return str(getattr(target, "attr", None) or getattr(target, "id", ""))


def _explodes(pattern: str, verb: str) -> bool:
    """Tell whether a repeat in it can divide a text in many ways, and fail."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            items = list(_PARSER.parse(pattern))
    except (re.error, RecursionError, OverflowError):
        return False  # it never compiles
    waiting: list[tuple[Sequence[Any], bool]] = [(items, verb == "fullmatch")]
    while waiting:
        sequence, fails = waiting.pop()
        for place, (kind, value) in enumerate(sequence):
            after = fails or place + 1 < len(sequence)
            many = str(kind) in _REPEATS and value[1] > MANY
            inside = _inner(str(kind), value)
            if many and after and any(map(_divides, inside)):
                return True
            waiting += [(inner, after) for inner in inside]
    return False


def _inner(kind: str, value: Any) -> list[Sequence[Any]]:
    """Return the sequences inside an item of a parsed pattern."""
    if kind in _REPEATS:
        return [list(value[2])]
    if kind == "SUBPATTERN":
        return [list(value[3])]
    if kind == "BRANCH":
        return [list(branch) for branch in value[1]]
    if kind in {"ASSERT", "ASSERT_NOT"}:
        return [list(value[1])]
    return []


def _divides(sequence: Sequence[Any]) -> bool:
    """Tell whether what is repeated repeats, with nothing fixed between."""
    items = list(_flat(sequence))
    if len(items) == 1 and str(items[0][0]) == "BRANCH":
        return any(_divides(list(part)) for part in items[0][1][1])
    kinds = {str(kind) for kind, _value in items}
    return kinds <= _REPEATS and any(value[1] > MANY for _, value in items)


def _flat(sequence: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield a sequence's items as if it had no brackets."""
    for kind, value in sequence:
        if str(kind) == "SUBPATTERN":
            yield from _flat(list(value[3]))
        elif str(kind) != "AT":
            yield kind, value
