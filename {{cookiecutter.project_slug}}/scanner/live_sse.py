"""A conversation over HTTP+SSE: asked by POST, answered on a stream."""

import contextlib
import http.client
import itertools
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .live import PATIENCE, hello, request
from .live_http import HttpServer
from .tools import ToolError

STREAM: Final = "/sse"
LINES: Final = 10_000  # that may come before an answer
Headers = Mapping[str, str]


class SseSession:
    """One session. Use as a context manager.

    Args:
        server: The server, which serves SSE.
        headers: What each request says besides.
    """

    def __init__(self, server: HttpServer, headers: Headers) -> None:
        self._server, self._headers = server, dict(headers)
        self._ids = itertools.count(1)

    def __enter__(self) -> "SseSession":
        """Open the stream and shake hands.

        Raises:
            ToolError: There is none.
            OSError: The connection failed.
        """
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", self._server.port, timeout=PATIENCE
        )
        try:
            self._connection.request("GET", STREAM, headers=self._headers)
            self._answer = self._connection.getresponse()
            self._place = next(self._data())
            self.ask("initialize", hello())
            self._send({"method": "notifications/initialized"})
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the stream."""
        self._connection.close()

    def ask(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and return the message that answers it.

        A request that is refused before it is read has no such message, but
        an error is made of its status.
        """
        number = next(self._ids)
        status = self._send(request(number, method, params))
        if status >= 300:
            return {"id": number, "error": {"code": status}}
        for data in self._data():
            with contextlib.suppress(ValueError):
                message = json.loads(data)
                if isinstance(message, dict) and message.get("id") == number:
                    return message
        raise ToolError("the stream ended")

    def _send(self, message: Mapping[str, Any]) -> int:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        named = {"Content-Type": "application/json", **self._headers}
        return self._server.request("POST", self._place, body, **named).status

    def _data(self) -> Iterator[str]:
        until = time.monotonic() + PATIENCE
        for _ in range(LINES):
            line = self._answer.readline()
            if not line or time.monotonic() > until:
                break
            if line.startswith(b"data:"):
                yield line[5:].strip().decode("utf-8", "replace")
        raise ToolError("the server opens no stream")
