"""Answers a call of the 2026-07-28 protocol in the task that received it.

The SDK keeps two more tasks and a stream for each call: for what the tool
reports meanwhile, for a client that leaves, for the pings of a long call. Most
calls end in a few milliseconds and need none of them.
"""

import asyncio
from dataclasses import dataclass
from inspect import signature
from typing import Any, Final

import anyio
from mcp.server import _streamable_http_modern as modern
from mcp.server import streamable_http_manager
from starlette.types import Message, Receive, Scope, Send

#: Seconds until a client that leaves is noticed, and from one ping to another.
FIRST: Final = 1.0
PING: Final = 15.0

_KEY: Final = "mcp.exchange"
_EVENTS: Final = b"text/event-stream"
_HEAD: Final[Message] = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", _EVENTS),
        (b"cache-control", b"no-cache, no-transform"),
        (b"connection", b"keep-alive"),
        (b"x-accel-buffering", b"no"),
    ],
}
_handle: Final = modern.handle_modern_request


class Exchange:
    """One call and its answer: JSON, or events once the tool reports one.

    The client gets what the SDK would send it: MCP specification, "Sending
    messages to the server". After ``FIRST`` seconds the call is cancelled if
    the client leaves, and pings keep proxies from giving it up.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        """Take the call's own ``receive`` and ``send``, in its own task."""
        self._receive, self._answer = receive, send
        self._call: Any = asyncio.current_task()
        self._writing = asyncio.Lock()
        self._begun = self._ended = self._gone = False
        self._watch: asyncio.Task[None] | None = None

    async def run(
        self, app: Any, security: Any, state: Any, scope: Scope
    ) -> None:
        """Serve the call; return when it is answered or its client left."""
        scope[_KEY] = self
        late = asyncio.get_running_loop().call_later(FIRST, self._attend)
        try:
            await _handle(
                app, security, True, state, scope, self._receive, self._end
            )
        except asyncio.CancelledError:
            if not self._gone or self._call.uncancel():
                raise
        finally:
            late.cancel()
            self._leave()
            del scope[_KEY]  # or only the garbage collector would free both

    async def send(self, event: bytes) -> None:
        """Send one event, and before the first the head of the stream.

        Raises:
            anyio.ClosedResourceError: The call has been answered.
        """
        async with self._writing:
            if self._ended:
                raise anyio.ClosedResourceError
            if not self._begun:
                self._begun = True
                await self._answer(_HEAD)
            await self._answer(_body(event, more=True))

    async def _end(self, message: Message) -> None:
        """Send the SDK's answer, as the last event if there were others."""
        self._leave()
        async with self._writing:
            self._ended = True
            if not self._begun:
                await self._answer(message)
            elif message["type"] == "http.response.body":
                last = b"event: message\r\ndata: %b\r\n\r\n"
                await self._answer(_body(last % message["body"], more=False))

    def _attend(self) -> None:
        self._watch = asyncio.create_task(self._watch_client())

    def _leave(self) -> None:
        if self._watch:
            self._watch.cancel()

    async def _watch_client(self) -> None:
        while True:
            with anyio.move_on_after(PING):
                while (await self._receive())["type"] != "http.disconnect":
                    pass
                self._gone = self._call.cancel()
                return
            await self.send(b": ping\r\n\r\n")


@dataclass
class _Context(modern._SingleExchangeDispatchContext):
    """What the SDK hands to a tool: its reports go to the exchange."""

    def __post_init__(self) -> None:
        request: Any = getattr(self.message_metadata, "request_context", None)
        self.sink = request.scope.get(_KEY) if request else None


async def handle_modern_request(
    app: Any,
    security_settings: Any,
    json_response: bool,
    lifespan_state: Any,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Take the SDK's place for calls of tools, and leave it all else."""
    headers = dict(scope["headers"])
    prompt = headers.get(b"mcp-method") == b"tools/call"
    if prompt and _EVENTS in headers.get(b"accept", b""):
        exchange = Exchange(receive, send)
        await exchange.run(app, security_settings, lifespan_state, scope)
    else:
        given = app, security_settings, json_response, lifespan_state
        await _handle(*given, scope, receive, send)


def answer_calls_directly() -> None:
    """Have the SDK answer so: it imports the names and has no setting."""
    ours, theirs = map(signature, (handle_modern_request, _handle))
    if ours.parameters.keys() == theirs.parameters.keys():
        vars(modern)["_SingleExchangeDispatchContext"] = _Context
        vars(streamable_http_manager)[_handle.__name__] = handle_modern_request


def _body(event: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": event, "more_body": more}
