"""The server under test over pipes: one request, or several at once."""

import contextlib
import itertools
import json
import queue
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, Final

from .live import (
    MAX_LINE,
    NOTHING,
    PATIENCE,
    START,
    Ended,
    Noisy,
    Server,
    Silent,
    hello,
    refusals,
    request,
)
from .project import Project
from .text import visible
from .tools import ToolError

#: Programs that most systems have, so that ``run_command`` is seen too, and
#: what they can do from where they are kept.
_PROGRAMS: Final = ("bash", "cat", "ls", "printenv")
ABLE: Final = {
    "MCP_ALLOWED_COMMANDS": ",".join(filter(shutil.which, _PROGRAMS)),
    "MCP_COMMAND_NETWORK": "deny",
    "MCP_COMMAND_SANDBOX": "best-effort",
}


class StdioServer(Server):
    """The project's server as a process that speaks over pipes."""

    transport = "stdio"
    pipes = True
    capabilities: ClassVar[Mapping[str, Any]] = NOTHING  # what we can do

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            _pipe(self._process.stdin).close()
        super()._end()
        self._listener.join()
        _pipe(self._process.stdout).close()

    def ask(
        self, method: str, patience: float = PATIENCE, **params: Any
    ) -> dict[str, Any]:
        """Send a request and return its result.

        Raises:
            ToolError: As for ``exchange``; or the answer is an error.
        """
        message = self.exchange(method, params, patience)
        if "error" in message:
            error = visible(str(message["error"].get("message")))
            raise ToolError(f"the server refused {method}: {error}")
        result = message.get("result")
        return result if isinstance(result, dict) else {}

    def exchange(
        self,
        method: str,
        params: Mapping[str, Any],
        patience: float = PATIENCE,
    ) -> dict[str, Any]:
        """Send a request and return the message that answers it.

        A server that cannot read a request does not know its number either;
        the error that it then answers bears none (JSON-RPC 2.0, section 5).

        Raises:
            Ended: The server died.
            Silent: It does not answer.
            Noisy: It says something else than the protocol on stdout.
        """
        number = next(self._ids)
        self._send(request(number, method, params))
        until = time.monotonic() + patience
        while True:
            message = self._receive(method, until)
            unread = message.get("id") is None and "error" in message
            if unread or (
                message.get("id") == number and "method" not in message
            ):
                return message

    def everything(self, method: str, key: str) -> Iterator[dict[str, Any]]:
        """Yield what a list method lists, page after page."""
        cursor: dict[str, Any] = {}
        for _page in range(100):
            result = self.ask(method, **cursor)
            yield from result.get(key) or []
            if not result.get("nextCursor"):
                return
            cursor = {"cursor": result["nextCursor"]}
        raise ToolError(f"{method} never comes to an end")

    def _greet(self) -> None:
        self._ids = itertools.count(1)
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        given = hello(capabilities=self.capabilities)
        self.initialized = self.ask("initialize", START, **given)
        self._send({"method": "notifications/initialized"})

    def _send(self, message: Mapping[str, object], padding: str = "") -> None:
        line = json.dumps({"jsonrpc": "2.0", **message}) + padding + "\n"
        try:
            _pipe(self._process.stdin).write(line.encode())
            _pipe(self._process.stdin).flush()
        except (OSError, ValueError):
            raise Ended(f"the server ended{self._hint()}") from None

    def _receive(self, method: str, until: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            raise Silent(
                f"the server did not answer {method}{self._hint()}"
            ) from None
        if line is None:
            raise Ended(f"the server ended{self._hint()}")
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict) or "jsonrpc" not in message:
            shown = visible(line[:80].decode("utf-8", "replace"))
            raise Noisy(f"the server printed on stdout: {shown}")
        return message

    def _listen(self) -> None:
        stream = _pipe(self._process.stdout)
        with contextlib.suppress(OSError, ValueError):
            while line := stream.readline(MAX_LINE):
                self._lines.put(line)
        self._lines.put(None)


class ParallelServer(StdioServer):
    """A server that is asked more before it has answered.

    What it asks the user is refused, in one way after the other.
    """

    capabilities: ClassVar[Mapping[str, Any]] = {"elicitation": {}}

    def _greet(self) -> None:
        self._answers: dict[int, dict[str, Any]] = {}
        self._refusals = itertools.cycle(refusals())
        super()._greet()

    def begin(self, tool: str, padding: str = "") -> int:
        """Call a tool that needs no arguments; return the call's number."""
        number = next(self._ids)
        params = {"name": tool, "arguments": {}}
        self._send(request(number, "tools/call", params), padding)
        return number

    def padded(self, tool: str, size: int, patience: float) -> dict[str, Any]:
        """Call a tool with so many blanks too much; return the answer.

        A line that is not read has no number in its answer.
        """
        number = self.begin(tool, " " * size)
        until = time.monotonic() + patience
        while True:
            message = self._receive("calls", until)
            if message.get("id") in {None, number}:
                return message

    def cancel(self, number: int) -> None:
        """Say that a call's answer is no longer wanted."""
        method = "notifications/cancelled"
        self._send({"method": method, "params": {"requestId": number}})

    def answers(
        self, *numbers: int, patience: float
    ) -> dict[int, dict[str, Any]]:
        """Return the answers to calls, as far as they come in time.

        Raises:
            Ended: The server died.
            Noisy: It says something else than the protocol on stdout.
        """
        until = time.monotonic() + patience
        while not set(numbers) <= self._answers.keys():
            try:
                message = self._receive("calls", until)
            except Silent:
                break
            if "method" not in message:
                self._answers[message.get("id", 0)] = message
            elif "id" in message:
                no = next(self._refusals)
                self._send({"id": message["id"], "result": no})
        return {n: self._answers[n] for n in numbers if n in self._answers}


@contextlib.contextmanager
def able(
    project: Project, workspace: Path, **given: Any
) -> Iterator[StdioServer]:
    """Start the server, with commands where there is a sandbox for them."""
    with contextlib.ExitStack() as stack:
        try:
            server = StdioServer(project, workspace, **ABLE, **given)
            stack.enter_context(server)
        except Ended:
            server = StdioServer(project, workspace, **given)
            stack.enter_context(server)
        yield server


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """Return a pipe that ``Popen`` was asked for."""
    if stream is None:
        raise ToolError("the server has no pipes")
    return stream
