"""Sends an answer that is complete at once whole, and not as a stream.

The SDK answers each call of the handshake era with an event stream, and keeps
five tasks for it: they send, ping, and watch the client and the server's end.
Most answers are one event, made in a few milliseconds, and need none of them.
"""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, Final

import anyio
from mcp.server import streamable_http
from sse_starlette import EventSourceResponse
from sse_starlette.event import ensure_bytes
from starlette.types import Receive, Scope, Send

#: Seconds for the first event to come, and for all others to follow it.
FIRST: Final = 1.0
OTHERS: Final = 0.05


class PromptResponse(EventSourceResponse):
    """An event stream that is sent when it has ended, if that is soon.

    The client gets the events that it would get, in a body of known length:
    MCP specification, "Sending messages to the server". A stream that lasts
    longer, because the tool reports its progress, asks the user or takes its
    time, is begun after ``FIRST`` seconds, or ``OTHERS`` after its first
    event.
    """

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer a request, or serve the stream that a GET asks for."""
        fill, self.data_sender_callable = self.data_sender_callable, None
        if fill is None or scope["method"] != "POST":
            self.data_sender_callable = fill
            await super().__call__(scope, receive, send)
            return
        async with anyio.create_task_group() as group:
            group.start_soon(fill)
            events, ended = await _soon(self.body_iterator)
            if ended:
                await self._send_whole(events, send)
            else:
                self.body_iterator = _after(events, self.body_iterator)
                await super().__call__(scope, receive, send)
                group.cancel_scope.cancel()  # the client may have gone

    async def _send_whole(self, events: list[Any], send: Send) -> None:
        body = b"".join(ensure_bytes(event, self.sep) for event in events)
        length = (b"content-length", str(len(body)).encode())
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": [*self.raw_headers, length],
            }
        )
        await send({"type": "http.response.body", "body": body})


def answer_promptly() -> None:
    """Have the SDK answer so: it imports the class and has no setting."""
    vars(streamable_http)["EventSourceResponse"] = PromptResponse


async def _soon(stream: AsyncIterable[Any]) -> tuple[list[Any], bool]:
    """Return the events that come soon, and whether they are all."""
    events: list[Any] = []
    with anyio.move_on_after(FIRST) as patience:
        async for event in stream:
            if not events:
                patience.deadline = anyio.current_time() + OTHERS
            events.append(event)
    return events, not patience.cancelled_caught


async def _after(
    events: list[Any], stream: AsyncIterable[Any]
) -> AsyncIterator[Any]:
    for event in events:
        yield event
    async for event in stream:
        yield event
