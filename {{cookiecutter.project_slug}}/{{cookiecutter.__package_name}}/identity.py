"""Who is calling: the one place that decides it."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from fastmcp.server.dependencies import get_http_request
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser

Address: TypeAlias = IPv4Address | IPv6Address
Networks: TypeAlias = Sequence[IPv4Network | IPv6Network]

#: The process at the other end of stdio.
PROCESS: Final = "stdio"


def current_client_id() -> str:
    """Return who makes the call that is being served, for limits and logs."""
    try:
        request = get_http_request()
    except RuntimeError:
        return PROCESS
    return client_id(request.scope)


def client_id(scope: Any) -> str:
    """Return who makes a request, as far as it was proved.

    The verified token's client and subject; else the peer's address. Never
    what the caller says of itself: not ``_meta``, not a session id, not a
    header (OWASP MCP07, CWE-290).
    """
    user = scope.get("user")
    if isinstance(user, AuthenticatedUser):
        token = user.access_token
        return token_id(token.client_id, token.subject)
    return peer_id(scope)


def caller(scope: Any) -> dict[str, str]:
    """Return who makes a request, and from where, as events name it."""
    return {"client_id": client_id(scope), "peer": peer_id(scope)}


def resolve_peer(scope: Any, trusted: Networks) -> None:
    """Replace a trusted proxy's address by that of the client behind it.

    Args:
        scope: The ASGI scope, changed in place.
        trusted: The proxies whose ``X-Forwarded-For`` is believed. It is read
            from the right: the first hop that is no trusted proxy is the
            client, for what stands left of it anybody can have written.
    """
    if not trusted or not scope["client"]:
        return
    peer = _address(scope["client"][0])
    for hop in reversed(_forwarded(scope)):
        if not peer or not any(peer in network for network in trusted):
            break
        named = _address(hop)
        if not named:
            break
        peer = named
    scope["client"] = (str(peer) if peer else scope["client"][0], 0)


@lru_cache(maxsize=4096)
def address_id(address: str) -> str:
    """Return what an address is counted as: IPv6 by its network of /64.

    Whoever holds one IPv6 address holds 2**64 of them (CWE-770).
    """
    found = _address(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False))
    return str(found or "unknown")


def peer_id(scope: Any) -> str:
    """Return what the peer of a request is counted as."""
    return address_id(scope["client"][0] if scope.get("client") else "")


@lru_cache(maxsize=4096)
def token_id(client: str, subject: str | None) -> str:
    """Name a token's holder, so that no two of them share a name."""
    name = _readable(client)
    if subject is None or subject == client:
        return name
    return f"{name}/{_readable(subject)}"


def _readable(name: str) -> str:
    # An issuer's JSON can hold half a character, which UTF-8 cannot.
    octets = name.encode("utf-8", "surrogatepass")
    if len(name) > 128:
        return f"sha256:{sha256(octets).hexdigest()}"
    return quote(octets, safe="@:. ")


def _forwarded(scope: Any) -> list[str]:
    values = [v for k, v in scope["headers"] if k == b"x-forwarded-for"]
    return b",".join(values).decode("latin-1").split(",") if values else []


@lru_cache(maxsize=4096)
def _address(text: str) -> Address | None:
    """Read ``192.0.2.1``, ``192.0.2.1:80``, ``2001:db8::1`` or ``[…]:80``."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
