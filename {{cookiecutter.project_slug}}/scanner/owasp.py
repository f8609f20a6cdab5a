"""The OWASP MCP Top 10 of 2025, by the names of its items."""

from typing import Final

MCP_TOP_10: Final = {
    "MCP01": "Token Mismanagement & Secret Exposure",
    "MCP02": "Privilege Escalation via Scope Creep",
    "MCP03": "Tool Poisoning",
    "MCP04": "Software Supply Chain Attacks & Dependency Tampering",
    "MCP05": "Command Injection & Execution",
    "MCP06": "Intent Flow Subversion",
    "MCP07": "Insufficient Authentication & Authorization",
    "MCP08": "Lack of Audit and Telemetry",
    "MCP09": "Shadow MCP Servers",
    "MCP10": "Context Injection & Over-Sharing",
}


def named(item: str) -> str:
    """Return an item as ``MCP05 Command Injection & Execution``.

    Raises:
        KeyError: The list has no such item.
    """
    return f"{item} {MCP_TOP_10[item]}" if item else ""
