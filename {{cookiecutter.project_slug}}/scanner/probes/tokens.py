"""Ways of proving who one is: a good token each, and many bad ones."""

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .lab import Lab
from .signing import Key, unsigned

ISSUER: Final = "https://issuer.example"
AUDIENCE: Final = "https://server.example/mcp"
HOUR: Final = 3_600


@dataclass(frozen=True, slots=True)
class Tokens:
    """A way of proving who one is.

    Attributes:
        settings: What the server is told of it.
        good: A token that is good, and has no scope.
        near: Another, with scopes that are named like those asked for.
        bad: Tokens that are not, each with what is wrong with it.
        gone: One that is good until ``revoke`` is called, if there is any.
    """

    settings: Mapping[str, str]
    good: str
    near: str
    bad: Mapping[str, str]
    gone: str = ""
    revoke: Callable[[], object] = bool


def tokens(lab: Lab, kind: str, near: Sequence[str] = ()) -> Tokens:
    """Make a way of proving who one is: ``bearer`` or ``jwt``."""
    return (_signed if kind == "jwt" else _opaque)(lab, near)


def _opaque(lab: Lab, scopes: Sequence[str]) -> Tokens:
    good, near, gone = _issued(), _issued(), _issued()
    digest, other, last = (
        hashlib.sha256(token.encode()).hexdigest()
        for token in (good, near, gone)
    )
    file = lab.root / "tokens"
    kept = f"probe:{digest}:\nnear:{other}:{','.join(scopes)}\n"
    file.write_text(f"{kept}gone:{last}:\n")
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
        gone,
        lambda: file.write_text(kept),
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
