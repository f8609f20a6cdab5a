"""Protocol: what one connection may cost before it is a request."""

import sys
from asyncio import TimerHandle
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..identity import address_id
from .application import Observer

#: Bytes that a request's line and headers may hold, give or take one read.
HEAD_SIZE: Final = 16 * 1024
HEADERS: Final = 100
#: A body in many chunks must not be made of crumbs: each costs ten
#: microseconds, however small it is.
CHUNKS: Final = 1_024
CRUMB: Final = 64
#: Bytes that are still taken from whoever sends on after the answer.
LINGER: Final = 2**20

_BOTH_LENGTHS: Final = {b"content-length", b"transfer-encoding"}
#: What is read in more than one place.
_ONCE: Final = (
    b"authorization",
    b"content-type",
    b"mcp-method",
    b"mcp-name",
    b"mcp-protocol-version",
    b"mcp-session-id",
)
#: What each status says to the client, and to the log.
_PHRASES: Final = {
    400: (b"Bad Request", "malformed"),
    408: (b"Request Timeout", "slow"),
    431: (b"Request Header Fields Too Large", "head_too_large"),
    501: (b"Not Implemented", "malformed"),
    503: (b"Service Unavailable", "busy"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What connections may take.

    Attributes:
        connections: How many there may be at once.
        head: Seconds for a request's line and headers to arrive.
        body: Seconds for its body to arrive.
        answer: Seconds for the client to take what was sent.
        headers: Sent with every answer, each with its line's end.
        on_event: Told of each refusal.
    """

    connections: int
    head: float
    body: float
    answer: float
    headers: bytes
    on_event: Observer


def bounded(bounds: Bounds) -> type["BoundedProtocol"]:
    """Return the protocol with these bounds, for uvicorn to make instances."""
    return type("Protocol", (BoundedProtocol,), {"bounds": bounds})


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 by h11, for clients that may be slow on purpose (CWE-400).

    Where there are too many connections, the one that has kept the server
    waiting longest makes room, so that who speaks up is always heard.
    """

    bounds: ClassVar[Bounds]
    #: Connections whose next request is awaited, the oldest first.
    waiting: ClassVar[dict["BoundedProtocol", None]]

    def __init_subclass__(cls) -> None:
        cls.waiting = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = _Connection(h11.SERVER, HEAD_SIZE, self.bounds.headers)
        # Addresses hold what nobody meant to have in a log (CWE-532).
        self.access_log = False
        self._phase = ""
        self._timer: TimerHandle | None = None
        self._stalled: TimerHandle | None = None
        self._unwanted = 0

    def connection_made(self, transport: Any) -> None:
        """Take a connection, if need be in place of another."""
        super().connection_made(transport)
        if len(self.connections) > self.bounds.connections:
            for oldest in self.waiting:
                oldest.drop()
                break
            else:
                self._refuse(503)
                return
        self._enter("head", self.bounds.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, and all that it held."""
        self._enter("")
        # uvicorn lets its own run on where a client has reset (CWE-401).
        for clock in (self._stalled, self.timeout_keep_alive_task):
            if clock:
                clock.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, no more of a request's head than it may hold."""
        while data and not self.transport.is_closing():
            idle = self.conn.their_state is h11.IDLE
            piece, data = (
                (data[:HEAD_SIZE], data[HEAD_SIZE:]) if idle else (data, b"")
            )
            if self._is_unwanted(piece):
                self.drop()
                return
            super().data_received(piece)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._watch()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that was not used again."""
        self.drop()

    def pause_writing(self) -> None:
        """Give the client so long to take its answer."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self.bounds.answer, self.drop)

    def resume_writing(self) -> None:
        """Go on with the answer."""
        super().resume_writing()
        if self._stalled:
            self._stalled.cancel()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request with the status that h11 names."""
        error = sys.exception()
        self._refuse(getattr(error, "error_status_hint", 400))

    def drop(self) -> None:
        """Close the connection without waiting for anything."""
        self.transport.abort()

    def _watch(self) -> None:
        """Start the clock that belongs to what is awaited now."""
        state = self.conn.their_state
        if self.transport.is_closing():
            self._enter("")
        elif state is h11.SEND_BODY:
            self._enter("body", self.bounds.body)
        elif state is h11.IDLE and self.conn.trailing_data[0]:
            self._enter("head", self.bounds.head)
        else:
            self._enter("idle" if state is h11.IDLE else "")

    def _enter(self, phase: str, seconds: float | None = None) -> None:
        if phase == self._phase:
            return
        if self._timer:
            self._timer.cancel()
        self._phase, self._timer = phase, None
        if seconds is not None:
            self._timer = self.loop.call_later(seconds, self._late)
        if phase in {"head", "idle"}:
            self.waiting[self] = None
        else:
            self.waiting.pop(self, None)

    def _late(self) -> None:
        self._refuse(408)

    def _is_unwanted(self, data: bytes) -> bool:
        """Tell whether a client goes on sending far beyond its answer."""
        if self.conn.our_state is h11.DONE:
            self._unwanted += len(data)
        else:
            self._unwanted = 0
        return self._unwanted > LINGER

    def _refuse(self, status: int) -> None:
        """Answer before there is an application to do it, and close."""
        if self.cycle:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        phrase, reason = _PHRASES.get(status, _PHRASES[400])
        peer = address_id(self.client[0] if self.client else "")
        self.bounds.on_event(
            "request_denied", {"reason": reason, "peer": peer}
        )
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            self._answer(status, phrase)
        self.transport.close()
        self.loop.call_later(1.0, self.drop)

    def _answer(self, status: int, phrase: bytes) -> None:
        headers = [
            *self.server_state.default_headers,
            (b"content-length", b"0"),
            (b"connection", b"close"),
        ]
        if status == 503:
            headers.append((b"retry-after", b"1"))
        response = h11.Response(
            status_code=status, headers=headers, reason=phrase
        )
        for event in (response, h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")


class _Connection(h11.Connection):
    """h11, with a number of headers and a size of chunks to be kept to."""

    def __init__(
        self, role: type[h11.SERVER], head: int, headers: bytes
    ) -> None:
        super().__init__(role, head)
        self._headers = headers
        self._chunks = self._bytes = 0
        self._head: list[bytes] = []

    def send_with_data_passthrough(
        self, event: h11.Event
    ) -> list[bytes] | None:
        """Return what is to be sent: a head with the body that follows it.

        Sent on its own it would wake the client once more, for nothing. That
        of a stream has no length, and goes at once. What each head says is
        added here, where h11 does not check it again for each.
        """
        parts = super().send_with_data_passthrough(event)
        if parts is None:
            return None
        if isinstance(event, h11.Response):
            parts.insert(-1, self._headers)
            if any(name == b"content-length" for name, _ in event.headers):
                self._head = parts
                return []
        parts, self._head = [*self._head, *parts], []
        return parts

    def next_event(self) -> Any:
        """Return the next event, or raise what uvicorn answers with 4xx."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks = self._bytes = 0
            names = [name for name, _ in event.headers]
            different = set(names)
            if len(names) > HEADERS:
                raise h11.RemoteProtocolError("headers", 431)
            if different >= _BOTH_LENGTHS:
                # RFC 9112, section 6.3: an attempt at smuggling (CWE-444).
                raise h11.RemoteProtocolError("two lengths", 400)
            if len(names) > len(different) and any(
                names.count(name) > 1 for name in _ONCE
            ):
                # RFC 9110, section 5.3: one reader would take the first, and
                # another the last.
                raise h11.RemoteProtocolError("repeated header", 400)
        elif isinstance(event, h11.Data):
            self._chunks += 1
            self._bytes += len(event.data)
            if self._chunks > CHUNKS and self._bytes < self._chunks * CRUMB:
                raise h11.RemoteProtocolError("chunks", 400)
        return event
