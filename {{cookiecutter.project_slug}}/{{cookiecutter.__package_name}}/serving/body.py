"""Body: how much of a request is read, and how much of it is kept."""

import re
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..identity import caller
from .application import Observer
from .refusal import refuse

#: Bodies up to this size, in bytes, cost too little to count them.
SMALL: Final = 64 * 1024
#: Objects, arrays and members in one body: parsed, each takes a hundred bytes
#: and more, where two will do on the wire.
VALUES: Final = 100_000

# Linear: a string that does not end reaches to the end of the body.
_STRING: Final = re.compile(rb'"(?:[^"\\]+|\\.)*+"?', re.DOTALL)
# Halves of a character, and escapes that are none: pairs of halves, the rest.
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u(?![dD][89a-fA-F])|[^u])",
    re.DOTALL,
)


class BodyLimit:
    """Reads a body whole before anything works on it, within bounds (CWE-770).

    Beyond ``limit`` the answer is 413, declared or sent in chunks, on every
    route. What all bodies on their way may take together is bounded as well;
    beyond that the answer is 503, but never to a small body, so that nobody
    shuts the others out by sending large ones slowly.

    JSON that is not UTF-8 is refused with 400 (RFC 8259, section 8.1). Python
    would read UTF-16 as well, in which the number of values cannot be seen,
    and halves of characters, on which the tools would fail.

    Args:
        app: The application behind.
        limit: Bytes in one body.
        budget: Bytes in all bodies on their way, small ones apart.
        on_event: Told of each refusal.
    """

    def __init__(
        self, app: ASGIApp, *, limit: int, budget: int, on_event: Observer
    ) -> None:
        self._app = app
        self._limit = limit
        self._free = budget
        self._on_event = on_event

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pass a request on with its body, or refuse it."""
        if scope["type"] == "http" and _has_body(scope):
            body = await self._read(scope, receive, send)
            if body is None:
                return
            receive = replay({"type": "http.request", "body": body}, receive)
            del body
        await self._app(scope, receive, send)

    async def _read(
        self, scope: Scope, receive: Receive, send: Send
    ) -> bytes | None:
        """Return the body; ``None`` once it was refused or broken off."""
        if _length(scope) > self._limit:
            await self._too_large(scope, send)
            return None
        body, reserved, more = bytearray(), 0, True
        try:
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > self._limit:
                    await self._too_large(scope, send)
                    return None
                if len(body) > SMALL and more and not reserved:
                    if self._free < self._limit:
                        await self._busy(scope, send)
                        return None
                    reserved = self._limit
                    self._free -= reserved
        finally:
            self._free += reserved
        if _is_json(scope):
            if not _is_text(body):
                self._tell(scope, "malformed")
                await refuse(send, 400, "The request is not UTF-8 text.")
                return None
            if _values(body) > VALUES:
                await self._too_large(scope, send)
                return None
        return bytes(body)

    async def _too_large(self, scope: Scope, send: Send) -> None:
        self._tell(scope, "body_too_large")
        await refuse(send, 413, "The request is too large.")

    async def _busy(self, scope: Scope, send: Send) -> None:
        self._tell(scope, "busy")
        await refuse(send, 503, "The server is busy.", retry_after=1)

    def _tell(self, scope: Scope, reason: str) -> None:
        self._on_event("request_denied", {"reason": reason, **caller(scope)})


def replay(message: Message, receive: Receive) -> Receive:
    """Give a body that was read once more, then whatever else happens."""
    first = [message]
    del message

    async def again() -> Message:
        return first.pop() if first else await receive()

    return again


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length")
        for name, _ in scope["headers"]
    )


def _length(scope: Scope) -> int:
    """Return the declared size; h11 has checked that it is a number."""
    return sum(int(v) for k, v in scope["headers"] if k == b"content-length")


def _is_json(scope: Scope) -> bool:
    kind = dict(scope["headers"]).get(b"content-type", b"")
    return b"json" in kind.lower()


def _is_text(body: bytearray) -> bool:
    """Tell whether a JSON document is UTF-8, and whole characters only."""
    if 0 in body:
        return False
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return not (_HALF.search(body) and _HALF.search(_ESCAPE.sub(b"", body)))


def _values(body: bytearray) -> int:
    """Return how many values a JSON document holds, or a few more."""
    if len(body) <= VALUES:
        return 0
    bare = _STRING.sub(b"", body)
    return bare.count(b",") + bare.count(b"[") + bare.count(b"{")
