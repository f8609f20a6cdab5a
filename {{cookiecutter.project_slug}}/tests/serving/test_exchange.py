"""A call of the 2026-07-28 protocol: JSON, or events once there is one."""

import asyncio
import gc
import json
import sys
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from fastmcp import Context
from mcp.server import streamable_http_manager

from {{ cookiecutter.__package_name }}.serving import exchange
from tests.conftest import MakeSettings
from tests.serving import demo
from tests.serving.harness import (
    call,
    call_headers,
    serving,
    streamed,
    until,
)

late: list[asyncio.Task[None]] = []


@pytest.fixture(autouse=True)
def _held() -> Iterator[None]:
    """Let the calls that a test holds go, whatever becomes of it."""
    demo.held = True
    yield
    demo.held = True
    late.clear()


@asynccontextmanager
async def calling(
    make_settings: MakeSettings, tool: str
) -> AsyncIterator[httpx2.Response]:
    """Call a tool that may report its progress; yield the answer's head."""
    settings = make_settings(MCP_TRANSPORT="http", MCP_RATE_LIMIT="off")
    application = demo.build_demo(settings, lambda *_: None)
    for function in (demo.report, report_later):
        application.server.tool(function)
    body = call(tool, {"message": "hello"} if tool == "echo" else {})
    body["params"]["_meta"]["progressToken"] = "p"
    async with streamed(
        settings, application, body, call_headers(tool)
    ) as answer:
        yield answer


async def report_later(context: Context) -> str:
    """Tell of progress only when the call has been answered."""

    async def later() -> None:
        await until(lambda: not demo.held)
        await context.report_progress(1, 2)

    late.append(asyncio.create_task(later()))
    return "at once"


async def lines(answer: httpx2.Response) -> AsyncIterator[str]:
    async for line in answer.aiter_lines():
        if line:
            yield line


def message(line: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(line.removeprefix("data: "))
    return said


async def test_a_quick_answer_is_json(make_settings: MakeSettings) -> None:
    async with calling(make_settings, "echo") as answer:
        body = await answer.aread()
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(body)
    assert answer.json()["result"]["content"][0]["text"] == "hello"


async def test_progress_does_not_wait_for_the_end(
    make_settings: MakeSettings,
) -> None:
    async with calling(make_settings, "report") as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        said = lines(answer)
        assert await anext(said) == "event: message"
        first = message(await anext(said))
        assert first["method"] == "notifications/progress"
        assert first["params"]["progressToken"] == "p"
        demo.held = False
        *_, last = [line async for line in said]
    assert message(last)["result"]["content"][0]["text"] == "let go"


async def test_a_long_call_is_kept_alive(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that hears nothing must not give it up."""
    monkeypatch.setattr(exchange, "FIRST", 0.01)
    monkeypatch.setattr(exchange, "PING", 0.01)
    async with calling(make_settings, "hold") as answer:
        said = lines(answer)
        assert await anext(said) == ": ping"
        demo.held = False
        *_, last = [line async for line in said]
    assert message(last)["result"]["content"][0]["text"] == "let go"


async def test_a_call_ends_with_its_client(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody hears what it would say, and it takes others' place."""
    monkeypatch.setattr(exchange, "FIRST", 0.01)
    settings = make_settings(MCP_TRANSPORT="http")
    async with serving(settings) as served:
        async with served.client(timeout=0.2) as client:
            with pytest.raises(httpx2.ReadTimeout):
                await client.post(
                    "/mcp", json=call("hold"), headers=call_headers("hold")
                )
        await until(lambda: not demo.sleepers)
    assert demo.held


async def test_what_is_told_after_the_answer_is_dropped(
    make_settings: MakeSettings,
) -> None:
    async with calling(make_settings, "report_later") as answer:
        await answer.aread()
        demo.held = False
        await late[0]
    assert answer.json()["result"]["content"][0]["text"] == "at once"


async def test_a_call_leaves_nothing_to_the_garbage_collector(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that answers a thousand calls a second has no time for it."""
    served: list[weakref.ref[exchange.Exchange]] = []

    class Seen(exchange.Exchange):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            served.append(weakref.ref(self))

    monkeypatch.setattr(exchange, "Exchange", Seen)
    gc.disable()
    try:
        async with calling(make_settings, "echo") as answer:
            await answer.aread()
            await until(lambda: served[0]() is None)
    finally:
        gc.enable()
    assert served[0]() is None


async def test_an_sdk_of_other_names_is_served_as_it_is(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, exchange.__name__, None)
    async with calling(make_settings, "echo") as answer:
        await answer.aread()
    assert answer.json()["result"]["content"][0]["text"] == "hello"


def test_an_sdk_with_other_parameters_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "handle_modern_request"
    monkeypatch.setattr(streamable_http_manager, name, None)
    exchange.answer_calls_directly()
    assert vars(streamable_http_manager)[name]
    monkeypatch.setattr(streamable_http_manager, name, None)
    monkeypatch.setattr(exchange, "_handle", lambda app, scope, news: None)
    exchange.answer_calls_directly()
    assert not vars(streamable_http_manager)[name]
