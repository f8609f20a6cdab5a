"""Proof of identity: which tokens are good, and whose they are."""

from collections.abc import Sequence
from typing import Final

from fastmcp.server.auth import AuthProvider
from pydantic import AnyHttpUrl, ConfigDict, TypeAdapter, ValidationError

from ..errors import SettingsError
from ..serving.application import Observer
from ..settings import Settings, is_loopback
from .bearer import TokenFile, TokenFileVerifier
from .jwt_verifier import JwtVerifier, Keys
from .keys import KeySet, OneKey, configured_key, fetch_from
from .provider import BearerProvider, IssuerProvider

# A client takes an issuer only if its metadata name it to the letter (RFC
# 8414, section 3.3): where there is no path, no slash may come in.
ISSUER: Final = TypeAdapter(
    AnyHttpUrl, config=ConfigDict(url_preserve_empty_path=True)
)


def build_auth(
    settings: Settings,
    on_event: Observer,
    *,
    scopes: Sequence[str],
    initial_scopes: Sequence[str],
) -> AuthProvider | None:
    """Return what checks tokens as ``MCP_AUTH`` says; ``None`` for no check.

    There is none on stdio, where whoever started the process is its user.

    Args:
        settings: The settings.
        on_event: Told of each token that was checked, never with the token.
        scopes: Every scope that a tool asks for, for the metadata.
        initial_scopes: Those that a client should ask for to begin with; it
            is told of others when it needs them (MCP specification,
            security best practices: scope minimization).

    Raises:
        SettingsError: The tokens' file or the key cannot be used.
    """
    if settings.transport == "stdio" or settings.auth == "none":
        return None
    if settings.auth == "bearer":
        return _bearer(settings, on_event)
    return IssuerProvider(
        JwtVerifier(
            _keys(settings, on_event),
            issuer=_given(settings.auth_issuer),
            audience=_given(settings.auth_audience),
        ),
        on_event,
        issuer=_issuer(settings),
        base_url=AnyHttpUrl(str(settings.base_url)),
        path=settings.endpoint,
        scopes=scopes,
        initial_scopes=initial_scopes,
    )


def _bearer(settings: Settings, on_event: Observer) -> AuthProvider:
    path = settings.auth_tokens_file
    if path is None:
        raise SettingsError("MCP_AUTH is bearer; set MCP_AUTH_TOKENS_FILE")
    file = TokenFile(path, on_event=on_event)
    return BearerProvider(TokenFileVerifier(file), on_event)


def _keys(settings: Settings, on_event: Observer) -> Keys:
    uri = settings.auth_jwks_uri
    if uri is None:
        return OneKey(configured_key(_given(settings.auth_public_key)))
    if uri.scheme != "https" and not is_loopback(uri.host or ""):
        raise SettingsError(
            "MCP_AUTH_JWKS_URI: whoever stands between could put keys of"
            " their own there; use https"
        )
    return KeySet(fetch_from(str(uri)), on_event=on_event)


def _issuer(settings: Settings) -> AnyHttpUrl:
    try:
        return ISSUER.validate_python(_given(settings.auth_issuer))
    except ValidationError as error:
        raise SettingsError(
            "MCP_AUTH_ISSUER: the issuer is named by its URL; for example"
            " https://id.example.com"
        ) from error


def _given(value: str | None) -> str:
    """Return what the settings have made sure of."""
    if not value:
        raise SettingsError("MCP_AUTH is jwt; set all that belongs to it")
    return value
