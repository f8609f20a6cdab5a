"""Tells once what a missing control lets happen to many."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ..model import Finding
from ..surface.components import Component
from .findings import found

#: What a control keeps every tool from, whatever the tool does.
CONTROLLED: Final = (
    "MCP-PRB-005",
    "MCP-PRB-006",
    "MCP-PRB-007",
    "MCP-PRB-019",
    "MCP-PRB-023",
    "MCP-PRB-025",
)
#: Fewer than these may have a fault in common by chance.
MANY: Final = 4
ALL: Final = "most of what the server offers"


def by_cause(
    findings: Sequence[Finding], components: Sequence[Component]
) -> list[Finding]:
    """Return one finding where a control is behind what many show.

    It is behind it where most of them show it, or where one of our own tools
    does. Who mends that control mends them all; what is left then is a tool's
    own fault. How many there are is no part of the fingerprint.
    """
    keys = {component.key for component in components}
    kept = list(findings)
    for probe in CONTROLLED:
        those = [f for f in kept if f.id == probe]
        of_tools = [
            f for f in those if f.anchor.removesuffix(f" {probe}") in keys
        ]
        of_server = [f for f in those if f not in of_tools]
        is_most = len(of_tools) >= max(MANY, len(keys) // 2 + 1)
        if of_tools and (of_server or is_most):
            one = of_server[0] if of_server else found(probe, ALL)
            kept = [f for f in kept if f not in of_tools and f != one]
            kept.append(replace(one, message=_said(one, of_tools)))
    return kept


def _said(cause: Finding, of_tools: Sequence[Finding]) -> str:
    names = sorted(f.message.partition(": ")[0] for f in of_tools)
    shown = ", ".join(names[:MANY])
    more = f" and {len(names) - MANY} more" if names[MANY:] else ""
    return f"{cause.message}: {shown}{more}"
