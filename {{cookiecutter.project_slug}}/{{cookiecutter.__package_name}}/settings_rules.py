"""Which settings do not go together, and what to do about it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .location import holds

if TYPE_CHECKING:
    from .settings import Settings

HIGHEST_PORT: Final = 65_535
#: Fields that name a file; a public key may stand there itself.
_FILES: Final = (
    "auth_tokens_file",
    "auth_public_key",
    "tls_certfile",
    "tls_keyfile",
    "log_file",
)


def variable(field: str) -> str:
    """Return the name of the environment variable that fills a field."""
    upper = field.upper()
    return upper if field == "workspace_path" else f"MCP_{upper}"


def problems(settings: "Settings") -> Iterator[str]:
    """Say in a line each what is wrong with settings that are right alone."""
    yield from _half_configured(settings)
    yield from _exposed(settings)
    yield from _within_reach(settings)


def _half_configured(settings: "Settings") -> Iterator[str]:
    """Name what a control that is switched on still lacks."""
    if (settings.tls_certfile is None) != (settings.tls_keyfile is None):
        yield "MCP_TLS_CERTFILE and MCP_TLS_KEYFILE go together; set both"
    shared = settings.shares_storage
    if settings.workers > 1 and settings.rate_limit and not shared:
        yield (
            "MCP_WORKERS is more than 1, and workers do not share memory://;"
            " set MCP_RATE_LIMIT_STORAGE=redis://host:6379/0"
        )
    if settings.workers > 1 and settings.log_file:
        yield (
            "MCP_WORKERS is more than 1, and only one process can rotate"
            " MCP_LOG_FILE; leave it out and collect stderr"
        )
    if settings.workers > 1 and settings.transport != "http":
        yield "MCP_WORKERS is more than 1; that needs MCP_TRANSPORT=http"
    last = HIGHEST_PORT + 1 - settings.workers
    if settings.metrics_port > last:
        yield (
            "each worker serves its metrics on a port of its own, one after"
            f" the other; set MCP_METRICS_PORT to {last} or less"
        )
    if settings.transport == "stdio":
        return
    if settings.auth == "bearer" and settings.auth_tokens_file is None:
        yield "MCP_AUTH is bearer; set MCP_AUTH_TOKENS_FILE to a token file"
    if settings.auth == "jwt":
        yield from _jwt_gaps(settings)


def _jwt_gaps(settings: "Settings") -> Iterator[str]:
    for field in ("auth_issuer", "auth_audience", "base_url"):
        if getattr(settings, field) is None:
            yield f"MCP_AUTH is jwt; set {variable(field)}"
    keys = (settings.auth_jwks_uri, settings.auth_public_key)
    if keys.count(None) != 1:
        yield (
            "MCP_AUTH is jwt; set either MCP_AUTH_JWKS_URI or"
            " MCP_AUTH_PUBLIC_KEY"
        )


def _exposed(settings: "Settings") -> Iterator[str]:
    """Name what other machines could reach without proving who they are.

    MCP specification, Streamable HTTP: bind to loopback when local, and
    authenticate every connection; OWASP MCP07.
    """
    if not settings.on_loopback and settings.auth == "none":
        yield (
            f"MCP_HOST is {settings.host}, which other machines can reach;"
            " set MCP_AUTH to bearer or jwt, or MCP_HOST to 127.0.0.1"
        )


def _within_reach(settings: "Settings") -> Iterator[str]:
    """Name each file that decides who may call, and that callers could change.

    Nor may they read the key of TLS, or write what they did into the log.
    """
    for field in _FILES:
        file = str(getattr(settings, field) or "-----BEGIN")
        named = "-----BEGIN" not in file
        if named and holds(settings.workspace_path, Path(file)):
            yield (
                f"{variable(field)}: it lies in the workspace, where callers"
                " read and write; move it elsewhere"
            )
