"""Answers a request that is refused before MCP sees it."""

import json
from typing import Final

from starlette.types import Send

Headers = list[tuple[bytes, bytes]]

#: JSON-RPC's range for errors that a server defines itself.
REFUSED: Final = -32000


async def refuse(
    send: Send,
    status: int,
    sentence: str,
    *,
    retry_after: int | None = None,
    headers: Headers | None = None,
) -> None:
    """Answer with a status, and with a JSON-RPC error that says why.

    Args:
        send: The request's ASGI ``send``.
        status: The HTTP status.
        sentence: What the caller reads; nothing of the server's inside.
        retry_after: Whole seconds after which the same request may succeed.
        headers: More headers.
    """
    error: dict[str, object] = {"code": REFUSED, "message": sentence}
    extra = headers or []
    if retry_after is not None:
        error["data"] = {"retry_after": retry_after}
        extra = [(b"retry-after", b"%d" % retry_after), *extra]
    content = {"jsonrpc": "2.0", "id": None, "error": error}
    await answer(send, status, content, extra)


async def answer(
    send: Send,
    status: int,
    content: object,
    headers: Headers | None = None,
) -> None:
    """Send a small JSON document."""
    body = json.dumps(content, separators=(",", ":")).encode()
    lines = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        *(headers or []),
    ]
    start = {"type": "http.response.start", "status": status, "headers": lines}
    await send(start)
    await send({"type": "http.response.body", "body": body})
