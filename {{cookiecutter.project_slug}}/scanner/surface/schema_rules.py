"""What a tool takes, and what it says that it does."""

import ast
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from ..rules import Hit
from ..ruletable import ruled
from .components import Component

_INVITING = re.compile(
    r"(?:^|_)(?:side_?notes?|notes_to_self|context|conversation|history|"
    r"chat|transcript|reasoning|thoughts?|scratch_?pad|system_?prompt|"
    r"prompt|memory|feedback|summary|previous_messages?|user_data|"
    r"api_?keys?|passwords?|credentials?|secrets?|tokens?)$",
    re.IGNORECASE,
)
_CHANGING = re.compile(
    r"^(?:add(?=_)|append|clear|commit|create|delete|deploy|disable|drop|edit|"
    r"enable|erase|exec|execute|insert|install|kill|modify|move|patch|post|"
    r"publish|purge|push|put|remove|rename|replace|reset|restart|run|save|"
    r"send|set|shutdown|store|truncate|update|upload|wipe|write)(?:_|$)"
)
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
    elif _CHANGING.match(component.name):
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
    seen: dict[tuple[str, str], Component] = {}
    for component in components:
        plain = unicodedata.normalize("NFKC", component.name)
        looks = plain
        for one, same in _LOOKS:
            looks = looks.replace(one, same)
        for name in (looks, plain):
            key = component.kind, name.casefold().translate(_SAME)
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
    if kind == "string" and not {"maxLength", "format", "pattern"} & set(part):
        return "maxLength"
    if kind == "array":
        if "maxItems" not in part:
            return "maxItems"
        return next(filter(None, map(_lack, _parts(part.get("items")))), "")
    fields = [part.get("additionalProperties"), *_fields(part).values()]
    inner = [each for field in fields if field for each in _parts(field)]
    return next(filter(None, map(_lack, inner)), "")


def _is_free(part: Mapping[str, Any]) -> bool:
    """Tell whether anything fits, in a field or in an item of it too.

    A model that drops what it does not know has named what it takes.
    """
    if part.get("type") == "array":
        return any(map(_is_free, _parts(part.get("items"))))
    fields = _fields(part)
    if part.get("type") == "object":
        open_object = part.get("additionalProperties", not fields)
        return bool(open_object) or any(
            _is_free(each)
            for field in fields.values()
            for each in _parts(field)
        )
    return not part


def _fields(part: Mapping[str, Any]) -> Mapping[str, Any]:
    fields = part.get("properties")
    return fields if isinstance(fields, dict) else {}


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
