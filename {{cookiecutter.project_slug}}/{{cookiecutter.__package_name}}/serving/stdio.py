"""Serves one client over stdin and stdout, and puts nothing else there."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, TypeAlias

import anyio
from anyio.streams.memory import (
    MemoryObjectReceiveStream,
    MemoryObjectSendStream,
)
from fastmcp.server.context import reset_transport, set_transport
from mcp.shared.message import SessionMessage
from mcp_types import (
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from ..settings import Settings
from .application import Application
from .lines import LineReader
from .stopping import leave_soon, on_signal

Item: TypeAlias = SessionMessage | Exception
STDIO: Final = {"transport": "stdio"}
#: Messages that may wait to be taken up.
AHEAD: Final = 1
#: Seconds for the last answers to be read by the client.
FLUSH: Final = 2.0


def serve_stdio(
    build: Callable[[Settings, int], Application], settings: Settings
) -> None:
    """Serve until stdin ends or a signal comes; see :func:`serving.serve`.

    From the first line on, what anybody prints goes to stderr, and nobody
    but the protocol can read stdin (MCP specification, stdio transport).
    """
    stdin, stdout = _claim_standard_streams()
    application = build(settings, 0)
    asyncio.run(_serve(application, settings, stdin, stdout))


def _claim_standard_streams() -> tuple[int, int]:
    """Keep stdin and stdout, and put harmless ones in their places."""
    stdin, stdout = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:
        os.dup2(nothing, 1)
    os.close(nothing)
    return stdin, stdout


async def _serve(
    application: Application, settings: Settings, stdin: int, stdout: int
) -> None:
    lines = LineReader(stdin, limit=settings.max_request_size)
    token = set_transport("stdio")
    application.on_event("server_started", STDIO)
    try:
        with on_signal(lines.end, grace=settings.shutdown_grace):
            connection = _Connection(lines, stdout, settings.shutdown_grace)
            await connection.run(application)
    finally:
        reset_transport(token)
        application.on_event("server_stopped", STDIO)
    leave_soon()


class _Connection:
    """The one client, and what it was asked and has not been told yet."""

    def __init__(self, lines: LineReader, stdout: int, grace: float) -> None:
        self._lines = lines
        self._stdout = stdout
        self._grace = grace
        self._unanswered: set[str | int] = set()
        self._settled = asyncio.Event()

    async def run(self, application: Application) -> None:
        """Serve until there is nothing more to read, then settle.

        A tool that cannot be cancelled, and a client that reads no more, are
        left behind: neither keeps the clean-up from being run.
        """
        inbox, incoming = anyio.create_memory_object_stream[Item](AHEAD)
        outgoing, outbox = anyio.create_memory_object_stream[Item](AHEAD)
        server = application.server._mcp_server
        options = server.create_initialization_options()
        async with application.server._lifespan_manager():
            tasks = [
                asyncio.create_task(server.run(incoming, outgoing, options)),
                asyncio.create_task(self._write(outbox)),
            ]
            for task in tasks:
                task.add_done_callback(self._break_off)
            with suppress(anyio.BrokenResourceError):
                await self._read(inbox, outgoing.clone())
            ended, _ = await asyncio.wait(tasks, timeout=FLUSH)
            for task in ended:
                # A client that is gone is an end like any other.
                with suppress(OSError):
                    task.result()

    async def _read(
        self,
        inbox: MemoryObjectSendStream[Item],
        refusals: MemoryObjectSendStream[Item],
    ) -> None:
        async with inbox, refusals:
            async for line in self._lines:
                if line == b"":
                    continue
                message = _parse(line)
                if message is None:
                    await refusals.send(SessionMessage(_UNREADABLE))
                else:
                    self._note(message)
                    await inbox.send(SessionMessage(message))
            await self._settle()

    async def _write(self, outbox: MemoryObjectReceiveStream[Item]) -> None:
        loop = asyncio.get_running_loop()
        # A thread of its own: no answer queues behind a slow search.
        writer = ThreadPoolExecutor(1, thread_name_prefix="stdout")
        async with outbox:
            async for item in outbox:
                if not isinstance(item, SessionMessage):
                    continue
                line = item.message.model_dump_json(
                    by_alias=True, exclude_unset=True
                )
                await loop.run_in_executor(writer, _put, self._stdout, line)
                if isinstance(item.message, JSONRPCResponse | JSONRPCError):
                    self._answered(item.message.id)

    def _break_off(self, task: asyncio.Task[None]) -> None:
        """Stop reading: nobody is there any more to answer, or to read it."""
        self._unanswered.clear()
        self._settled.set()
        self._lines.end()

    async def _settle(self) -> None:
        """Wait for the answers that are owed, as long as the grace lasts."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._grace):
                while self._unanswered:
                    self._settled.clear()
                    await self._settled.wait()

    def _note(self, message: JSONRPCMessage) -> None:
        if isinstance(message, JSONRPCRequest):
            self._unanswered.add(message.id)
        elif (
            isinstance(message, JSONRPCNotification)
            and message.method == "notifications/cancelled"
        ):
            # Who takes a request back is owed no answer to it.
            self._answered((message.params or {}).get("requestId"))

    def _answered(self, request: Any) -> None:
        if isinstance(request, str | int):
            self._unanswered.discard(request)
        self._settled.set()


_UNREADABLE: Final = JSONRPCError(
    jsonrpc="2.0",
    id=None,
    error=ErrorData(code=PARSE_ERROR, message="Parse error"),
)


def _parse(line: bytes | None) -> JSONRPCMessage | None:
    """Read a message; one that is too long, too deep or no JSON is none."""
    if line is None:
        return None
    try:
        return jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValidationError:
        return None


def _put(descriptor: int, line: str) -> None:
    data = memoryview(line.encode() + b"\n")
    while data:
        written = os.write(descriptor, data)
        data = data[written:]
