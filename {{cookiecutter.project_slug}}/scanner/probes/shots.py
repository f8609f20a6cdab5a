"""The requests that a tool, a resource or a prompt is attacked with."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..surface.components import Component
from .lab import Lab
from .payloads import few, lists, texts
from .schemas import beginning, kinds, misfits, others, sample, within


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
    if component.kind == "tool":
        yield from _on_tool(component, lab)
    elif component.kind == "prompt":
        names = [a.get("name") for a in component.data.get("arguments") or []]
        for label, payload in texts(lab):
            given = dict.fromkeys(map(str, names), payload)
            params = {"name": component.name, "arguments": given}
            yield Shot(label, "prompts/get", params)
    else:
        parts = re.split(r"\{[^}]*\}", component.name)
        for label, payload in texts(lab):
            params = {"uri": payload.join(parts)}
            yield Shot(label, "resources/read", params)


def _on_tool(tool: Component, lab: Lab) -> Iterator[Shot]:
    schemas = tool.parameters
    needed = {k: v for k, v in schemas.items() if "default" not in v}
    good = {k: sample(v, lab.file) for k, v in needed.items()}
    given = [("a good call", good)] + [
        (f"{label} as {name}", {**good, name: payload})
        for name, schema in schemas.items()
        for label, payload in _payloads(lab, name, schema)
    ]
    given += _set_otherwise(schemas, lab, good)
    for label, arguments in given:
        params = {"name": tool.name, "arguments": arguments}
        yield Shot(label, "tools/call", params)
    required = tool.data.get("inputSchema", {}).get("required") or []
    for label, arguments in misfits(schemas, good, required):
        params = {"name": tool.name, "arguments": arguments}
        yield Shot(label, "tools/call", params, misfit=True)


def _payloads(
    lab: Lab, name: str, schema: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    allowed = kinds(schema)
    if not allowed or "string" in allowed:
        yield from texts(lab)
        begins = beginning(schema)
        for label, text in texts(lab) if begins else ():
            yield f"{label} behind {begins}", begins + text
    if "array" in allowed:
        yield from lists(lab)
        yield from ((label, [text]) for label, text in texts(lab))
    for place, put in within(name, schema):
        for label, text in texts(lab):
            yield f"{label} at {place}", put(text)


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
