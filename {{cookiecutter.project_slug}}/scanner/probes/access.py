"""Attacks on the proof of identity: bad tokens, and ones without a scope."""

import hashlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

from ..live import PROTOCOL
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
from .signing import Key, unsigned
from .target import address, harmless

ISSUER: Final = "https://issuer.example"
AUDIENCE: Final = "https://server.example/mcp"
HOUR: Final = 3_600
FARTHER: Final = 50  # addresses that no bad token came from
REFUSED: Final = frozenset({401, 403, 429})


@dataclass(frozen=True, slots=True)
class Tokens:
    """A way of proving who one is.

    Attributes:
        settings: What the server is told of it.
        good: A token that is good, and has no scope.
        near: Another, with scopes that are named like those asked for.
        bad: Tokens that are not, each with what is wrong with it.
    """

    settings: Mapping[str, str]
    good: str
    near: str
    bad: Mapping[str, str]


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
    proofs = tokens(lab, kind, _near(project))
    limit = {"MCP_RATE_LIMIT": f"{LIMIT}/day"}
    settings = {"MCP_AUTH": kind, **limit, **proofs.settings}
    with HttpServer(
        project, lab.workspace, through=[str(PLANTED)], **settings
    ) as server:
        components = listed.result()
        good = f"Bearer {proofs.good}"
        session = server.session(Authorization=good)
        if not session:
            raise ToolError("the server does not let a good token in")
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
        if findings:  # who was let in has used up what would be counted
            return findings
        proof = {"Authorization": good}
        return list(counted(server, harmless(components), proof))


def tokens(lab: Lab, kind: str, near: Sequence[str] = ()) -> Tokens:
    """Make a way of proving who one is: ``bearer`` or ``jwt``."""
    return (_signed if kind == "jwt" else _opaque)(lab, near)


def _near(project: Project) -> list[str]:
    """Return scopes that are named like those that the tools ask for."""
    asked = {d.options.get("scope") for d in declarations(project).values()}
    return [
        alike
        for scope in sorted(map(str, filter(None, asked)))
        for family in [scope.partition(":")[0]]
        for alike in (family, f"{family}:probe", f"{scope}-probe")
    ]


def _opaque(lab: Lab, scopes: Sequence[str]) -> Tokens:
    good, near = _issued(), _issued()
    digest, other = (
        hashlib.sha256(token.encode()).hexdigest() for token in (good, near)
    )
    file = lab.root / "tokens"
    file.write_text(f"probe:{digest}:\nnear:{other}:{','.join(scopes)}\n")
    file.chmod(0o600)
    return Tokens(
        {"MCP_AUTH_TOKENS_FILE": str(file)},
        good,
        near,
        {
            "an invented token": secrets.token_urlsafe(32),
            "one that looks like the good one": _issued(),
            "a token's beginning": good[:16],
            "a good token and more": f"{good}x",
            "a token in other letters": good.swapcase(),
            "a token's hash": digest,
            "an unsigned token": unsigned({"sub": "admin"}),
        },
    )


def _issued() -> str:
    """Return a token of the form that ``token create`` makes."""
    return f"mcp_{secrets.token_urlsafe(32)}"


