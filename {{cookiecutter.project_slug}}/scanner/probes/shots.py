"""The requests that a tool, a resource or a prompt is attacked with."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..surface.components import Component
from .lab import Lab
from .parcels import ALMOST, ENDLESS, filling
from .patterns import around
from .payloads import called, few, lists, texts
from .schemas import (
    LARGE,
    NUMBERS,
    choice,
    deep,
    is_bounded,
    kinds,
    largest,
    misfits,
    others,
    sample,
    within,
)

GOOD: Final = "a good request"
ANY_NUMBER: Final = "a number without bound"
HOUR: Final = "an hour in seconds"
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Shot:
    """One request, and what is bad about it.

    Attributes:
        misfit: It must be refused.
    """

    label: str
    method: str
    params: Mapping[str, Any]
    misfit: bool = False


def shots(component: Component, lab: Lab) -> Iterator[Shot]:
    """Yield the requests that a component is attacked with."""
    given = list(texts(lab))
    if component.kind == "tool":
        yield from _on_tool(component, lab, given)
    else:
        yield honest(component, lab)
        yield from placed(component, lab, given)


def honest(component: Component, lab: Lab) -> Shot:
    """Return a request with nothing bad about it."""
    if component.kind == "tool":
        return _call(component, GOOD, _good(component, lab))
    return next(placed(component, lab, [(GOOD, lab.file)]))


def placed(component: Component, lab: Lab, given: Pairs) -> Iterator[Shot]:
    """Yield requests with these texts wherever a text may stand."""
    if component.kind == "tool":
        good = _good(component, lab)
        for name, schema in component.parameters.items():
            for label, value in _placed(name, schema, given):
                yield _call(
                    component, f"{label} as {name}", {**good, name: value}
                )
    elif component.kind == "prompt":
        names = [a.get("name") for a in component.data.get("arguments") or []]
        for label, text in given:
            filled = dict.fromkeys(map(str, names), text)
            params = {"name": component.name, "arguments": filled}
            yield Shot(label, "prompts/get", params)
    else:
        parts = re.split(r"\{[^}]*\}", component.name)
        for label, text in given if parts[1:] else given[:1]:
            yield Shot(label, "resources/read", {"uri": text.join(parts)})


def _on_tool(tool: Component, lab: Lab, given: Pairs) -> Iterator[Shot]:
    schemas, good = tool.parameters, _good(tool, lab)
    yield honest(tool, lab)
    yield from placed(tool, lab, given)
    for label, arguments in (
        *_by_schema(schemas, lab, good),
        *_set_otherwise(schemas, lab, good),
        *_endless(schemas, good),
        *_functions(schemas, lab, good),
    ):
        yield _call(tool, label, arguments)
    required = tool.data.get("inputSchema", {}).get("required") or []
    for label, arguments in misfits(schemas, good, required):
        yield _call(tool, label, arguments, misfit=True)


def _call(
    tool: Component,
    label: str,
    arguments: Mapping[str, Any],
    *,
    misfit: bool = False,
) -> Shot:
    params = {"name": tool.name, "arguments": arguments}
    return Shot(label, "tools/call", params, misfit=misfit)


def _good(tool: Component, lab: Lab) -> dict[str, Any]:
    return {
        name: sample(schema, lab.file)
        for name, schema in tool.parameters.items()
        if "default" not in schema
    }


def _placed(
    name: str, schema: Mapping[str, Any], given: Pairs
) -> Iterator[tuple[str, Any]]:
    allowed = kinds(schema)
    if not allowed or "string" in allowed:
        yield from given
        pattern = choice(schema, "string")
        for label, text in given if "pattern" in pattern else ():
            for fitted in around(pattern, text):
                yield f"{label} within its pattern", fitted
    if "array" in allowed:
        yield from ((label, [text]) for label, text in given)
    for place, put in within(name, schema):
        for label, text in given:
            yield f"{label} at {place}", put(text)


def _by_schema(
    schemas: Mapping[str, Any], lab: Lab, good: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what each argument's own schema suggests."""
    for name, schema in schemas.items():
        allowed = kinds(schema)
        values: list[tuple[str, Any]] = []
        if "string" in allowed:
            values += filling(choice(schema, "string"))
        if "array" in allowed:
            values += lists(lab)
        if not allowed or "array" in allowed:
            values.append(("a deep list", deep()))
        if allowed & NUMBERS:
            most = largest(schema)
            label = "a large number" if is_bounded(schema) else ANY_NUMBER
            values.append((label, most))
            values += [(HOUR, 3_600)] * (most >= 3_600)
        for label, value in values:
            yield f"{label} as {name}", {**good, name: value}
        for place, put in within(name, schema, wanted=NUMBERS):
            for label, value in ((ANY_NUMBER, LARGE), (HOUR, 3_600)):
                yield f"{label} at {place}", {**good, name: put(value)}
    numbers = {k: v for k, v in schemas.items() if kinds(v) & NUMBERS}
    if len(numbers) > 1:
        largest_all = {k: largest(v) for k, v in numbers.items()}
        yield "large numbers together", {**good, **largest_all}


def _endless(
    schemas: Mapping[str, Any], good: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a pattern that backtracks, with its text in all the others."""
    places = [k for k, v in schemas.items() if "string" in kinds(v)]
    text = dict.fromkeys(places, ALMOST)
    yield "a text that patterns come back to", {**good, **text}
    for name in places:
        label = f"a pattern that never ends as {name}"
        yield label, {**good, **text, name: ENDLESS}
        if places[1:]:
            yield label, {**good, name: ENDLESS}


def _functions(
    schemas: Mapping[str, Any], lab: Lab, good: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a function's name, with what it would be given in the others.

    A tool that looks up by name what it calls finds more than it means to.
    """
    places = [k for k, v in schemas.items() if "string" in kinds(v)]
    for name in places if places[1:] else ():
        for function, given in called(lab):
            others = dict.fromkeys(places, given)
            label = f"a function's name as {name}"
            yield label, {**good, **others, name: function}


def _set_otherwise(
    schemas: Mapping[str, Any], lab: Lab, good: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a few attacks with each switch and choice set otherwise."""
    places = [k for k, v in schemas.items() if "string" in kinds(v)]
    for switch, schema in schemas.items():
        for value in others(schema):
            for name in places:
                for label, payload in few(lab) if name != switch else ():
                    given = {**good, switch: value, name: payload}
                    yield f"{label} as {name}, {switch}={value}", given
