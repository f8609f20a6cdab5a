"""What a tool takes, and what it says that it does."""

import ast
import builtins
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from ..rules import Hit
from ..ruletable import ruled
from .components import Component, Declared

_INVITING = re.compile(
    r"(?:^|_)(?:side_?notes?|notes_to_self|context|conversation|history|"
    r"chat|transcript|reasoning|thoughts?|scratch_?pad|memory|feedback|"
    r"(?:system|user|original|initial|full)_?prompt|previous_messages?|"
    r"(?:chat|conversation|session|user)_?summary|user_data|"
    r"(?:available|other|all|known)_?tools?|"
    r"api_?keys?|passwords?|credentials?|secrets?|tokens?)$",
    re.IGNORECASE,
)
_CHANGING = re.compile(
    r"^(?:commit|create|delete|deploy|disable|drop|enable|erase|exec|execute|"
    r"install|kill|modify|post|publish|purge|push|rename|reset|restart|run|"
    r"save|send|shutdown|store|upload|wipe|write)(?:_|$)"
)
#: What can be done to a text or a number that was given as well.
_EITHER = re.compile(
    r"^(?:add(?=_)|append|clear|edit|insert|move|patch|put|remove|replace|set|"
    r"truncate|update)(?:_|$)"
)
#: Names that lead out of a function and change nothing there.
_INERT = frozenset(
    {"base64", "collections", "date", "datetime", "decimal", "difflib"}
    | {"hashlib", "html", "itertools", "json", "math", "re", "statistics"}
    | {"string", "textwrap", "timedelta", "unicodedata", "Refusal"}
    | set(dir(builtins)) - {"open", "exec", "eval", "__import__"}
)
#: Formats that say what a text is, and not how long it may be.
_ENDLESS = frozenset(
    {"binary", "byte", "base64url", "json-string", "password", "uri"}
    | {"path", "file-path", "directory-path"}
)
_ESCAPED = re.compile(r"\\.|\[\^?\]?[^\]]*\]")
_BOUNDED = re.compile(r"\^(?:(?!\{\d*,\})[^*+])*\$")
_WRITES = frozenset(
    {"write", "write_text", "write_bytes", "writelines", "unlink", "rmdir"}
    | {"rmtree", "remove", "removedirs", "rename", "renames", "replace"}
    | {"mkdir", "makedirs", "touch", "chmod", "chown", "symlink_to"}
    | {"truncate", "copy", "copyfile", "copytree", "move", "Popen", "system"}
    | {"execute", "executemany", "executescript"}
    | {"put", "post", "patch", "delete"}
)
_STRINGS = frozenset({"replace", "remove", "copy", "put", "move"})
_STATEMENT = re.compile(
    r"\s*(?:alter|create|delete|drop|insert|merge|replace|truncate|update)\b",
    re.IGNORECASE,
)
_MEMORY = ("BytesIO", "StringIO", "TemporaryFile", "TemporaryDirectory")
#: Tools that say no more than that the server is there.
OPEN_TOOLS = frozenset({"health_check", "echo"})
_SAME = str.maketrans({"0": "o", "1": "l", "5": "s", "-": "", "_": ""})
#: What looks the same on many screens: a capital I, and two letters for one.
_LOOKS = (("I", "l"), ("|", "l"), ("rn", "m"), ("vv", "w"))
schema = ruled(__file__, on="schema")
names = ruled(__file__, on="names")
scope = ruled(__file__, on="scope")


@schema("MCP-SUR-009")
def unbounded(component: Component) -> Iterator[Hit]:
    """What has no bound is sent as large as it takes to do harm."""
    for name, given in component.parameters.items():
        for part in _parts(given):
            lack = _lack(part)
            if lack:
                yield component.hit(f"{name[:60]} has no {lack}", name)
                break


