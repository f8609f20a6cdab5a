"""An answer that is complete at once is sent whole, any other streamed."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from fastmcp import Client

from {{ cookiecutter.__package_name }}.serving import event_stream
from tests.conftest import MakeSettings
from tests.serving import demo
from tests.serving.harness import JSON, serving, streamed

PROTOCOL = {"mcp-protocol-version": "2025-11-25"}


@pytest.fixture
def _held() -> Iterator[None]:
    """Let the calls that a test holds go, whatever becomes of it."""
    demo.held = True
    yield
    demo.held = True


@asynccontextmanager
async def streaming(
    make_settings: MakeSettings, tool: str
) -> AsyncIterator[httpx2.Response]:
    """Call a tool in the handshake era, without a session; yield the head."""
    settings = make_settings(
        MCP_TRANSPORT="http", MCP_WORKERS=2, MCP_RATE_LIMIT="off"
    )
    application = demo.build_demo(settings, lambda *_: None)
    application.server.tool(demo.report)
    arguments = {"message": "hello"} if tool == "echo" else {}
    call = {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {
            "name": tool,
            "arguments": arguments,
            "_meta": {"progressToken": "p"},
        },
    }
    async with streamed(
        settings, application, call, {**JSON, **PROTOCOL}
    ) as answer:
        yield answer


async def messages(answer: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in answer.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


async def test_a_quick_answer_is_sent_whole(
    make_settings: MakeSettings,
) -> None:
    async with streaming(make_settings, "echo") as answer:
        body = await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert int(answer.headers["content-length"]) == len(body)
        (said,) = [message async for message in messages(answer)]
    assert said["id"] == 7
    assert said["result"]["content"][0]["text"] == "hello"


@pytest.mark.usefixtures("_held")
async def test_progress_does_not_wait_for_the_end(
    make_settings: MakeSettings,
) -> None:
    async with streaming(make_settings, "report") as answer:
        assert "content-length" not in answer.headers
        said = messages(answer)
        first = await anext(said)
        assert first["method"] == "notifications/progress"
        demo.held = False
        *_, last = [message async for message in said]
    assert last["result"]["content"][0]["text"] == "let go"


@pytest.mark.usefixtures("_held")
async def test_a_long_call_is_answered_while_it_runs(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that waits for the first byte must not give it up."""
    monkeypatch.setattr(event_stream, "FIRST", 0.01)
    async with streaming(make_settings, "hold") as answer:
        assert answer.status_code == 200
        assert demo.sleepers == 1
        demo.held = False
        (said,) = [message async for message in messages(answer)]
    assert said["result"]["content"][0]["text"] == "let go"


@pytest.mark.usefixtures("_held")
async def test_a_client_that_leaves_harms_nobody(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(MCP_TRANSPORT="http")
    async with serving(settings) as served:
        url = f"http://127.0.0.1:{served.port}/mcp"
        async with Client(url, mode="legacy") as client:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.call_tool("hold", {}), 0.2)
            demo.held = False
            result = await client.call_tool("echo", {"message": "hello"})
            assert result.data == "hello"
