"""Judges what the attacks left in the log."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping

from ..live import StdioServer
from ..model import Finding
from ..surface.components import Component
from .explanations import found
from .lab import Lab

ENDS = frozenset({"tool_request_completed", "tool_request_failed"})


def tells(log: str, lab: Lab) -> bool:
    """Tell whether a part of the log holds what was sent, or came back.

    Whose part it is follows from when it was written: a tool's own line need
    not be JSON, nor name the tool.
    """
    return any(word in log for word in (lab.sent, lab.outside, lab.inside))


def named_by_callers(server: StdioServer, lab: Lab) -> list[Finding]:
    """Ask for what is not there, by names that would forge a line.

    What a caller makes up belongs in no log, and in no metric's label.
    """
    before = len(server.log)
    name = f'{lab.sent}\n{{"event": "server_stopped"}}'
    for method, params in (
        ("tools/call", {"name": name, "arguments": {}}),
        ("prompts/get", {"name": name}),
        ("resources/read", {"uri": f"{lab.sent}://{lab.sent}"}),
    ):
        server.exchange(method, params)
    if not tells(server.log[before:], lab):
        return []
    return [found("MCP-PRB-019", "the name of what is not there")]


def traces(
    log: str, calls: Mapping[str, int], attacked: list[Component]
) -> Iterator[Finding]:
    """Compare the log with what was sent.

    Args:
        log: All of it.
        calls: How often each tool was called.
        attacked: What was attacked.
    """
    ends = Counter(
        str(entry.get("tool"))
        for entry in map(_entry, log.splitlines())
        if entry.get("event") in ENDS
    )
    tools = {c.name: c for c in attacked if c.kind == "tool"}
    for name in (*tools, *(calls.keys() - tools.keys())):
        left, made = ends[name], calls.get(name, 0)
        if left != made:
            message = f"{made} calls left {left} lines"
            if name not in tools:
                yield found("MCP-PRB-020", f"{name}: {message}")
                continue
            hit = tools[name].hit(message, "MCP-PRB-020")
            yield found("MCP-PRB-020", "", hit)


def _entry(line: str) -> Mapping[str, object]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}
