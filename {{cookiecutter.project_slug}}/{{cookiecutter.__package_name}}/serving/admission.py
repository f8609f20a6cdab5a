"""Admission: how many calls run at once, and none any more while stopping."""

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from fastmcp.server.middleware import CallNext, MiddlewareContext
from fastmcp.server.middleware import Middleware as McpMiddleware
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..identity import caller
from .application import Observer
from .refusal import refuse

#: Seconds.
SETTLE: Final = 0.1

#: Protocol versions, as a header names them or leaves them out, in which the
#: header that names the method means nothing.
_EARLIER: Final = frozenset(
    version.encode() for version in ("", *HANDSHAKE_PROTOCOL_VERSIONS)
)


class Gate:
    """Counts what is being served, and closes when the server stops.

    Args:
        calls: Calls that may run at once.
        streams: Streams for notifications that may be open at once.
        patience: Seconds after which a call may have to make room.
    """

    def __init__(
        self, *, calls: int, streams: int, patience: float = math.inf
    ) -> None:
        self._free = {"call": calls, "stream": streams}
        self._patience = patience
        #: When each call began, the oldest first.
        self._since: dict[asyncio.Timeout, float] = {}
        self._calls = calls
        self._idle = asyncio.Event()
        self._idle.set()
        self.stopping = False
        self.ended = asyncio.Event()

    def close(self) -> None:
        """Let nobody in any more."""
        self.stopping = True

    async def end(self) -> None:
        """End the streams as soon as the last call has been answered."""
        await self._idle.wait()
        # An answer may have to be written yet.
        await asyncio.sleep(SETTLE)
        self.ended.set()

    def has_room(self, kind: str) -> bool:
        """Tell whether one more call or stream may begin."""
        return self._free[kind] > 0

    def make_room(self) -> bool:
        """End the oldest call if it has had its time; tell whether it had.

        A question that nobody answers, or two requests of one id, would keep
        a place for as long as the client likes.
        """
        now = time.monotonic()
        for oldest, since in self._since.items():
            if now - since < self._patience:
                break
            del self._since[oldest]
            oldest.reschedule(asyncio.get_running_loop().time())
            return True
        return False

    def enter(self, call: asyncio.Timeout) -> None:
        """Count a call, which expires if it has to make room."""
        self._since[call] = time.monotonic()
        self._free["call"] -= 1
        self._note()

    def leave(self, call: asyncio.Timeout) -> None:
        """Count a call no more."""
        self._since.pop(call, None)
        self._free["call"] += 1
        self._note()

    @contextmanager
    def entered(self, kind: str) -> Iterator[None]:
        """Count one call or stream while it lasts."""
        self._free[kind] -= 1
        self._note()
        try:
            yield
        finally:
            self._free[kind] += 1
            self._note()

    def _note(self) -> None:
        if self._free["call"] == self._calls:
            self._idle.set()
        else:
            self._idle.clear()


class Counting(McpMiddleware):
    """Counts calls where they are not answered by the request they came with.

    That is so in the sse transport alone.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def on_request(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        """Count a call while it lasts."""
        with self._gate.entered("call"):
            return await call_next(context)


class Admission:
    """Refuses with 503 and ``Retry-After`` what is too much (CWE-770)."""

    def __init__(
        self, app: ASGIApp, *, gate: Gate, on_event: Observer
    ) -> None:
        self._app = app
        self._gate = gate
        self._on_event = on_event

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind = _kind(scope)
        if self._gate.stopping:
            closing = [(b"connection", b"close")]
            await refuse(
                send,
                503,
                "The server is shutting down.",
                retry_after=1,
                headers=closing,
            )
        elif not self._has_room(kind):
            self._tell(scope, "busy")
            await refuse(send, 503, "The server is busy.", retry_after=1)
        elif kind == "call":
            await self._call(scope, receive, send)
        else:
            with self._gate.entered(kind):
                await _stream(
                    self._app, self._gate.ended, scope, receive, send
                )

    def _has_room(self, kind: str) -> bool:
        if self._gate.has_room(kind):
            return True
        return kind == "call" and self._gate.make_room()

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun, place = False, asyncio.timeout(None)

        async def note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            async with place:
                self._gate.enter(place)
                try:
                    await self._app(scope, receive, note)
                finally:
                    self._gate.leave(place)
        except TimeoutError:
            if not place.expired():
                raise  # the call's own
            self._tell(scope, "overtime")
            if begun:
                await send({"type": "http.response.body", "body": b""})
            else:
                await refuse(send, 503, "The call took too long.")

    def _tell(self, scope: Scope, reason: str) -> None:
        self._on_event("request_denied", {"reason": reason, **caller(scope)})


def _kind(scope: Scope) -> str:
    """Tell a call from a stream, which has no end of its own.

    The header is believed only where the SDK checks it against the body.
    """
    if scope["method"] == "GET":
        return "stream"
    headers = dict(scope["headers"])
    if headers.get(b"mcp-method") != b"subscriptions/listen":
        return "call"
    earlier = headers.get(b"mcp-protocol-version", b"") in _EARLIER
    return "call" if earlier else "stream"


async def _stream(
    app: ASGIApp,
    ended: asyncio.Event,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Serve a stream, and end it properly when the server stops."""
    open_, left = False, False

    async def receive_or_leave() -> Message:
        nonlocal left
        message = asyncio.ensure_future(receive())
        end = asyncio.ensure_future(ended.wait())
        try:
            await asyncio.wait(
                (message, end), return_when=asyncio.FIRST_COMPLETED
            )
            if message.done():
                return message.result()
            left = True
            return {"type": "http.disconnect"}
        finally:
            message.cancel()
            end.cancel()

    async def send_unless_left(message: Message) -> None:
        nonlocal open_
        if not left:
            await send(message)
            more = message["type"] == "http.response.start"
            open_ = more or message.get("more_body", False)

    await app(scope, receive_or_leave, send_unless_left)
    if open_ and left:
        await send({"type": "http.response.body", "body": b""})
