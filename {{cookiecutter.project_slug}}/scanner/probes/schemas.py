"""What fits a schema, what does not, and where a text can stand in it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from .patterns import around, fits, fitting

DEEP: Final = 150  # within what a reader of JSON lets through
LARGE: Final = 10**7
MOST: Final = 4  # models within models that are looked into
TEXT: Final = frozenset({"string"})
NUMBERS: Final = frozenset({"integer", "number"})
Put = Callable[[Any], Any]
Fields = dict[str, Any]

#: What a field may be called, where any name will do.
NAMES: Final = (
    *("path", "name", "file", "filename", "url", "query", "command", "id"),
    *("text", "content", "value", "key", "source", "target", "directory"),
)
#: Texts of a form that a schema may ask for (JSON Schema, section 7.3).
FORMS: Final[Mapping[str, str]] = {
    "date": "2025-01-31",
    "date-time": "2025-01-31T12:00:00Z",
    "duration": "PT1S",
    "email": "probe@server.example",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "time": "12:00:00Z",
    "uri": "https://server.example/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def sample(schema: Mapping[str, Any], text: str = "x") -> Any:
    """Return a value that fits a schema.

    Args:
        schema: What the tool says of the argument.
        text: Is given where any text fits.
    """
    for key in ("default", "const"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if schema.get(key):
            return schema[key][0]
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return sample(schema[key][0], text)
    kind = schema.get("type")
    if kind in {"integer", "number"}:
        return _number(schema)
    if kind == "array":
        inner = sample(schema.get("items") or {}, text)
        return [inner] * int(schema.get("minItems", 0))
    if kind == "object":
        fields = schema.get("properties") or {}
        needed = schema.get("required") or []
        return {k: sample(fields.get(k) or {}, text) for k in needed}
    values = {"boolean": False, "null": None}
    return values.get(str(kind), _string(schema, text))


def choice(schema: Mapping[str, Any], *wanted: str) -> Mapping[str, Any]:
    """Return the alternative in a schema that allows one of these types."""
    for each in schema.get("anyOf") or schema.get("oneOf") or ():
        if kinds(each) & set(wanted):
            return choice(each, *wanted)
    return schema


def largest(schema: Mapping[str, Any]) -> Any:
    """Return the largest number that fits, or one that is large enough."""
    found = choice(schema, "integer", "number")
    return min(found.get("maximum", LARGE), LARGE)


def is_bounded(schema: Mapping[str, Any]) -> bool:
    """Tell whether a number's maximum is near to what is tried."""
    found = choice(schema, "integer", "number")
    return bool(found.get("maximum", 100 * LARGE) < 100 * LARGE)


def others(schema: Mapping[str, Any]) -> list[Any]:
    """Return what else a switch or a choice can be set to."""
    if "enum" in schema:
        return [v for v in schema["enum"] if v != sample(schema)][:MOST]
    return [not sample(schema)] if schema.get("type") == "boolean" else []


def kinds(schema: Mapping[str, Any]) -> set[str]:
    """Return the types that a schema allows; none, if it allows any."""
    choices = schema.get("anyOf") or schema.get("oneOf") or [schema]
    found = [kinds(c) if c is not schema else _type(c) for c in choices]
    return set().union(*found) if all(found) else set()


def within(
    name: str,
    schema: Mapping[str, Any],
    depth: int = 0,
    wanted: frozenset[str] = TEXT,
) -> Iterator[tuple[str, Put]]:
    """Yield each text inside of models and lists, and how to put one there.

    What stands at the top, alone or in a list, is not among them.

    Args:
        name: The argument's name.
        schema: What the tool says of it.
        depth: How far inside it is.
        wanted: The types that are looked for, instead of texts.
    """
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        for choice in choices:
            yield from within(name, choice, depth, wanted)
    elif depth > MOST:
        return
    elif schema.get("type") == "array":
        inner = schema.get("items") or {}
        if depth or kinds(inner) - TEXT:
            for place, put in within(f"{name}[]", inner, depth + 1, wanted):
                yield place, _listed(put)
    elif schema.get("type") == "object":
        yield from _in_object(name, schema, depth, wanted)
    elif depth and _type(schema) <= wanted and "enum" not in schema:
        yield name, lambda text: text


def misfits(
    schemas: Mapping[str, Any], good: Mapping[str, Any], required: list[str]
) -> Iterator[tuple[str, Fields]]:
    """Yield arguments that do not fit, each with what is wrong with them."""
    yield "an invented argument", {**good, "probe_invented": 1}
    if required:
        yield (
            "a missing argument",
            {k: v for k, v in good.items() if k != required[0]},
        )
    nested = deep()
    for name, schema in schemas.items():
        allowed = kinds(schema)
        if allowed and "object" not in allowed:
            yield f"an object as {name}", {**good, name: {"probe": 1}}
        if allowed and not allowed & {"object", "array"}:
            yield f"a deep list as {name}", {**good, name: nested}
        if allowed & {"integer", "number"} and "string" not in allowed:
            yield f"a text as {name}", {**good, name: "1"}
        if "maximum" in schema:
            yield f"a huge number as {name}", {**good, name: 10**400}


def deep() -> Any:
    """Return a list in a list, and so on."""
    nested: Any = 1
    for _ in range(DEEP):
        nested = [nested]
    return nested


def _in_object(
    name: str,
    schema: Mapping[str, Any],
    depth: int,
    wanted: frozenset[str],
) -> Iterator[tuple[str, Put]]:
    """Look into the fields; and, where they have any names, at the names."""
    good = sample({k: v for k, v in schema.items() if k != "default"})
    fields = dict(schema.get("properties") or {})
    free = schema.get("additionalProperties", not fields)
    if free:
        inner = free if isinstance(free, dict) else {}
        value, most = sample(inner), schema.get("maxProperties")
        if wanted == TEXT:
            yield f"a name in {name}", lambda text: {**good, text: value}
        for place, put in within(f"{name}.*", inner, depth + 1, wanted):
            yield place, _under(NAMES[:most], put)
    for key, inner in fields.items():
        for place, put in within(f"{name}.{key}", inner, depth + 1, wanted):
            yield place, _kept(good, key, put)


def _listed(put: Put) -> Put:
    return lambda text: [put(text)]


def _under(names: tuple[str, ...], put: Put) -> Put:
    return lambda text: dict.fromkeys(names, put(text))


def _kept(good: Fields, key: str, put: Put) -> Put:
    return lambda text: {**good, key: put(text)}


def _type(schema: Mapping[str, Any]) -> set[str]:
    kind = schema.get("type") or ("enum" in schema and "string")
    return {str(kind)} if kind and not isinstance(kind, list) else set()


def _number(schema: Mapping[str, Any]) -> Any:
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    return min(least, schema.get("maximum", least))


def _string(schema: Mapping[str, Any], text: str) -> str:
    if schema.get("format") in FORMS:
        return FORMS[schema["format"]]
    tried = (text, *around(schema, text), fitting(schema))
    good = (each for each in tried if fits(schema, each))
    filled = next(good, text).ljust(int(schema.get("minLength", 0)), "x")
    return filled[: schema.get("maxLength", len(filled))]
