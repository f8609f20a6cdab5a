"""Judges what the attacks left in the log."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping

from ..model import Finding
from ..surface.components import Component
from .explanations import found
from .payloads import Lab

ENDS = frozenset({"tool_request_completed", "tool_request_failed"})


def traces(
    log: str, lab: Lab, calls: Mapping[str, int], tools: list[Component]
) -> Iterator[Finding]:
    """Compare the log with what was sent.

    Args:
        log: All of it.
        lab: Whose words must not be in it.
        calls: How often each tool was called.
        tools: The tools that were called.
    """
    lines = log.splitlines()
    entries = [_entry(line) for line in lines]
    told = [
        str(entry.get("tool"))
        for line, entry in zip(lines, entries, strict=True)
        if any(word in line for word in (lab.sent, lab.outside, lab.inside))
    ]
    ends = Counter(
        str(entry.get("tool"))
        for entry in entries
        if entry.get("event") in ENDS
    )
    for tool in tools:
        if tool.name in told:
            hit = tool.hit("what it is given", "MCP-PRB-019")
            yield found("MCP-PRB-019", "", hit)
        lines_left, made = ends[tool.name], calls.get(tool.name, 0)
        if lines_left != made:
            message = f"{made} calls left {lines_left} lines"
            yield found("MCP-PRB-020", "", tool.hit(message, "MCP-PRB-020"))
    if set(told) - {tool.name for tool in tools}:
        yield found("MCP-PRB-019", "what callers send")


def _entry(line: str) -> Mapping[str, object]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}
