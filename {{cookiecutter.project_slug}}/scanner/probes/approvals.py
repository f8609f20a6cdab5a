"""Says no to a destructive call, in the protocol that keeps no session."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..live import refusals
from ..model import Finding
from .findings import found
from .target import Target, address

PROTOCOL: Final = "2026-07-28"
TOOL: Final = "probe_destroys"
_META: Final = "io.modelcontextprotocol"
_CLIENT: Final[Mapping[str, Any]] = {
    f"{_META}/protocolVersion": PROTOCOL,
    f"{_META}/clientCapabilities": {"elicitation": {}},
    f"{_META}/clientInfo": {"name": "security-scan", "version": "1"},
}


def unapproved(target: Target) -> Iterator[Finding]:
    """Call a tool that destroys, and take no question for a yes."""
    question = _called(target)
    asked = question.get("inputRequests") or {}
    state = question.get("requestState")
    for no in refusals() if asked else ():
        answers = dict.fromkeys(asked, no)
        _called(target, requestState=state, inputResponses=answers)
    if (target.lab.root / "here/destroyed").exists():
        said = f"the user said no by {PROTOCOL}, and it was done"
        yield found("MCP-PRB-033", said)


def _called(target: Target, **given: Any) -> Mapping[str, Any]:
    params = {"name": TOOL, "arguments": {}, "_meta": _CLIENT, **given}
    answer = target.server.rpc(
        "tools/call",
        params,
        address(10),
        MCP_Protocol_Version=PROTOCOL,
        Mcp_Method="tools/call",
        Mcp_Name=TOOL,
    )
    result = answer.message.get("result")
    return result if isinstance(result, dict) else {}
