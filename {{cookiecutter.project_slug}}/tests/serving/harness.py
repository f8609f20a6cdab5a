"""Serves for the tests in their own process, and talks HTTP to it."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from {{ cookiecutter.__package_name }} import environment
from {{ cookiecutter.__package_name }}.serving.application import Application
from {{ cookiecutter.__package_name }}.serving.http import HttpServer, build_http_server
from {{ cookiecutter.__package_name }}.settings import Settings
from tests.serving.demo import build_demo

JSON = {
    "content-type": "application/json",
    "accept": "application/json, text/event-stream",
}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


# To make one takes longer than most tests.
_TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def client(**options: Any) -> httpx2.AsyncClient:
    """Return a client that no proxy stands in front of."""
    given = {"trust_env": False, "timeout": 20, "verify": _TRUST, **options}
    return httpx2.AsyncClient(**given)


@dataclass
class Served:
    """A server in this process."""

    server: HttpServer = field(init=False)
    port: int = 0
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def tell(self, event: str, fields: Mapping[str, object]) -> None:
        self.events.append((event, dict(fields)))

    def named(self, event: str) -> list[dict[str, object]]:
        return [fields for name, fields in self.events if name == event]

    def client(self, **options: Any) -> httpx2.AsyncClient:
        scheme = "https" if "verify" in options else "http"
        base = f"{scheme}://127.0.0.1:{self.port}"
        return client(base_url=base, **options)

    async def raw(self, data: bytes) -> "Answer":
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        try:
            return await read_answer(reader)
        finally:
            writer.close()


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so; the test's own time limit bounds it."""
    while not condition():  # noqa: ASYNC110 - nobody tells when it is
        await asyncio.sleep(0.01)


@dataclass
class Answer:
    """An answer as it stands on the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    headers = {name.lower(): value for name, value in pairs}
    size = int(headers.get("content-length", 0))
    body = await reader.readexactly(size)
    return Answer(int(first.split()[1]), headers, body)


def settings_of(workspace: Path, **variables: object) -> Settings:
    """Return settings for tests that share one server among them."""
    given = {
        "WORKSPACE_PATH": workspace,
        "MCP_TRANSPORT": "http",
        "MCP_AUTH": "none",
        **variables,
    }
    return environment.load({k: str(v) for k, v in given.items()})


@asynccontextmanager
async def serving(
    settings: Settings, application: Application | None = None
) -> AsyncIterator[Served]:
    """Serve the demo, or an application, over HTTP in this process."""
    served = Served()
    app = application or build_demo(settings, served.tell)
    server = served.server = build_http_server(app, settings)
    listener = socket.create_server((settings.host, 0))
    served.port = listener.getsockname()[1]
    task = asyncio.create_task(server._serve([listener]))
    await until(lambda: server.started or task.done())
    if task.done():
        task.result()
    try:
        yield served
    finally:
        server.stop()
        await task


def call(
    tool: str, arguments: dict[str, Any] | None = None, *, request: int = 1
) -> dict[str, Any]:
    """Return a call of the 2026-07-28 protocol, which needs no handshake."""
    meta = "io.modelcontextprotocol"
    params = {
        "name": tool,
        "arguments": arguments or {},
        "_meta": {
            f"{meta}/protocolVersion": "2026-07-28",
            f"{meta}/clientCapabilities": {},
            f"{meta}/clientInfo": {"name": "test", "version": "1"},
        },
    }
    return {
        "jsonrpc": "2.0",
        "id": request,
        "method": "tools/call",
        "params": params,
    }


def call_headers(tool: str) -> dict[str, str]:
    """Return the headers that go with such a call."""
    return {
        **JSON,
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": tool,
    }


async def post_call(
    client: httpx2.AsyncClient,
    tool: str,
    arguments: dict[str, Any] | None = None,
    **headers: str | bytes,
) -> httpx2.Response:
    """Call a tool over HTTP."""
    return await client.post(
        "/mcp",
        json=call(tool, arguments),
        headers=[*call_headers(tool).items(), *headers.items()],
    )


@asynccontextmanager
async def streamed(
    settings: Settings,
    application: Application,
    body: dict[str, Any],
    headers: dict[str, str],
) -> AsyncIterator[httpx2.Response]:
    """Serve one request; yield its answer as soon as there is its head."""
    async with (
        serving(settings, application) as served,
        served.client() as client,
        client.stream("POST", "/mcp", json=body, headers=headers) as answer,
    ):
        yield answer


def text_of(response: httpx2.Response) -> str:
    """Return the text in a call's answer."""
    assert response.status_code == 200, response.text
    return str(response.json()["result"]["content"][0]["text"])
