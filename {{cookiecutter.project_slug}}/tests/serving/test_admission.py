import asyncio
import itertools
import json
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from fastmcp import Client
from starlette.types import Receive, Scope, Send

from {{ cookiecutter.__package_name }}.serving import admission
from {{ cookiecutter.__package_name }}.serving.admission import SETTLE, Admission, Gate
from tests.conftest import MakeSettings
from tests.serving import demo
from tests.serving.harness import (
    INITIALIZE,
    JSON,
    call,
    call_headers,
    post_call,
    read_answer,
    serving,
    text_of,
    until,
)

# The first server that starts here collects what earlier tests have left:
# connections of clients whose server was killed.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)

#: Who calls in these tests, without a token.
HERE = {"client_id": "127.0.0.1", "peer": "127.0.0.1"}


async def until_sleeping(number: int) -> None:
    """Wait until so many calls are running."""
    await until(lambda: demo.sleepers == number)


async def test_call_beyond_the_number_is_told_to_come_again(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(MCP_TRANSPORT="http", MCP_MAX_CONCURRENCY=2)
    async with serving(settings) as served, served.client() as client:
        running = [
            asyncio.create_task(post_call(client, "hold")) for _ in range(2)
        ]
        await until_sleeping(2)
        refused = await post_call(client, "echo", {"message": "hello"})
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["error"]["data"] == {"retry_after": 1}
        assert served.named("request_denied")[0] == {"reason": "busy", **HERE}
        monkeypatch.setattr(demo, "held", False)
        for answer in await asyncio.gather(*running):
            assert text_of(answer) == "let go"
        again = await post_call(client, "echo", {"message": "hello"})
        assert text_of(again) == "hello"


@pytest.mark.parametrize("protocol", ["2025-11-25", "2026-07-28"])
async def test_call_that_never_ends_makes_room(
    make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
    protocol: str,
) -> None:
    """Of two requests with one id, only the second is ever answered."""
    clock = itertools.repeat(0.0)
    monkeypatch.setattr(
        admission, "time", SimpleNamespace(monotonic=lambda: next(clock))
    )
    settings = make_settings(MCP_TRANSPORT="http", MCP_MAX_CONCURRENCY=2)
    async with serving(settings) as served, served.client() as client:
        opened = await client.post("/mcp", json=INITIALIZE, headers=JSON)
        headers = {
            **call_headers("hold"),
            "mcp-protocol-version": protocol,
            "mcp-session-id": opened.headers["mcp-session-id"],
        }
        stuck = [
            asyncio.create_task(
                client.post("/mcp", json=call("hold"), headers=headers)
            )
            for _ in range(2)
        ]
        await until_sleeping(2)
        refused = await post_call(client, "echo", {"message": "hello"})
        assert refused.status_code == 503
        clock = itertools.repeat(1000.0)
        answer = await post_call(client, "echo", {"message": "hello"})
        assert text_of(answer) == "hello"
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
        monkeypatch.setattr(demo, "held", False)
        await until_sleeping(0)
        assert {"reason": "overtime", **HERE} in served.named("request_denied")


async def test_streams_do_not_take_the_place_of_calls(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(MCP_TRANSPORT="http", MCP_MAX_CONCURRENCY=1)
    async with serving(settings) as served, served.client() as client:
        opened = await client.post("/mcp", json=INITIALIZE, headers=JSON)
        session = {
            "accept": "text/event-stream",
            "mcp-session-id": opened.headers["mcp-session-id"],
        }
        async with client.stream("GET", "/mcp", headers=session) as stream:
            assert stream.status_code == 200
            answer = await post_call(client, "echo", {"message": "hello"})
            assert text_of(answer) == "hello"


async def test_call_cannot_pass_for_a_stream(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handshake era's protocol does not check ``Mcp-Method``."""
    settings = make_settings(MCP_TRANSPORT="http", MCP_MAX_CONCURRENCY=1)
    async with serving(settings) as served, served.client() as client:
        opened = await client.post("/mcp", json=INITIALIZE, headers=JSON)
        disguised = {
            **JSON,
            "mcp-session-id": opened.headers["mcp-session-id"],
            "mcp-protocol-version": "2025-11-25",
            "mcp-method": "subscriptions/listen",
        }
        task = asyncio.create_task(post_call(client, "hold"))
        await until_sleeping(1)
        refused = await client.post(
            "/mcp",
            headers=disguised,
            json={"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
        )
        assert refused.status_code == 503
        monkeypatch.setattr(demo, "held", False)
        await task


async def test_nothing_is_let_in_while_stopping(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(MCP_TRANSPORT="http")
    async with serving(settings) as served, served.client() as client:
        running = asyncio.create_task(post_call(client, "hold"))
        await until_sleeping(1)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", served.port
        )
        body = json.dumps(call("who")).encode()
        head = "POST /mcp HTTP/1.1\r\nHost: localhost\r\n" + "".join(
            f"{k}: {v}\r\n" for k, v in call_headers("who").items()
        )
        head += f"content-length: {len(body)}\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        await until(lambda: len(served.server.server_state.tasks) == 2)
        served.server.stop()
        writer.write(body)
        answer = await read_answer(reader)
        assert answer.status == 503
        assert answer.headers["connection"] == "close"
        monkeypatch.setattr(demo, "held", False)
        assert text_of(await running) == "let go"
        writer.close()


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_open_streams_do_not_hold_up_the_stop(
    make_settings: MakeSettings, transport: str
) -> None:
    path = "/mcp" if transport == "http" else "/sse"
    settings = make_settings(MCP_TRANSPORT=transport, MCP_SHUTDOWN_GRACE=50)
    now = asyncio.get_running_loop().time
    async with asyncio.timeout(None) as patience, serving(settings) as served:
        url = f"http://127.0.0.1:{served.port}{path}"
        client = Client(url, mode="legacy")
        await client.__aenter__()
        await client.call_tool("echo", {"message": "hello"})
        patience.reschedule(now() + 20)  # the stop follows
    with suppress(Exception):
        await client.close()


async def test_streams_end_after_the_last_call() -> None:
    gate = Gate(calls=2, streams=2)
    with gate.entered("call"):
        ending = asyncio.create_task(gate.end())
        await asyncio.sleep(2 * SETTLE)
        assert not gate.ended.is_set()
    await ending
    assert gate.ended.is_set()


async def test_timeout_of_the_application_is_not_taken_for_overtime() -> None:
    """Only a call that had to make room is answered as such."""

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        raise TimeoutError("its own")

    noted: list[str] = []
    door = Admission(
        slow,
        gate=Gate(calls=1, streams=1),
        on_event=lambda event, _: noted.append(event),
    )
    scope = {"type": "http", "method": "POST", "headers": []}
    with pytest.raises(TimeoutError, match="its own"):
        await door(scope, _never, _never)
    assert noted == []


async def _never(*_: object) -> Any:
    raise AssertionError("nothing is to be received or sent")
