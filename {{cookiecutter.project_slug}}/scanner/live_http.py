"""The server under test over HTTP, on a loopback port of its own."""

import contextlib
import http.client
import itertools
import json
import secrets
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .live import (
    PATIENCE,
    PROTOCOL,
    START,
    Ended,
    Server,
    Silent,
    hello,
    refused,
    request,
)
from .project import Project
from .tools import ToolError

ACCEPT = "application/json, text/event-stream"
PORTS = range(20_000, 32_000)  # below those given by chance (RFC 6056)
PROOF = 20  # letters of a token that are no chance
MAX_ANSWER = 8 * 2**20  # bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP.

    Attributes:
        message: The JSON-RPC message in it; empty where there is none.
    """

    status: int
    headers: Mapping[str, str]
    text: str
    message: Mapping[str, Any]

    @property
    def refused(self) -> bool:
        """Whether the call was not done, in whatever way that was said."""
        return self.status >= 300 or refused(self.message)


class HttpServer(Server):
    """The project's server on a free port."""

    def __init__(
        self,
        project: Project,
        workspace: Path,
        *,
        through: Sequence[str] = (),
        **variables: str,
    ) -> None:
        self.port, self._claim = free_port()
        self._numbers = itertools.count(1)
        #: By which methods a proof of identity that was sent came back.
        self.repeated: set[str] = set()
        super().__init__(
            project,
            workspace,
            through=through,
            MCP_HOST="127.0.0.1",
            MCP_PORT=str(self.port),
            **variables,
        )

    def _end(self) -> None:
        super()._end()
        self._claim.close()

    def request(
        self,
        method: str = "GET",
        path: str = "/mcp",
        body: bytes | Iterator[bytes] = b"",
        source: str = "127.0.0.1",
        **headers: str,
    ) -> Answer:
        """Send one request on a connection of its own.

        Args:
            method: The HTTP method.
            path: The path.
            body: What is sent; in chunks, if it comes in pieces.
            source: The address of this machine that it comes from.
            headers: By name, ``_`` for ``-``.

        Raises:
            OSError: The connection failed.
        """
        connection = http.client.HTTPConnection(
            "127.0.0.1",
            self.port,
            timeout=PATIENCE,
            source_address=(source, 0),
        )
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        try:
            connection.request(method, path, body or None, named)
            answer = connection.getresponse()
            data = _read(answer)
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()
        found = {k.lower(): v for k, v in answer.getheaders()}
        text = data.decode("utf-8", "replace")
        proof = headers.get("Authorization", "").partition(" ")[2][:PROOF]
        if len(proof) == PROOF and proof in f"{found} {text}":
            self.repeated.add(f"{method} ({answer.status})")
        return Answer(answer.status, found, text, _message(text))

    def rpc(
        self,
        method: str,
        params: Mapping[str, Any],
        source: str = "127.0.0.1",
        session: str | None = None,
        **headers: str,
    ) -> Answer:
        """Send one JSON-RPC request, in a session if there is one."""
        message = request(next(self._numbers), method, params)
        given = {"Content_Type": "application/json", "Accept": ACCEPT}
        if session is not None:
            given["Mcp_Session_Id"] = session
            given["MCP_Protocol_Version"] = PROTOCOL
        body = json.dumps(message).encode()
        return self.request(
            "POST", body=body, source=source, **{**given, **headers}
        )

    def initialize(
        self,
        source: str = "127.0.0.1",
        name: str = "security-scan",
        **headers: str,
    ) -> Answer:
        """Shake hands under a name; ``path`` among the headers is where."""
        return self.rpc("initialize", hello(name), source, **headers)

    def session(
        self,
        source: str = "127.0.0.1",
        name: str = "security-scan",
        **headers: str,
    ) -> str:
        """Shake hands under a name, and return the session's id."""
        answer = self.initialize(source, name, **headers)
        return answer.headers.get("mcp-session-id", "")

    def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        session: str,
        source: str = "127.0.0.1",
        meta: Mapping[str, Any] | None = None,
        **headers: str,
    ) -> Answer:
        """Call a tool in a session."""
        params: dict[str, Any] = {"name": tool, "arguments": arguments}
        if meta:
            params["_meta"] = meta
        return self.rpc("tools/call", params, source, session, **headers)

    def _greet(self) -> None:
        until = time.monotonic() + START
        while time.monotonic() < until:
            if not self.alive:
                raise Ended(f"the server ended{self._hint()}")
            with contextlib.suppress(OSError):
                if self.request(path="/health").status:
                    return
            time.sleep(0.05)
        raise Silent(f"the server did not answer{self._hint()}")


def _read(answer: http.client.HTTPResponse) -> bytes:
    """Read an answer in time: one that is kept alive need never end.

    Raises:
        TimeoutError: It has not ended.
    """
    until, data = time.monotonic() + PATIENCE, b""
    while len(data) < MAX_ANSWER and (piece := answer.read1(MAX_ANSWER)):
        data += piece
        if time.monotonic() > until:
            raise TimeoutError("the answer did not end")
    return data


def free_port() -> tuple[int, socket.socket]:
    """Return a port that nobody uses, and what claims it from other scans.

    What the system gives to whoever asks for any port, it may give away again
    before the server has taken it. Two scans that draw the same one at the
    same time would attack one server for two.
    """
    for _ in range(100):
        port = secrets.choice(PORTS)
        with contextlib.suppress(OSError):
            socket.create_server(("127.0.0.1", port)).close()
            return port, _claim(port)
    raise ToolError("no port of this machine is free for the server")


def _claim(port: int) -> socket.socket:
    """Take a name that one process at a time can have.

    Raises:
        OSError: Another scan has it.
    """
    if sys.platform != "linux":
        return socket.socket()
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0mcp-security-scan-{port}")
    except OSError:
        claim.close()
        raise
    return claim


def _message(text: str) -> Mapping[str, Any]:
    """Return the last JSON-RPC message of a body or an event stream."""
    lines = [x[5:] for x in text.splitlines() if x.startswith("data:")]
    for candidate in (text, *reversed(lines)):
        with contextlib.suppress(ValueError, RecursionError):
            message = json.loads(candidate)
            if isinstance(message, dict):
                return message
    return {}