def _signed(lab: Lab, scopes: Sequence[str]) -> Tokens:
    key, stranger = Key.new(), Key.new()
    file = lab.root / "key.pem"
    file.write_text(key.pem)
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "probe",
        "iat": now - HOUR,
        "exp": now + HOUR,
    }
    head, _, signature = key.token(claims).split(".")
    _, altered, _ = key.token({**claims, "sub": "admin"}).split(".")
    return Tokens(
        {
            "MCP_AUTH_ISSUER": ISSUER,
            "MCP_AUTH_AUDIENCE": AUDIENCE,
            "MCP_AUTH_PUBLIC_KEY": str(file),
            "MCP_BASE_URL": "https://server.example",
        },
        key.token(claims),
        key.token({**claims, "sub": "near", "scope": " ".join(scopes)}),
        {
            "an invented token": secrets.token_urlsafe(32),
            "an unsigned token": unsigned(claims),
            "an expired token": key.token({**claims, "exp": now - HOUR}),
            "a token without an end": key.token(_but(claims, "exp")),
            "another issuer's token": key.token({**claims, "iss": "x"}),
            "another server's token": key.token({**claims, "aud": "x"}),
            "a token of an issuer named alike": key.token(
                {**claims, "iss": f"{ISSUER}.stranger.example"}
            ),
            "a token for a server named alike": key.token(
                {**claims, "aud": f"{AUDIENCE}.stranger.example"}
            ),
            "a token for a part of the name": key.token(
                {**claims, "aud": AUDIENCE.rpartition("/")[0]}
            ),
            "a token for no server": key.token(_but(claims, "aud")),
            "a token signed by a stranger": stranger.token(claims),
            "a token that brings its key": stranger.token(
                claims, jwk=stranger.jwk
            ),
            "a token that asks for more": key.token(
                claims, crit=["probe"], probe=1
            ),
            "a token signed with the public key": key.confused(claims),
            "a token signed with the stripped key": key.confused(claims, ""),
            "a token of tomorrow": key.token({**claims, "nbf": now + HOUR}),
            "an altered token": f"{head}.{altered}.{signature}",
        },
    )


def _but(claims: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {k: v for k, v in claims.items() if k != name}


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
        if _is_served(server, tool, address(number), value)
    ]
    if served:
        yield found("MCP-PRB-015", "; ".join(served))
    refusal = server.initialize(address(FARTHER + 6))
    if "www-authenticate" not in refusal.headers and refusal.status == 401:
        yield found("MCP-PRB-043", "401 without WWW-Authenticate")


def _is_served(
    server: HttpServer, tool: Component, source: str, value: str
) -> bool:
    good = {k: sample(v) for k, v in tool.parameters.items()}
    headers: dict[str, Any] = {"Authorization": value} if value else {}
    session = server.session(source, **headers)
    answer = server.call(tool.name, good, session, source, **headers)
    return bool(session) or not answer.refused


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


def _in_session(
    server: HttpServer, tool: Component, session: str
) -> Iterator[Finding]:
    """Go on in somebody else's session, which is no proof of identity.

    The specification says so (Security Best Practices, session hijacking).
    """
    good = {k: sample(v) for k, v in tool.parameters.items()}
    stolen: dict[str, dict[str, Any]]
    stolen = {"no token": {}, "an invented token": _invented()}
    for number, (name, headers) in enumerate(stolen.items(), FARTHER):
        source = address(number)
        if not server.call(
            tool.name, good, session, source, **headers
        ).refused:
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


def _invented() -> dict[str, str]:
    return {"Authorization": f"Bearer {secrets.token_urlsafe(32)}"}


def _scopes(
    server: HttpServer,
    lab: Lab,
    components: list[Component],
    token: str,
) -> Iterator[Finding]:
    """Call what needs a scope with a token that lacks it; list it, too."""
    session = server.session(Authorization=token)
    named = {"Mcp_Session_Id": session, "Authorization": token}
    named["MCP_Protocol_Version"] = PROTOCOL
    listed = server.rpc("tools/list", {}, **named).message.get("result")
    tools = listed.get("tools") if isinstance(listed, dict) else None
    shown = {str(tool.get("name")) for tool in tools or ()}
    for component in components:
        there = component.declared
        if component.kind == "tool" and there and there.options.get("scope"):
            schemas = component.parameters
            good = {k: sample(v, lab.file) for k, v in schemas.items()}
            answer = server.call(
                component.name, good, session, Authorization=token
            )
            served = not answer.refused or component.name in shown
        elif component.kind == "template":
            uri = component.name.partition("{")[0] + lab.file
            answer = server.rpc(
                "resources/read",
                {"uri": uri},
                Mcp_Session_Id=session,
                Authorization=token,
            )
            served = lab.within in answer.text
        else:
            continue
        if served:
            yield found("MCP-PRB-023", "served without its scope", component)
