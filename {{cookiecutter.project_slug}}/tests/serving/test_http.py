import asyncio
import errno
import socket
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import fastmcp
import pytest
from fastmcp import Client
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools import FunctionTool

from {{ cookiecutter.__package_name }}.errors import SettingsError
from {{ cookiecutter.__package_name }}.serving import sockets
from {{ cookiecutter.__package_name }}.serving.application import Application
from {{ cookiecutter.__package_name }}.serving.http import HEADERS, serve_http
from {{ cookiecutter.__package_name }}.settings import Settings
from tests.conftest import MakeSettings
from tests.serving.demo import build_demo
from tests.serving.harness import (
    INITIALIZE,
    JSON,
    post_call,
    read_answer,
    serving,
    text_of,
)

# Limits of several need a storage that they share.
WORKERS = {"MCP_WORKERS": 2, "MCP_RATE_LIMIT": "off"}


class Listing(Middleware):
    """Counts how often the tools are listed."""

    times = 0

    async def on_list_tools(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        self.times += 1
        return await call_next(context)


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_no_setting_of_the_framework_moves_the_endpoint(
    make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
    transport: str,
) -> None:
    monkeypatch.setattr(fastmcp.settings, "streamable_http_path", "/other")
    monkeypatch.setattr(fastmcp.settings, "sse_path", "/other")
    settings = make_settings(MCP_TRANSPORT=transport)
    path = "/mcp" if transport == "http" else "/sse"
    async with serving(settings) as served:
        url = f"http://127.0.0.1:{served.port}{path}"
        async with Client(url, mode="legacy") as client:
            await client.call_tool("echo", {"message": "hello"})


@pytest.mark.parametrize(
    "code", [errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT], ids=["off", "not built"]
)
def test_address_of_a_family_that_is_off_is_passed_over(
    make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
    free_port: int,
    code: int,
) -> None:
    """``localhost`` has two addresses on machines that have one of them."""
    create = socket.create_server

    def without_ipv6(address: Any, *, family: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(code, "no IPv6")
        return create(address, family=family)

    def both(host: str, port: int, **_: object) -> list[Any]:
        kind = socket.SOCK_STREAM, 6, ""
        six = socket.AF_INET6, *kind, ("::1", port, 0, 0)
        four = socket.AF_INET, *kind, ("127.0.0.1", port)
        return [six] if host == "::1" else [six, four]

    monkeypatch.setattr(sockets.socket, "create_server", without_ipv6)
    monkeypatch.setattr(sockets.socket, "getaddrinfo", both)
    variables = {"MCP_TRANSPORT": "http", "MCP_PORT": free_port}
    settings = make_settings(MCP_HOST="localhost", **variables)
    (taken,) = sockets.listen(settings)
    assert taken.getsockname() == ("127.0.0.1", free_port)
    taken.close()
    with pytest.raises(SettingsError, match="cannot listen on ::1"):
        sockets.listen(make_settings(MCP_HOST="::1", **variables))


def never(settings: Settings, worker: int) -> Application:
    raise AssertionError("nothing is built before the address is ours")


@pytest.mark.parametrize(
    ("transport", "path", "mode"),
    [
        ("http", "/mcp", "auto"),
        ("http", "/mcp", "legacy"),
        ("sse", "/sse", "legacy"),
    ],
)
async def test_clients_of_each_era_are_served(
    make_settings: MakeSettings, transport: str, path: str, mode: Any
) -> None:
    settings = make_settings(MCP_TRANSPORT=transport)
    async with serving(settings) as served:
        url = f"http://127.0.0.1:{served.port}{path}"
        async with Client(url, mode=mode) as client:
            result = await client.call_tool("echo", {"message": "hello"})
            assert result.data == "hello"


async def test_every_answer_is_of_no_use_to_a_browser(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(MCP_TRANSPORT="http")
    async with serving(settings) as served, served.client() as client:
        for answer in (
            await client.get("/health"),
            await client.get("/nowhere"),
            await client.post("/mcp"),
            await post_call(client, "echo", {"message": "hello"}),
        ):
            for name, value in HEADERS:
                assert value in answer.headers.get_list(name)


async def test_nothing_tells_which_software_answers(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(MCP_TRANSPORT="http")
    async with serving(settings) as served:
        for data in (
            b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"no request\r\n\r\n",
        ):
            answer = await served.raw(data)
            assert "server" not in answer.headers
            assert b"uvicorn" not in answer.body.lower()


async def test_more_than_the_sdk_allows_can_be_allowed(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(MCP_TRANSPORT="http", MCP_MAX_REQUEST_SIZE="6MiB")
    async with serving(settings) as served, served.client() as client:
        message = "x" * (5 * 2**20)
        answer = await post_call(client, "echo", {"message": message})
        assert text_of(answer) == message


async def test_a_session_outlives_its_connection(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(MCP_TRANSPORT="http")
    async with serving(settings) as served:
        url = f"http://127.0.0.1:{served.port}/mcp"
        async with Client(url, mode="legacy") as client:
            first = await client.call_tool("who", {})
            second = await client.call_tool("who", {})
        assert first.data == second.data == "127.0.0.1"


async def test_several_workers_keep_no_sessions(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(MCP_TRANSPORT="http", **WORKERS)
    async with serving(settings) as served:
        url = f"http://127.0.0.1:{served.port}/mcp"
        async with Client(url, mode="legacy") as client:
            result = await client.call_tool("echo", {"message": "hello"})
            assert result.data == "hello"
        async with served.client() as http:
            answer = await http.post("/mcp", json=INITIALIZE, headers=JSON)
            assert answer.status_code == 200
            assert "mcp-session-id" not in answer.headers


async def test_taken_address_is_said_in_one_line(
    make_settings: MakeSettings, free_port: int
) -> None:
    settings = make_settings(MCP_TRANSPORT="http", MCP_PORT=free_port)
    with (
        socket.create_server(("127.0.0.1", free_port)),
        pytest.raises(SettingsError, match="cannot listen") as refused,
    ):
        serve_http(never, settings)
    (line,) = refused.value.problems
    assert "Address already in use; stop what" in line


async def test_no_part_of_an_answer_waits_for_the_other(
    make_settings: MakeSettings,
) -> None:
    async with serving(make_settings(MCP_TRANSPORT="http")) as served:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", served.port
        )
        writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await read_answer(reader)
        (connection,) = served.server.server_state.connections
        accepted = connection.transport.get_extra_info("socket")
        option = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()
    assert option


async def test_connections_are_left_to_other_workers(
    make_settings: MakeSettings,
) -> None:
    """Whoever took all that wait would do all the work."""
    settings = make_settings(MCP_TRANSPORT="http", **WORKERS)
    async with serving(settings) as served:
        taken, counts = served.server.server_state.connections, [0]
        address = ("127.0.0.1", served.port)
        with ExitStack() as stack:
            for _ in range(8):
                stack.enter_context(socket.create_connection(address, 5))
            while len(taken) < 8:
                await asyncio.sleep(0)
                counts.append(len(taken))
        assert max(b - a for a, b in pairwise(counts)) < 4


async def test_tools_are_not_listed_on_every_call(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(MCP_TRANSPORT="http")
    application = build_demo(settings, lambda *_: None)
    listing = Listing()
    application.server.add_middleware(listing)
    async with (
        serving(settings, application) as served,
        served.client() as client,
    ):
        answer = await post_call(client, "echo", {"message": "hello"})
        assert text_of(answer) == "hello"
    assert listing.times == 0


async def test_headers_are_checked_against_the_body(
    make_settings: MakeSettings,
) -> None:
    """MCP specification: ``Mcp-Param-*`` must agree with the arguments."""
    settings = make_settings(MCP_TRANSPORT="http")
    application = build_demo(settings, lambda *_: None)
    application.server.add_tool(
        FunctionTool(
            name="region",
            fn=lambda region: region,
            parameters={
                "type": "object",
                "properties": {
                    "region": {"type": "string", "x-mcp-header": "Region"}
                },
            },
        )
    )
    async with (
        serving(settings, application) as served,
        served.client() as client,
    ):
        for value, status in (("eu", 200), ("us", 400)):
            headers = {"Mcp-Param-Region": value}
            answer = await post_call(
                client, "region", {"region": "eu"}, **headers
            )
            assert answer.status_code == status
