"""Health: whether the server lives, and whether it can serve."""

import asyncio
import time
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from ..settings import is_loopback
from .admission import Gate
from .application import Application
from .refusal import answer

#: Seconds that readiness may take to be found out, and that it is believed.
PATIENCE: Final = 1.0
KEPT: Final = 1.0


class Health:
    """Answers probes in front of everything that could be busy.

    No token is asked for, and no probe costs more than a second's worth of
    what the server depends on: an answer is kept for a second. Which parts of
    the sandbox are missing is said to whoever asks from this machine alone;
    it would help others to choose their attack (CWE-497).
    """

    def __init__(
        self, app: ASGIApp, *, application: Application, gate: Gate
    ) -> None:
        self._app = app
        self._application = application
        self._gate = gate
        self._ready = False
        self._known_until = 0.0
        self._asking = asyncio.Lock()

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer a probe, or pass the request on."""
        path = scope["path"] if scope["type"] == "http" else ""
        if path not in {"/health", "/ready"}:
            await self._app(scope, receive, send)
        elif scope["method"] not in {"GET", "HEAD"}:
            allow = [(b"allow", b"GET, HEAD")]
            await answer(send, 405, {"status": "not allowed"}, allow)
        elif path == "/health":
            await answer(send, 200, {"status": "alive", **self._told(scope)})
        elif await self._is_ready():
            await answer(send, 200, {"status": "ready"})
        else:
            again = [(b"retry-after", b"1")]
            await answer(send, 503, {"status": "not ready"}, again)

    def _told(self, scope: Scope) -> dict[str, object]:
        peer, _ = scope.get("client") or ("", 0)
        if not is_loopback(peer):
            return {}
        return {"missing": list(self._application.missing())}

    async def _is_ready(self) -> bool:
        async with self._asking:
            if time.monotonic() >= self._known_until:
                self._ready = await self._ask()
                self._known_until = time.monotonic() + KEPT
        return self._ready and not self._gate.stopping

    async def _ask(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._application.ready()
        except Exception:  # whatever it is, the server is not ready
            return False
