"""What somebody tries who wants more calls than the limit lets through."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from {{ cookiecutter.__package_name }}.server import build
from {{ cookiecutter.__package_name }}.tokens import create
from tests.conftest import MakeSettings
from tests.serving.harness import (
    INITIALIZE,
    JSON,
    Served,
    call,
    call_headers,
    serving,
)

CALLS, LIMIT = 50, 5
HEADER_MISMATCH, INVALID_PARAMS = -32020, -32602
HELLO = {"message": "hello"}


class Caller:
    """A client that says what it likes, of either protocol era."""

    def __init__(self, served: Served, era: str) -> None:
        self._served = served
        self._era = era
        self._ids = itertools.count(1)

    @asynccontextmanager
    async def connected(
        self, **headers: str
    ) -> AsyncIterator[Callable[..., Any]]:
        """Give a function that sends one call over one connection."""
        async with self._served.client(headers=headers) as http:
            session = await self._open(http)

            async def send(params: Any, **more: str) -> dict[str, Any]:
                message = self._message(params)
                named = str(message["params"].get("name", ""))
                headers = {**self._headers(named), **session, **more}
                return _read(
                    await http.post("/mcp", json=message, headers=headers)
                )

            yield send

    async def _open(self, http: httpx2.AsyncClient) -> dict[str, str]:
        if self._era == "2026-07-28":
            return {}
        answer = await http.post("/mcp", json=INITIALIZE, headers=JSON)
        return {"mcp-session-id": answer.headers["mcp-session-id"]}

    def _message(self, params: Mapping[str, Any]) -> dict[str, Any]:
        message = call("", request=next(self._ids))
        given = dict(params)
        meta = {**message["params"]["_meta"], **given.pop("_meta", {})}
        message["params"] = {**given, "_meta": meta}
        return message

    def _headers(self, tool: str) -> dict[str, str]:
        if self._era == "2026-07-28":
            return call_headers(tool)
        return {**JSON, "mcp-protocol-version": self._era}


def _read(answer: httpx2.Response) -> dict[str, Any]:
    """Return the JSON-RPC answer, alone or as the event of a stream."""
    text = answer.text
    if answer.headers["content-type"].startswith("text/event-stream"):
        lines = text.splitlines()
        text = next(x for x in lines if x.startswith("data: {"))[6:]
    read: dict[str, Any] = json.loads(text)
    return read


def is_answered(answer: dict[str, Any]) -> bool:
    """Tell whether a call was not refused for the limit."""
    if "error" in answer:
        return "retry_after" not in (answer["error"].get("data") or {})
    structured = answer["result"].get("structuredContent") or {}
    return "retry_after" not in structured


def echo(**meta: Any) -> dict[str, Any]:
    return {"name": "echo", "arguments": HELLO, "_meta": meta}


@pytest.fixture(params=["2026-07-28", "2025-11-25"])
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def limited(make_settings: MakeSettings, era: str) -> Callable[..., Any]:
    """Serves with the limit, and gives who calls."""

    @asynccontextmanager
    async def start(**variables: object) -> AsyncIterator[Caller]:
        settings = make_settings(
            MCP_TRANSPORT="http",
            MCP_RATE_LIMIT=f"{LIMIT}/hour",
            **variables,
        )
        async with serving(settings, build(settings)) as served:
            yield Caller(served, era)

    return start


async def test_one_client_on_one_connection(limited: Any) -> None:
    async with limited() as caller, caller.connected() as send:
        answers = [await send(echo()) for _ in range(CALLS)]
    assert sum(map(is_answered, answers)) == LIMIT


async def test_all_calls_at_once(limited: Any) -> None:
    async with limited() as caller, caller.connected() as send:
        answers = await asyncio.gather(*(send(echo()) for _ in range(CALLS)))
    assert sum(map(is_answered, answers)) == LIMIT


async def test_new_connection_for_each_call(limited: Any) -> None:
    answers = []
    async with limited() as caller:
        for _ in range(CALLS):
            async with caller.connected() as send:
                answers.append(await send(echo()))
    assert sum(map(is_answered, answers)) == LIMIT


async def test_claimed_ids(limited: Any) -> None:
    answers = []
    async with limited() as caller, caller.connected() as send:
        for number in range(CALLS):
            name = f"client-{number}"
            claims = {"client_id": name, "clientId": name, "sessionId": name}
            answers.append(await send(echo(**claims), **{"x-client": name}))
    assert sum(map(is_answered, answers)) == LIMIT


@pytest.mark.parametrize(
    ("trusted", "forged"),
    [
        ("", "203.0.113.{}"),
        ("127.0.0.1", "203.0.113.{}, 198.51.100.7"),
        ("10.0.0.0/8", "203.0.113.{}"),
    ],
    ids=["no proxy", "through a proxy", "round a proxy"],
)
async def test_forged_addresses(
    limited: Any, trusted: str, forged: str
) -> None:
    answers = []
    async with (
        limited(MCP_TRUSTED_PROXIES=trusted) as caller,
        caller.connected() as send,
    ):
        for number in range(CALLS):
            headers = {"x-forwarded-for": forged.format(number)}
            answers.append(await send(echo(), **headers))
    assert sum(map(is_answered, answers)) == LIMIT


async def test_addresses_of_one_network(limited: Any) -> None:
    """Whoever has one IPv6 address has all of its network."""
    answers = []
    async with (
        limited(MCP_TRUSTED_PROXIES="127.0.0.1") as caller,
        caller.connected() as send,
    ):
        for number in range(CALLS):
            headers = {"x-forwarded-for": f"2001:db8::{number:x}"}
            answers.append(await send(echo(), **headers))
    assert sum(map(is_answered, answers)) == LIMIT


async def test_invalid_arguments_among_valid_ones(limited: Any) -> None:
    invalid = [{"message": 1}, {}, {"other": "x"}, HELLO]
    async with limited() as caller, caller.connected() as send:
        answers = [
            await send({"name": "echo", "arguments": invalid[number % 4]})
            for number in range(CALLS)
        ]
    assert sum(map(is_answered, answers)) == LIMIT


async def test_unknown_tools(limited: Any) -> None:
    async with limited() as caller, caller.connected() as send:
        answers = [
            await send({"name": f"tool_{number}", "arguments": {}})
            for number in range(CALLS)
        ]
        assert sum(map(is_answered, answers)) == LIMIT
        assert is_answered(await send(echo()))


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"name": ["echo"]},
        {"name": 7, "arguments": HELLO},
        {"name": "echo", "arguments": "hello"},
        {"name": "echo", "arguments": HELLO, "inputResponses": 12345},
    ],
    ids=["empty", "list", "number", "no object", "answers"],
)
async def test_requests_that_cannot_be_read(
    limited: Any, params: dict[str, Any], events: Any
) -> None:
    async with limited() as caller, caller.connected() as send:
        answers = [await send(params) for _ in range(CALLS)]
    codes = [a["error"]["code"] for a in answers if is_answered(a)]
    # What does not fit its headers is refused before it is a call.
    if set(codes) != {HEADER_MISMATCH}:
        assert codes == [INVALID_PARAMS] * LIMIT
    assert events("internal_error") == []


async def test_two_clients_at_once(limited: Any, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    tokens = [create(file, name, []) for name in ("one", "other")]

    async def calls(caller: Caller, token: str) -> int:
        async with caller.connected(authorization=f"Bearer {token}") as send:
            answers = [await send(echo()) for _ in range(CALLS)]
        return sum(map(is_answered, answers))

    async with limited(MCP_AUTH="bearer", MCP_AUTH_TOKENS_FILE=file) as caller:
        found = await asyncio.gather(*(calls(caller, t) for t in tokens))
    assert found == [LIMIT, LIMIT]


async def test_one_client_with_two_tokens(
    limited: Any, tmp_path: Path
) -> None:
    file = tmp_path / "tokens"
    tokens = [create(file, "laptop", [], add=True) for _ in range(2)]
    answers = []
    async with limited(MCP_AUTH="bearer", MCP_AUTH_TOKENS_FILE=file) as caller:
        for token in tokens:
            async with caller.connected(
                authorization=f"Bearer {token}"
            ) as send:
                answers += [await send(echo()) for _ in range(CALLS)]
    assert sum(map(is_answered, answers)) == LIMIT
