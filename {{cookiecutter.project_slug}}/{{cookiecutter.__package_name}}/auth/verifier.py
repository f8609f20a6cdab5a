"""What every way of checking a token has in common."""

from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from fastmcp.server.auth import AccessToken

#: Stands where FastMCP would keep the token itself.
WITHHELD: Final = ""


class InvalidToken(Exception):
    """A token that is not good.

    Attributes:
        kind: A fixed word for the log, never anything of the token.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class CannotVerify(Exception):
    """What a token is checked against is out of reach for now."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose a good token is.

    Attributes:
        client_id: The client that it was issued to.
        scopes: What it allows.
        subject: The person or service on whose behalf, if any.
        expires_at: Unix time, in seconds, from which on it is no good.
        claims: What else the issuer said.
    """

    client_id: str
    scopes: tuple[str, ...]
    subject: str | None = None
    expires_at: int | None = None
    claims: dict[str, Any] = field(default_factory=dict)

    def access_token(self) -> AccessToken:
        """Return the holder as FastMCP knows it, without the token.

        Nothing can pass on or log what nothing has (OWASP MCP01; MCP
        specification, authorization: no token passthrough).
        """
        return AccessToken(
            token=WITHHELD,
            client_id=self.client_id,
            scopes=list(self.scopes),
            subject=self.subject,
            expires_at=self.expires_at,
            claims=self.claims,
        )


class Verifier(Protocol):
    """A way of checking tokens."""

    @property
    def epoch(self) -> int:
        """A number that changes when a good token may be good no more."""

    async def verify(self, token: str) -> Holder:
        """Return whose the token is.

        Raises:
            InvalidToken: It is not good.
            CannotVerify: That cannot be found out now.
        """
