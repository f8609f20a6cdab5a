"""Scopes: tells a client over HTTP which one its call lacks."""

import json

from starlette.types import ASGIApp, Receive, Scope, Send

from ..identity import caller
from .application import Observer, Scopes
from .body import replay
from .refusal import refuse


class StepUp:
    """Answers 403, with the scope to ask for, before a call is begun.

    MCP specification, authorization: scope challenge handling; RFC 6750,
    section 3.1. MCP refuses the call all the same, but has no way to say what
    would help. Nothing is parsed for a token that has every scope.

    Args:
        app: The application behind; it is given the body in one piece.
        scopes: The scope that each method, and each tool of ``tools/call``,
            asks for.
        metadata: Where the resource's metadata are (RFC 9728), if anywhere.
        on_event: Told of each refusal.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        scopes: Scopes,
        metadata: str,
        on_event: Observer,
    ) -> None:
        self._app = app
        self._scopes = scopes
        self._every = frozenset(scopes.values())
        self._metadata = metadata
        self._on_event = on_event

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pass a request on, or refuse it."""
        held = frozenset(getattr(scope.get("user"), "scopes", self._every))
        if held >= self._every or scope.get("method") != "POST":
            await self._app(scope, receive, send)
            return
        message = await receive()
        needed = self._scopes.get(_asks_for(message.get("body", b"")))
        if needed is None or needed in held:
            await self._app(scope, replay(message, receive), send)
            return
        why = {"reason": "insufficient_scope", "scope": needed}
        self._on_event("auth_failed", {**why, **caller(scope)})
        challenge = f'Bearer error="insufficient_scope", scope="{needed}"'
        if self._metadata:
            challenge += f', resource_metadata="{self._metadata}"'
        await refuse(
            send,
            403,
            f"The scope {needed} is needed.",
            headers=[(b"www-authenticate", challenge.encode())],
        )


def _asks_for(body: bytes) -> tuple[str, str]:
    """Return the method that a request calls, and the tool, if one."""
    try:
        request = json.loads(body)
        method = str(request["method"])
        if method == "tools/call":
            return method, str(request["params"]["name"])
    except (ValueError, TypeError, KeyError, RecursionError):
        # MCP says what is wrong with it.
        return "", ""
    return method, ""