@schema("MCP-SUR-010")
def free_form(component: Component) -> Iterator[Hit]:
    """Nobody can check an object whose fields have no names."""
    if component.kind != "tool":
        return
    taken = component.data.get("inputSchema")
    if isinstance(taken, dict) and taken.get("additionalProperties", True):
        yield component.hit("takes arguments that it does not name", "any")
    for name, given in component.parameters.items():
        if any(map(_is_free, _parts(given))):
            yield component.hit(f"{name[:60]} may be anything", name)


@schema("MCP-SUR-011")
def inviting(component: Component) -> Iterator[Hit]:
    """A model fills whatever an argument's name seems to ask for.

    Named ``context`` or ``api_key``, it is given just that.
    """
    for name in component.parameters:
        if _INVITING.search(name):
            yield component.hit(name[:60], name)


@schema("MCP-SUR-012")
def unmarked(component: Component) -> Iterator[Hit]:
    """Clients ask the user before a call that is not known to be harmless."""
    if component.kind == "tool":
        marks = component.data.get("annotations") or {}
        if not {"readOnlyHint", "destructiveHint"} <= marks.keys():
            yield component.hit("has no readOnlyHint and destructiveHint")


@schema("MCP-SUR-013")
def falsely_harmless(component: Component) -> Iterator[Hit]:
    """A read-only tool is called without asking; so this is how to lie."""
    marks = component.data.get("annotations") or {}
    if component.kind != "tool" or not marks.get("readOnlyHint"):
        return
    if marks.get("destructiveHint"):
        yield component.hit("calls itself read-only and destructive")
    elif _CHANGING.match(component.name) or (
        _EITHER.match(component.name) and not _stays_within(component.declared)
    ):
        yield component.hit("its name says that it changes something")
    elif component.declared:
        done = _change(component.declared.function)
        if done:
            yield component.hit(f"it calls {done}")


@scope("MCP-SUR-016")
def unscoped(component: Component) -> Iterator[Hit]:
    """Without a scope, every token that is good for anything is good here."""
    there = component.declared
    named = there is None or there.options.get("scope")
    if not named and component.name not in OPEN_TOOLS:
        yield component.hit("names no scope")


@names("MCP-SUR-014")
def alike(components: list[Component]) -> Iterator[Hit]:
    """A call meant for one tool goes to the other."""
    seen: dict[str, Component] = {}
    for component in components:
        if component.kind == "instructions":
            continue
        plain = unicodedata.normalize("NFKC", component.name)
        looks = plain
        for one, same in _LOOKS:
            looks = looks.replace(one, same)
        for name in (looks, plain):
            key = name.casefold().translate(_SAME)
            other = seen.setdefault(key, component)
            if other is not component:
                yield component.hit(f"can be taken for {other.name[:60]}")
                break


def _parts(given: Any) -> Iterator[Mapping[str, Any]]:
    """Yield a schema, or the alternatives of which it consists."""
    if not isinstance(given, dict):
        yield {}
        return
    choices = given.get("anyOf") or given.get("oneOf")
    if isinstance(choices, list):
        for choice in choices:
            yield from _parts(choice)
    else:
        yield given


def _lack(part: Mapping[str, Any]) -> str:
    """Name the bound that a schema lacks; empty if it has what it needs."""
    kind = part.get("type")
    if "enum" in part or "const" in part:
        return ""
    if kind == "string":
        return "" if _is_short(part) else "maxLength"
    if kind == "array":
        if "maxItems" not in part:
            return "maxItems"
        return next(filter(None, map(_lack, _parts(part.get("items")))), "")
    fields = [part.get("additionalProperties"), *_fields(part).values()]
    inner = [each for field in fields if field for each in _parts(field)]
    return next(filter(None, map(_lack, inner)), "")


def _is_short(part: Mapping[str, Any]) -> bool:
    """Tell whether a text can be only so long, by whatever says so."""
    form, pattern = part.get("format"), str(part.get("pattern", ""))
    return (
        "maxLength" in part
        or (form is not None and form not in _ENDLESS)
        or _BOUNDED.fullmatch(_ESCAPED.sub("x", pattern)) is not None
    )


