"""How many calls at once, how long each, and how much it may say."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fastmcp.tools.base import ToolResult
from mcp_types import EmbeddedResource, ResourceLink, TextResourceContents

OVER = "x" * 1001


@pytest.fixture
def gate() -> asyncio.Event:
    return asyncio.Event()


async def test_call_that_takes_too_long_is_ended(
    make_server: Any, connect: Any, events: Any
) -> None:
    server = make_server(MCP_REQUEST_TIMEOUT="0.1")
    ended = asyncio.Event()

    @server.tool
    async def slow() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.set()

    async with connect(server) as client:
        result = await client.call_tool("slow", {}, raise_on_error=False)
    assert result.is_error
    assert "0.1 seconds" in result.content[0].text
    assert ended.is_set()
    assert events("tool_request_failed")[0]["status"] == "timeout"


async def test_one_call_more_than_may_run_is_refused(
    make_server: Any, connect: Any, gate: asyncio.Event
) -> None:
    server = make_server(MCP_MAX_CONCURRENCY=2)

    inside = asyncio.Semaphore(0)

    @server.tool
    async def wait() -> None:
        inside.release()
        await gate.wait()

    async with connect(server) as client:
        running = [
            asyncio.create_task(client.call_tool("wait", {})) for _ in range(2)
        ]
        for _ in running:
            await inside.acquire()
        busy = await client.call_tool(
            "echo", {"message": "x"}, raise_on_error=False
        )
        health = await client.call_tool("health_check", {})
        gate.set()
        await asyncio.gather(*running)
        after = await client.call_tool("echo", {"message": "x"})
    assert busy.is_error
    assert busy.structured_content == {"retry_after": 1}
    assert not health.is_error
    assert not after.is_error


async def test_result_that_is_too_large_is_refused(
    make_server: Any, connect: Any
) -> None:
    server = make_server(MCP_MAX_OUTPUT_SIZE=1000)
    async with connect(server) as client:
        fits = await client.call_tool("echo", {"message": "x" * 1000})
        over = await client.call_tool(
            "echo", {"message": "x" * 1001}, raise_on_error=False
        )
    assert not fits.is_error
    assert over.is_error
    assert len(over.content[0].text) < 200


@pytest.mark.parametrize(
    "made",
    [
        lambda: ToolResult(content=[], structured_content={"a": [OVER]}),
        lambda: ToolResult(content="x", structured_content={"a": OVER}),
        lambda: {"a": list(range(1000))},
        lambda: [1] * 1000,
        lambda: ResourceLink(type="resource_link", name=OVER, uri="a:b"),
        lambda: EmbeddedResource(
            type="resource",
            resource=TextResourceContents(uri="a:b", text=OVER),
        ),
        lambda: b"x" * 1001,
    ],
    ids=["data", "both", "dict", "list", "link", "resource", "bytes"],
)
async def test_all_that_a_result_holds_counts(
    make_server: Any, connect: Any, made: Callable[[], Any]
) -> None:
    server = make_server(MCP_MAX_OUTPUT_SIZE=1000)

    @server.tool
    def much() -> Any:
        return made()

    async with connect(server) as client:
        result = await client.call_tool("much", {}, raise_on_error=False)
    assert result.is_error
    assert "ask for less" in result.content[0].text
    assert "x" * 100 not in str(result)


async def test_prompt_that_is_too_large_is_refused(
    make_server: Any, connect: Any
) -> None:
    server = make_server(MCP_MAX_OUTPUT_SIZE=1000)
    server.prompt(lambda: OVER, name="much")
    async with connect(server) as client:
        with pytest.raises(Exception, match="ask for less"):
            await client.get_prompt("much")


async def test_binary_resource_counts_as_it_is_sent(
    make_server: Any, connect: Any
) -> None:
    """Base64 makes four characters of three bytes."""
    server = make_server(MCP_MAX_OUTPUT_SIZE=1000)
    server.resource("test://much")(lambda: b"x" * 900)
    async with connect(server) as client:
        with pytest.raises(Exception, match="ask for less"):
            await client.read_resource("test://much")


async def test_data_of_just_the_size_are_sent(
    make_server: Any, connect: Any
) -> None:
    """They go out as text as well, of which a model reads one."""
    server = make_server(MCP_MAX_OUTPUT_SIZE=1000)
    server.tool(lambda: {"é": "é" * 992}, name="much")
    async with connect(server) as client:
        result = await client.call_tool("much", {})
    assert len(result.content[0].text) == 1000
