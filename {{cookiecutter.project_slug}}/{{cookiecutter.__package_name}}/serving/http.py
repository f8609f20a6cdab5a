"""Serves many clients over HTTP: uvicorn, and what stands in front of MCP."""

import asyncio
import math
import secrets
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

import uvicorn
from pydantic import SecretStr
from starlette.middleware import Middleware
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..settings import Settings
from .admission import Admission, Counting, Gate
from .application import Application
from .body import BodyLimit
from .event_stream import answer_promptly
from .health import Health
from .host_origin import HostOriginGuard
from .lifespan import extend_lifespan
from .protocol import Bounds, bounded
from .scopes import StepUp
from .sockets import CONNECTIONS, connections, listen
from .stopping import leave_soon, on_signal
from .tls import Certificate
from .workers import fork_workers

#: Sent with every answer. Nothing here is meant for a browser to show, to
#: keep or to guess the type of.
HEADERS: Final = (
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
)
HSTS: Final = ("strict-transport-security", "max-age=31536000")

#: Seconds.
HEAD_TIMEOUT: Final = 10.0
IDLE_TIMEOUT: Final = 75
HANDSHAKE_TIMEOUT: Final = 5.0
RENEWAL: Final = 5
SESSION_IDLE_TIMEOUT: Final = 600.0
#: For requests that are under way when the server is told to stop.
UNDER_WAY: Final = 0.25
#: Seconds for a user's answer, where others wait for the place.
ASKING: Final = 120.0
#: Connections that wait to be accepted; that one of several workers takes.
BACKLOG: Final = 256
SHARE: Final = 2


def serve_http(
    build: Callable[[Settings, int], Application], settings: Settings
) -> None:
    """Serve at ``/mcp`` or ``/sse`` until a signal comes.

    See :func:`serving.serve`.
    """
    sockets = listen(settings)
    settings = _with_key(settings)
    worker = fork_workers(settings) if settings.workers > 1 else 0
    if worker is not None:
        application = build(settings, worker)
        build_http_server(application, settings).run(sockets=sockets)


def _with_key(settings: Settings) -> Settings:
    """Make the workers' key: one asks the user, another hears the answer."""
    if settings.workers == 1 or settings.approval_key:
        return settings
    key = SecretStr(secrets.token_hex(32))
    return settings.model_copy(update={"approval_key": key})


def build_http_server(
    application: Application, settings: Settings
) -> "HttpServer":
    """Put everything that stands in front of MCP into its place."""
    gate = Gate(
        calls=settings.max_concurrency,
        streams=CONNECTIONS // 2,
        patience=settings.request_timeout + settings.command_timeout + ASKING,
    )
    certificate = _certificate(application, settings)
    headers = [*HEADERS, *([HSTS] if certificate else [])]
    protocol = bounded(
        Bounds(
            connections=connections(),
            head=HEAD_TIMEOUT,
            body=settings.request_timeout,
            answer=settings.request_timeout,
            headers="".join(f"{k}: {v}\r\n" for k, v in headers).encode(),
            on_event=application.on_event,
        )
    )
    config = uvicorn.Config(
        _front(application, settings, gate),
        http=protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=IDLE_TIMEOUT,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_grace),
        ssl_context_factory=(
            (lambda *_: certificate.context) if certificate else None
        ),
        callback_notify=certificate.renew if certificate else None,
        timeout_notify=RENEWAL,
    )
    return HttpServer(config, protocol, gate, application, settings)


