import asyncio
import signal
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from fastmcp import Client

from tests.serving.harness import client, post_call, text_of
from tests.serving.processes import process

BOTH = pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"]
)


def http(port: int) -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=200)
    return client(base_url=f"http://127.0.0.1:{port}", limits=limits)


@BOTH
async def test_calls_in_flight_are_all_answered(
    tmp_path: Path, number: signal.Signals
) -> None:
    variables = {"MCP_MAX_CONCURRENCY": 100, "MCP_SHUTDOWN_GRACE": 20}
    with process(tmp_path, **variables) as running:
        async with http(running.port) as caller:
            calls = [
                asyncio.create_task(post_call(caller, "sleep", {"seconds": 3}))
                for _ in range(100)
            ]
            await asyncio.to_thread(running.wait_for, "sleeping", 100)
            running.signal(number)
            answers = await asyncio.gather(*calls)
        assert [text_of(answer) for answer in answers] == ["slept"] * 100
        assert await asyncio.to_thread(running.wait) == 0
        assert running.events("cleaned_up")
        assert running.events("server_stopped")


@pytest.mark.parametrize(
    ("transport", "path"), [("http", "/mcp"), ("sse", "/sse")]
)
async def test_calls_of_the_handshake_era_are_answered(
    tmp_path: Path, transport: str, path: str
) -> None:
    with process(tmp_path, MCP_TRANSPORT=transport) as running:
        url = f"http://127.0.0.1:{running.port}{path}"
        caller = Client(url, mode="legacy")
        await caller.__aenter__()
        # It lists the tools after its first call.
        await caller.call_tool("sleep", {"seconds": 0})
        call = asyncio.create_task(caller.call_tool("sleep", {"seconds": 2}))
        await asyncio.to_thread(running.wait_for, "sleeping", 2)
        running.signal(signal.SIGTERM)
        assert (await call).data == "slept"
        assert await asyncio.to_thread(running.wait) == 0
        assert running.events("cleaned_up")
        with suppress(Exception):
            await caller.close()


async def test_no_more_calls_are_let_in(tmp_path: Path) -> None:
    with process(tmp_path) as running:
        async with http(running.port) as caller:
            call = asyncio.create_task(
                post_call(caller, "sleep", {"seconds": 5})
            )
            await asyncio.to_thread(running.wait_for, "sleeping")
            running.signal(signal.SIGTERM)
            with pytest.raises(httpx2.TransportError):
                await knock(caller, while_runs=call)
            assert text_of(await call) == "slept"


async def knock(
    caller: httpx2.AsyncClient, *, while_runs: "asyncio.Task[httpx2.Response]"
) -> None:
    """Call again and again, for as long as another call runs."""
    while not while_runs.done():
        await post_call(caller, "who")


@pytest.mark.parametrize("tool", ["sleep", "block"])
async def test_call_that_outlasts_the_grace_is_cut_off(
    tmp_path: Path, tool: str
) -> None:
    with process(tmp_path, MCP_SHUTDOWN_GRACE=1) as running:
        async with http(running.port) as caller:
            call = asyncio.create_task(
                post_call(caller, tool, {"seconds": 30})
            )
            await asyncio.to_thread(
                running.wait_for,
                {"sleep": "sleeping", "block": "blocking"}[tool],
            )
            code = await asyncio.to_thread(running.end, signal.SIGTERM)
            assert code == 0
            assert running.events("cleaned_up")
            (cut_off,) = await asyncio.gather(call, return_exceptions=True)
            assert isinstance(cut_off, Exception) or cut_off.is_error


async def test_slow_client_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    with process(tmp_path, MCP_SHUTDOWN_GRACE=50) as running:
        _, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET /health HT")
        await writer.drain()
        code = await asyncio.to_thread(running.end, signal.SIGTERM)
        assert code == 0
        writer.close()
