"""Attacks on the proof of identity: bad tokens, and ones without a scope."""

import secrets
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from typing import Final

from ..live_http import PROOF, HttpServer
from ..model import Finding
from ..project import Project
from ..surface.components import Component, declarations
from ..tools import ToolError
from .controls import PLANTED
from .findings import found
from .lab import Lab
from .limits import LIMIT, counted
from .schemas import sample
from .target import address, harmless, is_served
from .tokens import Tokens, tokens
from .traces import callers

FARTHER: Final = 50  # addresses that no bad token came from
TOO_MANY: Final = 429
REFUSED: Final = frozenset({401, 403, TOO_MANY})
GUESSES: Final = 40  # in a few moments
NOTICED: Final = 1.5  # seconds after which a change of the tokens is seen


def with_tokens(
    project: Project, lab: Lab, kind: str, listed: "Future[list[Component]]"
) -> list[Finding]:
    """Attack a server that asks for tokens.

    Args:
        project: Whose server it is.
        lab: Where it works.
        kind: ``bearer`` or ``jwt``.
        listed: What it offers, when that is known.

    Raises:
        ToolError: It does not start, or refuses a good token.
    """
    components = listed.result()  # before the server takes a place
    proofs = tokens(lab, kind, alike(_asked(project)))
    limit = {"MCP_RATE_LIMIT": f"{LIMIT}/day"}
    settings = {"MCP_AUTH": kind, **limit, **proofs.settings}
    with HttpServer(
        project, lab.workspace, through=[str(PLANTED)], **settings
    ) as server:
        good = f"Bearer {proofs.good}"
        session = server.session(Authorization=good)
        if not session:
            raise ToolError("the server does not let a good token in")
        revoked = _revoked(server, proofs)
        findings = [
            *_bad_tokens(server, harmless(components), proofs.bad),
            *_other_methods(server),
            *_in_session(server, harmless(components), session),
            *_in_other_places(server, proofs.good),
            *(
                list(_scopes(server, lab, components, good))
                or _scopes(server, lab, components, f"Bearer {proofs.near}")
            ),
            *_logged(server.log, proofs),
            *_repeated(server, good),
        ]
        # Where a bad token is good, neither of these says anything new.
        if not any(each.id == "MCP-PRB-015" for each in findings):
            findings += _guessing(server)
            findings += _still_good(server, proofs, revoked)
        if findings:  # who was let in has used up what would be counted
            return findings
        proof = {"Authorization": good}
        findings += counted(server, harmless(components), proof)
        return [*findings, *_of_nobody(server.log)]


def _asked(project: Project) -> set[str]:
    """Return the scopes that the tools ask for."""
    options = (d.options.get("scope") for d in declarations(project).values())
    return {str(scope) for scope in options if scope}


def alike(asked: set[str]) -> list[str]:
    """Return scopes that are named like these, and are none of them."""
    near = {f"{scope}-probe" for scope in asked}
    for family in {scope.partition(":")[0] for scope in asked}:
        near |= {family, f"{family}:probe"}
    return sorted(near - asked)


def _bad_tokens(
    server: HttpServer, tool: Component, bad: Mapping[str, str]
) -> Iterator[Finding]:
    """Come without a token, and with tokens that are none.

    Each from an address of its own: who fails often is refused unheard.
    """
    given = {name: f"Bearer {token}" for name, token in bad.items()}
    given |= {"an empty token": "Bearer ", "a password": "Basic YTph"}
    given = {"no token": "", **given}
    served = [
        name
        for number, (name, value) in enumerate(given.items(), 2)
        if _lets_in(server, tool, address(number), value)
    ]
    if served:
        yield found("MCP-PRB-015", "; ".join(served))
    refusal = server.initialize(address(FARTHER + 6))
    if "www-authenticate" not in refusal.headers and refusal.status == 401:
        yield found("MCP-PRB-043", "401 without WWW-Authenticate")


def _lets_in(
    server: HttpServer, tool: Component, source: str, value: str
) -> bool:
    headers = {"Authorization": value} if value else {}
    session = server.session(source, **headers)
    return bool(session) or is_served(server, tool, session, source, **headers)


def _other_methods(server: HttpServer) -> Iterator[Finding]:
    """Ask for the stream, and for a session's end, without a token."""
    served = []
    for number, method in enumerate(("GET", "DELETE"), FARTHER + 4):
        source = address(number)
        if server.request(method, source=source).status not in REFUSED:
            served.append(method)
    if served:
        yield found("MCP-PRB-015", f"no token, by {' and '.join(served)}")