def _is_free(part: Mapping[str, Any]) -> bool:
    """Tell whether anything fits, in a field or in an item of it too.

    A model that drops what it does not know has named what it takes.
    """
    if part.get("type") == "array":
        listed = part.get("prefixItems") or [part.get("items")]
        return any(_is_free(each) for item in listed for each in _parts(item))
    fields = _fields(part)
    if part.get("type") == "object":
        rest = part.get("additionalProperties", not fields)
        # So many values of one kind are a list by another name.
        few = isinstance(rest, dict) and "maxProperties" in part
        if few:
            fields = {**fields, "": rest}
        return bool(rest and not few) or any(
            _is_free(each)
            for field in fields.values()
            for each in _parts(field)
        )
    return not part


def _fields(part: Mapping[str, Any]) -> Mapping[str, Any]:
    fields = part.get("properties")
    return fields if isinstance(fields, dict) else {}


def _stays_within(declared: Declared | None) -> bool:
    """Tell whether all that a function calls was given to it, or is inert."""
    if declared is None:
        return False
    inside = list(ast.walk(ast.Module(declared.function.body, [])))
    calls = [node.func for node in inside if isinstance(node, ast.Call)]
    called = {
        part.id
        for call in calls
        for part in ast.walk(call)
        if isinstance(part, ast.Name)
    }
    own = {
        n.id
        for n in inside
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    own |= {
        n.arg for n in ast.walk(declared.function) if isinstance(n, ast.arg)
    }
    return called <= own | _INERT


def _change(function: ast.AST) -> str:
    """Name the first call in a function that changes what stays."""
    passing = _passing(function)
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = getattr(called, "attr", getattr(called, "id", ""))
        if name == "open" and _opens_to_write(node):
            return "open() to write"
        owner = called.value if isinstance(called, ast.Attribute) else None
        text = isinstance(owner, ast.Constant | ast.JoinedStr)
        if text or getattr(owner, "id", "") in passing:
            continue
        if name in _WRITES and _is_sure(node, name):
            return f"{name}()"
    return ""


def _passing(function: ast.AST) -> set[str]:
    """Return the names of what is in memory, or goes away by itself.

    And of what is made of them, such as an archive in a buffer.
    """
    named = [
        (step.targets[0], step.value)
        if isinstance(step, ast.Assign)
        else (step.optional_vars, step.context_expr)
        for step in ast.walk(function)
        if isinstance(step, ast.Assign | ast.withitem)
    ]
    found: set[str] = set()
    for target, value in named * 2:
        if not isinstance(value, ast.Call) or not isinstance(target, ast.Name):
            continue
        made = getattr(value.func, "attr", getattr(value.func, "id", ""))
        of = {getattr(given, "id", "") for given in value.args}
        of.add(getattr(getattr(value.func, "value", None), "id", ""))
        in_memory = any(_text(x) == ":memory:" for x in ast.walk(value))
        if made.endswith(_MEMORY) or in_memory or of & found:
            found.add(target.id)
    return found


def _is_sure(call: ast.Call, name: str) -> bool:
    """Tell whether a name that strings and lists have too means a file.

    A path is moved to one place; a text has one part replaced by another.
    """
    if name.startswith("execute"):
        # What is asked need not change anything, and most of it does not.
        return any(_STATEMENT.match(_text(given)) for given in call.args[:1])
    if name not in _STRINGS:
        return True
    owner = getattr(getattr(call.func, "value", None), "id", "")
    if owner == "path":
        return name != "replace" or len(call.args) + len(call.keywords) == 1
    return owner in {"os", "shutil", "requests", "httpx"}


def _text(node: ast.AST) -> str:
    """Return the text that an expression begins with; empty if unknown."""
    if isinstance(node, ast.JoinedStr):
        return _text(node.values[0]) if node.values else ""
    value = getattr(node, "value", None)
    return value if isinstance(value, str) else ""


def _opens_to_write(call: ast.Call) -> bool:
    modes = [*call.args[:2], *(k.value for k in call.keywords)]
    return any(
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and re.fullmatch(r"[rbt]*[wax+][wax+rbt]*", mode.value) is not None
        for mode in modes
    )
