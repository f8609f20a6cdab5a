"""Attacks over HTTP+SSE, the transport of older clients."""

import contextlib
import http.client
from collections.abc import Iterator, Mapping
from typing import Final

from ..live import PATIENCE, refused
from ..live_http import HttpServer
from ..live_sse import STREAM, Headers, SseSession
from ..model import Finding
from ..project import Project
from ..surface.components import Component
from ..tools import ToolError
from .controls import PLANTED
from .findings import found
from .lab import Lab
from .limits import CALLS, LIMIT
from .network import BODY, HOSTS, ORIGINS
from .schemas import sample
from .target import harmless
from .tokens import tokens

MESSAGES: Final = "/messages/?session_id=00000000000040008000000000000000"
REFUSED: Final = frozenset({0, 401, 403, 429})
NO_PROOF: Final[Mapping[str, Headers]] = {
    "no token": {},
    "an invented token": {"Authorization": "Bearer invented"},
}


def over_sse(project: Project, lab: Lab, kind: str) -> list[Finding]:
    """Attack the stream, and the way by which messages come to it.

    Args:
        project: Whose server it is.
        lab: Where it works.
        kind: The proof of identity: ``bearer`` or ``jwt``.

    Raises:
        ToolError: It does not start, or refuses a good token.
    """
    proofs = tokens(lab, kind)
    settings = {
        "MCP_TRANSPORT": "sse",
        "MCP_AUTH": kind,
        "MCP_MAX_REQUEST_SIZE": str(BODY),
        "MCP_RATE_LIMIT": f"{LIMIT}/day",
        **proofs.settings,
    }
    good = {"Authorization": f"Bearer {proofs.good}"}
    with HttpServer(
        project, lab.workspace, through=[str(PLANTED)], **settings
    ) as server:
        if _status(server, "GET", STREAM, good) != 200:
            raise ToolError("the server does not let a good token in")
        return [
            *_strangers(server, good),
            *_without_tokens(server),
            *_beside(server, good),
            *_limits(server, good),
        ]


def _strangers(server: HttpServer, good: Headers) -> Iterator[Finding]:
    for name, probe, values in (
        ("Host", "MCP-PRB-013", HOSTS),
        ("Origin", "MCP-PRB-014", ORIGINS),
    ):
        named = {value: {**good, name: value} for value in values}
        served = [
            value
            for value, headers in named.items()
            if 0 < _status(server, "GET", STREAM, headers) < 400
        ]
        if served:
            yield found(probe, f"{name}: {', '.join(served)}, over SSE")


def _without_tokens(server: HttpServer) -> Iterator[Finding]:
    """Ask without a token and with an invented one.

    A message to a stream that is not there is refused for that, later.
    """
    served = [
        f"{method} {path.partition('?')[0]}, {name}"
        for method, path in (("GET", STREAM), ("POST", MESSAGES))
        for name, headers in NO_PROOF.items()
        if _status(server, method, path, headers) not in REFUSED
    ]
    if served:
        yield found("MCP-PRB-015", "; ".join(served))


def _beside(server: HttpServer, good: Headers) -> Iterator[Finding]:
    if 0 < _status(server, "GET", "/metrics", good) < 400:
        yield found("MCP-PRB-016", "/metrics, over SSE")
    long = b" " * (BODY * 4)
    if _status(server, "POST", MESSAGES, good, long) not in {0, 413}:
        yield found("MCP-PRB-021", f"{len(long)} bytes, over SSE")
    if not server.alive:
        yield found("MCP-PRB-009", "while its SSE was tried")


def _limits(server: HttpServer, good: Headers) -> Iterator[Finding]:
    """Call more often than is allowed, and once more in another session."""
    if not server.alive:
        return
    with SseSession(server, good) as session:
        listed = session.ask("tools/list", {}).get("result", {})
        tool = harmless(
            [
                Component("tool", str(each.get("name")), each)
                for each in listed.get("tools") or ()
            ]
        )
        passed = sum(_passes(session, tool) for _ in range(CALLS))
    if passed != LIMIT:
        probe = "MCP-PRB-010" if passed > LIMIT else "MCP-PRB-012"
        said = f"{passed} calls where {LIMIT} may pass, over SSE"
        yield found(probe, said)
        return
    forged = {"X-Forwarded-For": "198.51.100.1", "User-Agent": "probe"}
    with SseSession(server, {**good, **forged}) as session:
        if _passes(session, tool):
            yield found("MCP-PRB-011", "one more call in a new session")


def _passes(session: SseSession, tool: Component) -> bool:
    good = {k: sample(v) for k, v in tool.parameters.items()}
    given = {"name": tool.name, "arguments": good}
    return not refused(session.ask("tools/call", given))


def _status(
    server: HttpServer,
    method: str,
    path: str,
    headers: Headers,
    body: bytes | None = None,
) -> int:
    """Return how a request is answered; 0 if it is cut off.

    A stream that is served has no end, so it is left.
    """
    connection = http.client.HTTPConnection(
        "127.0.0.1", server.port, timeout=PATIENCE
    )
    with contextlib.closing(connection):
        try:
            connection.request(method, path, body, headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
