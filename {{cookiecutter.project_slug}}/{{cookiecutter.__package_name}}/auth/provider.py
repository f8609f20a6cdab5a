"""Plugs our check of tokens into FastMCP."""

from collections.abc import Sequence
from typing import Any

from fastmcp.server.auth import RemoteAuthProvider, TokenVerifier
from mcp.server.auth.routes import build_resource_metadata_url
from pydantic import AnyHttpUrl
from starlette.middleware import Middleware
from starlette.routing import Route

from ..serving.application import Observer
from .layer import OPEN, BearerLayer
from .verifier import Verifier

METADATA = f"{OPEN}oauth-protected-resource"


class BearerProvider(TokenVerifier):
    """Checks tokens, and says nothing of where to get one.

    Args:
        verifier: Checks tokens.
        on_event: Told how each check ended.
        challenge: Parameters of ``WWW-Authenticate``.
    """

    def __init__(
        self, verifier: Verifier, on_event: Observer, *, challenge: str = ""
    ) -> None:
        super().__init__()
        self._verifier = verifier
        self._on_event = on_event
        self._challenge = challenge

    def get_middleware(self) -> list[Any]:
        """Return the check that stands in front of every route."""
        return [
            Middleware(
                BearerLayer,
                verifier=self._verifier,
                challenge=self._challenge,
                on_event=self._on_event,
            )
        ]


class IssuerProvider(RemoteAuthProvider):
    """Checks tokens, and names who issues them (RFC 9728).

    Args:
        verifier: Checks tokens.
        on_event: Told how each check ended.
        issuer: The authorization server.
        base_url: This server, as its clients know it.
        path: Where MCP is served.
        scopes: Every scope that there is.
        initial_scopes: Those to ask for to begin with.
    """

    def __init__(
        self,
        verifier: Verifier,
        on_event: Observer,
        *,
        issuer: AnyHttpUrl,
        base_url: AnyHttpUrl,
        path: str,
        scopes: Sequence[str],
        initial_scopes: Sequence[str],
    ) -> None:
        resource = AnyHttpUrl(f"{str(base_url).rstrip('/')}{path}")
        self.metadata_url = str(build_resource_metadata_url(resource))
        challenge = f'resource_metadata="{self.metadata_url}"'
        if initial_scopes:
            challenge = f'scope="{" ".join(initial_scopes)}", {challenge}'
        bearer = BearerProvider(verifier, on_event, challenge=challenge)
        super().__init__(
            token_verifier=bearer,
            authorization_servers=[issuer],
            base_url=base_url,
            scopes_supported=list(scopes) or None,
        )
        self._bearer = bearer

    def get_middleware(self) -> list[Any]:
        """Return the check that stands in front of every route."""
        return self._bearer.get_middleware()

    def get_routes(self, mcp_path: str | None = None) -> list[Route]:
        """Serve the metadata at the resource's path and at the root."""
        routes = super().get_routes(mcp_path)
        return [
            *routes,
            *(
                Route(METADATA, endpoint=route.endpoint, methods=["GET"])
                for route in routes
            ),
        ]
