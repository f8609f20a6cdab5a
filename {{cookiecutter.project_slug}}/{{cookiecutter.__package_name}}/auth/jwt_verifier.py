"""JSON Web Tokens: signed by the issuer, for this server, for now."""

import base64
import json
from typing import Any, Final, Protocol

import jwt
from jwt.exceptions import (
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidSignatureError,
    MissingRequiredClaimError,
)

from .verifier import Holder, InvalidToken

#: Seconds that clocks may be apart.
LEEWAY: Final = 10

_KINDS: Final = {
    ExpiredSignatureError: "expired",
    ImmatureSignatureError: "not_yet_valid",
    InvalidAudienceError: "audience",
    InvalidIssuerError: "issuer",
    InvalidSignatureError: "signature",
    MissingRequiredClaimError: "claim_missing",
}


class Keys(Protocol):
    """Where the keys come from."""

    @property
    def epoch(self) -> int:
        """A number that changes with the keys."""

    async def find(self, key_id: str | None, algorithm: str) -> Any:
        """Return the public key of this id, if it is for this algorithm."""


class JwtVerifier:
    """Checks JSON Web Tokens as RFC 8725 and RFC 9068 ask for.

    The key decides which algorithms it can be used with, the token only which
    of these; issuer, audience and time of expiry must be there and be right
    (MCP specification, authorization: token handling).
    """

    def __init__(self, keys: Keys, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    @property
    def epoch(self) -> int:
        """Changes with the keys."""
        return self._keys.epoch

    async def verify(self, token: str) -> Holder:
        """Return whose the token is."""
        key_id, algorithm = _header(token)
        key = await self._keys.find(key_id, algorithm)
        return _holder(self._claims(token, key, algorithm))

    def _claims(self, token: str, key: Any, algorithm: str) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud"]},
            )
        except Exception as error:
            # Whatever it stumbles over, such a token is not good.
            kind = _KINDS.get(type(error), "malformed")
            raise InvalidToken(kind) from error


def _header(token: str) -> tuple[str | None, str]:
    """Return which key and algorithm a token names; neither is trusted yet.

    Where else a token says that its key is to be found does not matter.
    """
    try:
        part = token.partition(".")[0]
        padding = "=" * (-len(part) % 4)
        header = json.loads(base64.urlsafe_b64decode(part + padding))
        key_id, algorithm = header.get("kid"), header["alg"]
    except Exception as error:
        raise InvalidToken("malformed") from error
    if "crit" in header:
        # We know no extension, and must not pass over a critical one.
        raise InvalidToken("critical_header")
    if not isinstance(algorithm, str):
        raise InvalidToken("algorithm")
    return key_id, algorithm


def _holder(claims: dict[str, Any]) -> Holder:
    subject = claims.get("sub")
    client = claims.get("client_id") or claims.get("azp") or subject
    if not isinstance(client, str) or not isinstance(subject, str | None):
        raise InvalidToken("nobody")
    return Holder(
        client_id=client,
        scopes=_scopes(claims),
        subject=subject,
        expires_at=int(claims["exp"]) + LEEWAY,
        claims=claims,
    )


def _scopes(claims: dict[str, Any]) -> tuple[str, ...]:
    """Return what a token allows: RFC 9068's ``scope``, or ``scp``."""
    scopes = claims.get("scope", claims.get("scp", ""))
    if isinstance(scopes, str):
        return tuple(scopes.split())
    if isinstance(scopes, list):
        return tuple(s for s in scopes if isinstance(s, str))
    return ()
