"""Secrets that can be guessed, and patterns that never end."""

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, Final

from ..rules import Hit
from ..ruletable import ruled
from .source import Source
from .taint import given, tool_calls

_PARSER: Any = import_module("re._parser")  # which tells no types
_REPEATS: Final = frozenset({"MAX_REPEAT", "MIN_REPEAT"})
MAX_PATTERN = 5_000  # characters
MANY = 10  # repeats; fewer are tried out soon
_SECRET = re.compile(
    r"(?i)(?:^|_)(?:tokens?|passwords?|passwd|passphrases?|secrets?|otp|nonce"
    r"|salt|csrf|session_?ids?|code_?verifier"
    r"|(?:api|auth|access|private|secret|session|signing)_?keys?"
    r"|(?:auth|invite|login|one_?time|pin|reset|verification)_?codes?)(?:_|$)"
)
_CHANCE = re.compile(r"(?:random|numpy|uuid)(?:\.|$)")
_GUESSABLE = re.compile(
    r"random\.(?!SystemRandom\b|seed\b)\w+|numpy\.random\.\w+|uuid\.uuid1"
)
_MATCHERS = frozenset(
    {"compile", "findall", "finditer", "fullmatch", "match", "search"}
    | {"split", "sub", "subn"}
)
_UNPACKERS: Final = frozenset(
    f"{name}.decompress" for name in ("brotli", "bz2", "gzip", "lzma", "zlib")
)
module_rule = ruled(__file__, on="")
tool_rule = ruled(__file__, on="tool")


@tool_rule("MCP-CODE-047")
def unpacked(source: Source) -> Iterator[Hit]:
    """A kilobyte unpacks to a megabyte, and a megabyte to a gigabyte.

    The limit of a request bounds what comes in, not what it grows to.
    """
    for tool, call in tool_calls(source):
        called = source.called(call.func)
        if called in _UNPACKERS and any(given(x, tool) for x in call.args):
            message = f"{tool.name} unpacks what it is sent, whatever its size"
            yield source.hit(call, message)


@module_rule("MCP-CODE-024")
def guessable(source: Source) -> Iterator[Hit]:
    """``random`` gives the same numbers to whoever has seen enough of them.

    After 624 outputs its whole state is known. A token, a password or a
    one-time code out of it is the next one's guess; so is ``uuid1``, which is
    a clock and the network card's number.
    """
    if not any(map(_CHANCE.match, source.names.values())):
        return
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
    known = any(x.partition(".")[0] == "re" for x in source.names.values())
    for call in source.calls if known else ():
        owner, _, verb = source.called(call.func).rpartition(".")
        first = call.args[0] if call.args else None
        text = first.value if isinstance(first, ast.Constant) else None
        if owner != "re" or verb not in _MATCHERS:
            continue
        if not isinstance(text, str) or len(text) > MAX_PATTERN:
            continue
        if _explodes(text, verb):
            yield source.hit(call, "a repeat stands inside a repeat")


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
    many = any(str(k) in _REPEATS and value[1] > MANY for k, value in items)
    return kinds <= _REPEATS | {"ANY"} and many


def _flat(sequence: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield a sequence's items as if it had no brackets."""
    for kind, value in sequence:
        if str(kind) == "SUBPATTERN":
            yield from _flat(list(value[3]))
        elif str(kind) != "AT":
            yield kind, value
