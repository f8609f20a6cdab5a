"""Attacks on the rate limit: honest calls too many, and false names."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ..live_http import HttpServer
from ..model import Finding
from ..surface.components import Component
from .findings import found
from .shots import honest
from .target import Target, address, harmless, is_served

LIMIT: Final = 4
CALLS: Final = 7  # honest ones
FALSE: Final = 3  # ones under false names
FORGED: Final = "198.51.100."  # nobody's addresses (RFC 5737)
CLAIMED: Final = "probe-claims-"
NOBODY: Final[Mapping[str, Any]] = {}


def limits(target: Target) -> Iterator[Finding]:
    """Call more often than is allowed: honestly, and under false names."""
    tool = harmless(target.components)
    first = list(counted(target.server, tool, NOBODY))
    yield from first
    if any(finding.id == "MCP-PRB-010" for finding in first):
        return  # where nothing is limited, nothing else is either
    shared = list(_shared(target, tool))
    yield from shared or _in_vain(target, tool)
    if any(name in target.server.log for name in (FORGED, CLAIMED)):
        yield found("MCP-PRB-011", "the log names who they say they are")
    yield from _of_the_rest(target)


def counted(
    server: HttpServer, tool: Component, proof: Mapping[str, Any]
) -> Iterator[Finding]:
    """Count how many calls of one tool pass.

    Args:
        server: The server, with a limit of a few calls a day.
        tool: The tool.
        proof: Headers that say who calls, where that is asked for.
    """
    session = server.session(**proof)
    passed = sum(
        is_served(server, tool, session, **proof) for _ in range(CALLS)
    )
    if passed > LIMIT:
        yield found("MCP-PRB-010", f"{passed} calls where {LIMIT} may pass")
        return
    if passed < LIMIT:
        yield found("MCP-PRB-012", f"{passed} calls where {LIMIT} may pass")
    false = sum(_falsely(server, tool, f"{n}", proof) for n in range(FALSE))
    if false:
        yield found("MCP-PRB-011", f"{false} more calls under false names")


def _shared(target: Target, tool: Component) -> Iterator[Finding]:
    """Call as somebody else, who has not called yet."""
    server, other = target.server, address(2)
    if other != address(1):
        claimed = {"X_Client_Id": f"{CLAIMED}other"}
        claimed["X_Forwarded_For"] = f"{FORGED}99"
        session = server.session(other)
        if not is_served(server, tool, session, other, **claimed):
            yield found("MCP-PRB-012", "another client is refused as well")


def _in_vain(target: Target, tool: Component) -> Iterator[Finding]:
    """Call what cannot be done too often, each kind as somebody else.

    It takes work to refuse; what differs is how, once the limit is reached.
    """
    server = target.server
    for number, (what, name, given) in enumerate(
        (
            ("calls with wrong arguments", tool.name, {"probe_invented": 1}),
            ("calls of a tool that is not there", "probe_unknown", {}),
        ),
        start=6,
    ):
        source = address(number)
        session = server.session(source)
        answers = [
            {**server.call(name, given, session, source).message, "id": 0}
            for _ in range(LIMIT + 1)
        ]
        if source != address(1) and answers[0] == answers[-1]:
            yield found("MCP-PRB-010", f"{what} do not count")


def _of_the_rest(target: Target) -> Iterator[Finding]:
    """Read a resource, and ask for a prompt, more often than is allowed."""
    for kinds in ({"resource", "template"}, {"prompt"}):
        for asked in [c for c in target.components if c.kind in kinds][:1]:
            passed = sum(map(_asking(target, asked), range(CALLS)))
            if passed > LIMIT:
                yield found("MCP-PRB-010", "too often", asked)


def _asking(target: Target, asked: Component) -> Callable[[object], bool]:
    """Return what asks once more, and tells whether that was served."""
    server, shot = target.server, honest(asked, target.lab)
    session = server.session()
    return lambda _: (
        not server.rpc(shot.method, shot.params, session=session).refused
    )


def _falsely(
    server: HttpServer,
    tool: Component,
    number: str,
    proof: Mapping[str, Any],
) -> bool:
    """Call once more, as somebody new in every way that can be claimed."""
    forged = f"{FORGED}{number}"
    name = f"{CLAIMED}{number}"
    return is_served(
        server,
        tool,
        server.session(name=name, **proof),
        meta={"client_id": name, "clientId": name, "user": name},
        Cookie=f"session={name}",
        User_Agent=name,
        X_Forwarded_For=forged,
        Forwarded=f"for={forged}",
        X_Real_IP=forged,
        X_Client_Id=name,
        **(proof or {"Authorization": f"Bearer {name}"}),
    )
