"""Judges what the attacks left in the log."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ..live_stdio import StdioServer
from ..model import Finding
from ..surface.components import Component
from .findings import found
from .lab import Lab

ENDS = frozenset({"tool_request_completed", "tool_request_failed"})
UNFIT = "ValidationError"  # how the log names arguments that do not fit


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
    asked: dict[str, dict[str, Any]] = {
        "tools/call": {"name": name, "arguments": {}},
        "prompts/get": {"name": name},
        "resources/read": {"uri": f"{lab.sent}://{lab.sent}"},
    }
    for method, params in asked.items():
        server.exchange(method, params)
    log, findings = server.log[before:], []
    if tells(log, lab):
        findings.append(found("MCP-PRB-019", "the name of what is not there"))
    if sum(_ends(log).values()) < len(asked):
        said = "calls of what is not there leave no line"
        findings.append(found("MCP-PRB-020", said))
    return findings


def traces(
    log: str, calls: Mapping[str, int], attacked: list[Component]
) -> Iterator[Finding]:
    """Compare the log with what was sent.

    Args:
        log: All of it.
        calls: How often each tool was called.
        attacked: What was attacked.
    """
    ends = _ends(log)
    tools = {c.name: c for c in attacked if c.kind == "tool"}
    names = [*tools, *(calls.keys() - tools.keys())]
    wrong = [name for name in names if ends[name] != calls.get(name, 0)]
    if len(wrong) == len(names) and len(tools) > 1:  # it is the control
        message = "whatever is called leaves more than one line"
        if not any(ends[name] for name in names):
            message = "no call leaves a line"
        yield found("MCP-PRB-020", message)
        return
    for name in wrong:
        message = f"{calls.get(name, 0)} calls left {ends[name]} lines"
        message = message if name in tools else f"{name}: {message}"
        yield found("MCP-PRB-020", message, tools.get(name))


def unreached(log: str) -> set[str]:
    """Return the tools whose arguments were refused in every call.

    None of the attacks has come as far as the tool itself.
    """
    ends = [e for e in map(_entry, log.splitlines()) if e.get("event") in ENDS]
    reached = {e.get("tool") for e in ends if e.get("error") != UNFIT}
    return {str(e.get("tool")) for e in ends} - reached


def callers(log: str) -> Iterator[object]:
    """Yield who called, for each call that ended; None if nobody is named."""
    for entry in map(_entry, log.splitlines()):
        if entry.get("event") in ENDS:
            yield entry.get("client_id") or None


def _ends(log: str) -> Counter[str]:
    """Count the lines that say how a call ended, by its tool."""
    return Counter(
        str(entry.get("tool"))
        for entry in map(_entry, log.splitlines())
        if entry.get("event") in ENDS
    )


def _entry(line: str) -> Mapping[str, object]:
    """Read a line of the log, or what comes behind a tool's own words."""
    try:
        entry = json.loads(line[max(0, line.find('{"timestamp"')) :])
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}
