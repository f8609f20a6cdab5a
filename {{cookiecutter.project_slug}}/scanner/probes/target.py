"""What the attacks over HTTP are aimed at, and where they come from."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ..live_http import HttpServer
from ..model import Finding
from ..surface.components import Component
from .lab import Lab
from .schemas import sample


@dataclass(frozen=True, slots=True)
class Target:
    """A running server.

    Attributes:
        lab: Where it works.
        components: What it offers.
        metrics: The port of its metrics.
    """

    server: HttpServer
    lab: Lab
    components: list[Component]
    metrics: int


Probe = Callable[[Target], Iterator[Finding]]


#: The tool of our own whose calls are counted: it asks for nothing.
ANSWERS: Final = Component("tool", "probe_answers", {})


def harmless(components: list[Component]) -> Component:
    """Return the tool whose calls are counted: one that changes nothing.

    One that asks for a scope is refused to a token that has none; where
    there is no other, it is one of ours, which are planted over HTTP.
    """
    tools = [c for c in components if c.kind == "tool" and not c.scope]
    tools.sort(key=lambda t: len(t.parameters))
    near = (t for t in tools if not t.marks.get("openWorldHint"))
    return next((t for t in near if t.marks.get("readOnlyHint")), ANSWERS)


def is_served(
    server: HttpServer,
    tool: Component,
    session: str,
    source: str = "127.0.0.1",
    **more: Any,
) -> bool:
    """Call a tool with what fits, and tell whether that was done."""
    good = {k: sample(v) for k, v in tool.parameters.items()}
    return not server.call(tool.name, good, session, source, **more).refused


def address(number: int) -> str:
    """Return an address of this machine; ever the same, where it has one."""
    wanted = f"127.0.0.{number}"
    try:
        socket.create_server((wanted, 0)).close()
    except OSError:
        return "127.0.0.1"
    return wanted
