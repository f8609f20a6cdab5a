"""Host and origin: answers only those who meant this server."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import SettingsError
from ..identity import peer_id, resolve_peer
from ..settings import Settings, is_loopback
from .application import Observer
from .refusal import refuse

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class HostOriginGuard:
    """Stops a web page from reaching the server through its reader's browser.

    A page whose name was rebound to this machine sends its own name as Host
    (421), any other page its own Origin (403): MCP specification, Streamable
    HTTP: servers MUST validate Origin; CWE-346, CWE-350.

    Every path is guarded. A probe needs no exception: it addresses the
    loopback, or the very address that its connection arrived at, and a
    rebound name is never an address.
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, on_event: Observer
    ) -> None:
        self._app = app
        self._on_event = on_event
        self._trusted = settings.trusted_proxies
        self._hosts = _Names((*LOOPBACK, *_served_names(settings)))
        self._origins = frozenset(_allowed_origins(settings))
        self._local_pages = (
            settings.on_loopback and not settings.allowed_origins
        )

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http":
            resolve_peer(scope, self._trusted)
            hosts, origins = _of(scope, b"host"), _of(scope, b"origin")
            if len(hosts) != 1 or not self._names_us(hosts[0], scope):
                self._tell(scope, "host")
                await refuse(send, 421, "This host name is not served here.")
                return
            if any(not self._may_ask(o, hosts[0], scope) for o in origins):
                self._tell(scope, "origin")
                await refuse(send, 403, "This origin may not call the server.")
                return
        await self._app(scope, receive, send)

    def _names_us(self, host: str, scope: Scope) -> bool:
        name = _name(host)
        arrived_at = scope.get("server")
        return name in self._hosts or bool(
            name and arrived_at and name == arrived_at[0]
        )

    def _may_ask(self, origin: str, host: str, scope: Scope) -> bool:
        asked = _origin(origin)
        if not asked:
            return False
        if asked in self._origins:
            return True
        if self._local_pages and is_loopback(_name(asked.partition("//")[2])):
            return True
        return asked == _origin(f"{scope['scheme']}://{host}")

    def _tell(self, scope: Scope, reason: str) -> None:
        self._on_event(
            "origin_denied", {"reason": reason, "peer": peer_id(scope)}
        )


class _Names:
    """Host names, ``*.example.com`` standing for all that end so."""

    def __init__(self, names: Iterable[str]) -> None:
        lowered = [_name(name) for name in names]
        self._exact = {n for n in lowered if not n.startswith("*.")}
        self._ends = tuple(n[1:] for n in lowered if n.startswith("*."))

    def __contains__(self, name: str) -> bool:
        return name in self._exact or name.endswith(self._ends)


def _served_names(settings: Settings) -> Iterable[str]:
    for name in settings.allowed_hosts:
        if "*" in name.removeprefix("*.") or "/" in name:
            raise SettingsError(
                f"MCP_ALLOWED_HOSTS: {name} is no host name; name each host,"
                " for example mcp.example.com or *.example.com"
            )
        yield name
    if settings.base_url and settings.base_url.host:
        yield settings.base_url.host


def _allowed_origins(settings: Settings) -> Iterable[str]:
    for text in settings.allowed_origins:
        origin = _origin(text)
        if not origin or "*" in origin:
            raise SettingsError(
                f"MCP_ALLOWED_ORIGINS: {text} is no origin; name each one,"
                " for example https://app.example.com"
            )
        yield origin
    if settings.base_url:
        # TLS may end before us, and then our own scheme looks different.
        base = settings.base_url
        yield _origin(f"{base.scheme}://{base.host}:{base.port}")


def _of(scope: Scope, header: bytes) -> list[str]:
    return [v.decode("latin-1") for k, v in scope["headers"] if k == header]


def _name(host: str) -> str:
    """Return a host's name or address in lower case, without its port."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    if host.count(":") == 1:
        return host.partition(":")[0]
    return host


def _origin(text: str) -> str:
    """Return an origin in one spelling; ``""`` for what is none."""
    try:
        parts = urlsplit(text.strip().rstrip("/").lower())
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return ""
    if not parts.hostname or parts.path or parts.query or parts.fragment:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}"