def _logged(log: str, proofs: Tokens) -> Iterator[Finding]:
    """Look for tokens in the log, good ones and what was shown for one."""
    shown = [proofs.good, *proofs.bad.values()]
    if any(token[:PROOF] in log for token in shown):
        yield found("MCP-PRB-019", "a token")


def _repeated(server: HttpServer, good: str) -> Iterator[Finding]:
    """Look for tokens in all answers until now, and in that to TRACE."""
    server.request("TRACE", Authorization=good)
    if server.repeated:
        said = ", ".join(sorted(server.repeated))
        yield found("MCP-PRB-045", f"by {said}")


def _revoked(server: HttpServer, proofs: Tokens) -> float:
    """Use a token, revoke it, and return when that was done."""
    if proofs.gone:
        source = address(FARTHER + 12)
        server.initialize(source, Authorization=f"Bearer {proofs.gone}")
        proofs.revoke()
    return time.monotonic()


def _still_good(
    server: HttpServer, proofs: Tokens, revoked: float
) -> Iterator[Finding]:
    """Show a token that was revoked a while ago."""
    if not proofs.gone:
        return
    time.sleep(max(0, revoked + NOTICED - time.monotonic()))
    source, shown = address(FARTHER + 12), f"Bearer {proofs.gone}"
    if server.initialize(source, Authorization=shown).status < 300:
        yield found("MCP-PRB-055", f"{NOTICED:g} seconds later")


def _of_nobody(log: str) -> Iterator[Finding]:
    """Look whether the log says who called, where callers have names."""
    if None in callers(log):
        yield found("MCP-PRB-020", "a line does not say who called")


def _guessing(server: HttpServer) -> Iterator[Finding]:
    """Show one invented token after the other, all from one address."""
    source = address(FARTHER + 20)
    for _ in range(GUESSES):
        guess = f"Bearer {secrets.token_urlsafe(32)}"
        status = server.initialize(source, Authorization=guess).status
        if status == TOO_MANY or status < 400:  # who is let in, guesses not
            return
    said = f"{GUESSES} bad tokens from one address"
    yield found("MCP-PRB-053", said)


def _in_session(
    server: HttpServer, tool: Component, session: str
) -> Iterator[Finding]:
    """Go on in somebody else's session, which is no proof of identity.

    The specification says so (Security Best Practices, session hijacking).
    """
    invented = f"Bearer {secrets.token_urlsafe(32)}"
    stolen: dict[str, dict[str, str]]
    stolen = {"no token": {}, "an invented token": {"Authorization": invented}}
    for number, (name, headers) in enumerate(stolen.items(), FARTHER):
        if is_served(server, tool, session, address(number), **headers):
            yield found("MCP-PRB-015", f"{name}, in another's session")


def _in_other_places(server: HttpServer, token: str) -> Iterator[Finding]:
    """Put a good token where it does not belong.

    Every proxy logs an address, and a browser sends a cookie for whatever
    page asks. The specification has one place (Authorization, access token
    usage).
    """
    names = ("access_token", "token")
    places = {
        f"the address, as {n}": {"path": f"/mcp?{n}={token}"} for n in names
    }
    places["a cookie"] = {"Cookie": "; ".join(f"{n}={token}" for n in names)}
    for number, (place, given) in enumerate(places.items(), FARTHER + 7):
        if server.initialize(address(number), **given).status < 300:
            yield found("MCP-PRB-015", f"a token in {place}")


def _scopes(
    server: HttpServer,
    lab: Lab,
    components: list[Component],
    token: str,
) -> Iterator[Finding]:
    """Call what needs a scope with a token that lacks it; list it, too."""
    session = server.session(Authorization=token)
    listed = server.rpc(
        "tools/list", {}, session=session, Authorization=token
    ).message.get("result")
    tools = listed.get("tools") if isinstance(listed, dict) else None
    shown = {str(tool.get("name")) for tool in tools or ()}
    for component in components:
        if component.kind == "tool" and component.scope:
            schemas = component.parameters
            good = {k: sample(v, lab.file) for k, v in schemas.items()}
            answer = server.call(
                component.name, good, session, Authorization=token
            )
            done = not answer.refused or component.name in shown
        elif component.kind == "template":
            uri = component.name.partition("{")[0] + lab.file
            answer = server.rpc(
                "resources/read",
                {"uri": uri},
                session=session,
                Authorization=token,
            )
            done = lab.within in answer.text
        else:
            continue
        if done:
            yield found("MCP-PRB-023", "served without its scope", component)