class HttpServer(uvicorn.Server):
    """uvicorn, stopping in the order that loses no call."""

    def __init__(
        self,
        config: uvicorn.Config,
        protocol: type[H11Protocol],
        gate: Gate,
        application: Application,
        settings: Settings,
    ) -> None:
        super().__init__(config)
        self._protocol = protocol
        self._gate = gate
        self._on_event = application.on_event
        self._grace = settings.shutdown_grace
        self._at_once = SHARE if settings.workers > 1 else BACKLOG
        self._transport = {"transport": settings.transport}

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal comes, and return for an exit code of 0."""
        with on_signal(self.stop, grace=self._grace):
            await self._serve(sockets)
        self._on_event("server_stopped", self._transport)
        leave_soon()

    def stop(self) -> None:
        """Let no more calls in, and end when those inside are done."""
        self._gate.close()
        self.should_exit = True

    async def startup(
        self, sockets: list[socket.socket] | None = None
    ) -> None:
        """Start the application, then listen."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        self.servers = [await self._listen(sock) for sock in sockets or ()]
        self.started = True
        host, port, *_ = self.servers[0].sockets[0].getsockname()
        where = {"host": host, "port": port}
        self._on_event("server_started", {**self._transport, **where})

    async def shutdown(
        self, sockets: list[socket.socket] | None = None
    ) -> None:
        """Let the calls end, then the streams, then the application.

        A request may be under way on a connection that looks unused. Whoever
        sends one meanwhile is told to go elsewhere, which a proxy can repeat;
        a connection that is closed on it looks like a call that was lost.
        """
        for server in self.servers:
            server.close()
        if self.server_state.connections:
            await asyncio.sleep(UNDER_WAY)
        ending = asyncio.create_task(self._gate.end())
        await super().shutdown(sockets)
        ending.cancel()

    async def _listen(self, sock: socket.socket) -> asyncio.Server:
        """Listen; who does not finish the TLS handshake is cut off.

        Of the connections that wait, asyncio accepts as many at once as its
        backlog says. One of several workers would take them all, so each
        takes few, and the queue gets its length afterwards.

        An answer is written in two pieces. Without the option, which asyncio
        sets where it opens the socket itself, the second waits for the first
        to be acknowledged: 40 ms, while the client hopes for more to say.
        """
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = await asyncio.get_running_loop().create_server(
            partial(
                self._protocol,
                config=self.config,
                server_state=self.server_state,
                app_state=self.lifespan.state,
            ),
            sock=sock,
            backlog=self._at_once,
            ssl=self.config.ssl,
            ssl_handshake_timeout=(
                HANDSHAKE_TIMEOUT if self.config.ssl else None
            ),
        )
        sock.listen(BACKLOG)
        return server


def _front(
    application: Application, settings: Settings, gate: Gate
) -> ASGIApp:
    """Build the ASGI application: what comes first stands outermost."""
    on_event, server = application.on_event, application.server
    if settings.transport == "sse":
        server.add_middleware(Counting(gate))
    answer_promptly()
    with suppress(ImportError, AttributeError):
        # Another version of the SDK than we know answers in its own way.
        from .exchange import answer_calls_directly

        answer_calls_directly()
    app = server.http_app(
        path=settings.endpoint,
        transport="sse" if settings.transport == "sse" else "http",
        # What a client may take up is decided once it has proved who it is.
        middleware=[
            Middleware(
                BodyLimit,
                limit=settings.max_request_size,
                budget=settings.max_request_size * settings.max_concurrency,
                on_event=on_event,
            ),
            Middleware(Admission, gate=gate, on_event=on_event),
            Middleware(
                StepUp,
                scopes=application.scopes,
                metadata=getattr(server.auth, "metadata_url", ""),
                on_event=on_event,
            ),
        ],
        stateless_http=not settings.keeps_sessions,
        host_origin_protection=False,
        session_idle_timeout=SESSION_IDLE_TIMEOUT,
    )
    extend_lifespan(app, server, settings)
    health = Health(app, application=application, gate=gate)
    return HostOriginGuard(health, settings, on_event)


def _certificate(
    application: Application, settings: Settings
) -> Certificate | None:
    if not settings.tls_certfile or not settings.tls_keyfile:
        return None
    return Certificate(
        settings.tls_certfile,
        settings.tls_keyfile,
        on_event=application.on_event,
    )
