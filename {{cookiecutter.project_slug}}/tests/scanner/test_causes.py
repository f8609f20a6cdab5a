"""One finding where one control is behind what many tools show."""

from scanner.model import Finding
from scanner.probes.causes import by_cause
from scanner.probes.findings import found
from scanner.surface.components import Component

SIX = [Component("tool", name, {}) for name in "abcdef"]


def shown(probe: str, many: int) -> list[Finding]:
    """Return what as many tools show."""
    return [found(probe, "what it is given", tool) for tool in SIX[:many]]


def test_what_most_tools_show_is_one_finding() -> None:
    (five,) = by_cause(shown("MCP-PRB-019", 5), SIX)
    assert five.message.endswith("tool a, tool b, tool c, tool d and 1 more")
    (four,) = by_cause(shown("MCP-PRB-019", 4), SIX)
    assert four.fingerprint == five.fingerprint


def test_what_our_own_tool_shows_is_behind_the_others() -> None:
    ours = found("MCP-PRB-005", "what a tool raises comes back")
    (one,) = by_cause([*shown("MCP-PRB-005", 2), ours], SIX)
    assert one.fingerprint == ours.fingerprint
    assert one.message == "what a tool raises comes back: tool a, tool b"


def test_faults_of_few_tools_or_of_their_own_stay_apart() -> None:
    few, own = shown("MCP-PRB-019", 3), shown("MCP-PRB-001", 6)
    assert by_cause([*few, *own], SIX) == [*few, *own]
