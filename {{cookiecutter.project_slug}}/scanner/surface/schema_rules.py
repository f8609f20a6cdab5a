"""What a tool takes, and what it says that it does."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .changes import change_in, stays_within
from .components import Component

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
#: Formats that say what a text is, and not how long it may be.
_ENDLESS = frozenset(
    {"binary", "byte", "base64url", "json-string", "password", "uri"}
    | {"path", "file-path", "directory-path"}
)
MOST = 2**30  # letters or items
_ESCAPED = re.compile(r"\\.|\[\^?\]?[^\]]*\]")
_BOUNDED = re.compile(r"\^(?:(?!\{\d*,\})[^*+])*\$")
#: Tools that say no more than that the server is there.
OPEN_TOOLS = frozenset({"health_check", "echo"})
_SAME = str.maketrans({"0": "o", "1": "l", "5": "s", "-": "", "_": ""})
#: What looks the same on many screens: an I, and two letters for one.
_LOOKS = (("I", "l"), ("i", "l"), ("|", "l"), ("rn", "m"), ("vv", "w"))
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
    unsaid = {"readOnlyHint", "destructiveHint"} - component.marks.keys()
    if component.kind == "tool" and unsaid:
        yield component.hit("has no readOnlyHint and destructiveHint")


@schema("MCP-SUR-018")
def undescribed(component: Component) -> Iterator[Hit]:
    """A model guesses from the name, and a user approves what nobody says."""
    said = str(component.data.get("description") or "").strip()
    if component.kind == "tool" and not said:
        yield component.hit("has no description")


@schema("MCP-SUR-013")
def falsely_harmless(component: Component) -> Iterator[Hit]:
    """A read-only tool is called without asking; so this is how to lie."""
    marks = component.marks
    if component.kind != "tool" or not marks.get("readOnlyHint"):
        return
    if marks.get("destructiveHint"):
        yield component.hit("calls itself read-only and destructive")
    elif _CHANGING.match(component.name) or (
        _EITHER.match(component.name) and not stays_within(component.declared)
    ):
        yield component.hit("its name says that it changes something")
    elif component.declared:
        done = change_in(component.declared.function)
        if done:
            yield component.hit(f"it calls {done}")


@scope("MCP-SUR-016")
def unscoped(component: Component) -> Iterator[Hit]:
    """Without a scope, every token that is good for anything is good here."""
    needs_one = component.declared and component.name not in OPEN_TOOLS
    if needs_one and not component.scope:
        # Who may do harm there is nobody's decision.
        worse = component.marks.get("destructiveHint")
        hit = component.hit("names no scope")
        yield replace(hit, severity=Severity.HIGH) if worse else hit


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
        return "" if _is_short(part) else _bound(part, "maxLength")
    if kind == "array":
        if lack := _bound(part, "maxItems"):
            return lack
        return next(filter(None, map(_lack, _parts(part.get("items")))), "")
    fields = [part.get("additionalProperties"), *_fields(part).values()]
    inner = [each for field in fields if field for each in _parts(field)]
    return next(filter(None, map(_lack, inner)), "")


def _bound(part: Mapping[str, Any], key: str) -> str:
    """Name a bound if it is not there, or no memory is as large; or nothing.

    A million times a million letters are no bound, and neither is a word.
    """
    if key not in part:
        return key
    most = part[key]
    bounds = isinstance(most, int | float) and most <= MOST
    return "" if bounds else f"{key} that bounds it"


def _is_short(part: Mapping[str, Any]) -> bool:
    """Tell whether a text can be only so long, by whatever says so."""
    form, pattern = part.get("format"), str(part.get("pattern", ""))
    return (
        not _bound(part, "maxLength")
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
