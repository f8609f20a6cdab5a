"""How often one client may call one tool."""

from typing import Any

import pytest
from fastmcp import Client
from mcp.shared.exceptions import MCPError

from {{ cookiecutter.__package_name }}.attempts import TOLD
from {{ cookiecutter.__package_name }}.controls.window_storage import (
    WindowStorage,
)


async def answered(client: Client[Any], calls: list[tuple[str, Any]]) -> int:
    """Return how many of the calls were not refused for the limit."""
    count = 0
    for name, arguments in calls:
        result = await client.call_tool(name, arguments, raise_on_error=False)
        count += "retry_after" not in (result.structured_content or {})
    return count


async def test_limit_lets_exactly_as_many_calls_through(
    make_server: Any, connect: Any
) -> None:
    server = make_server(MCP_RATE_LIMIT="5/minute")
    async with connect(server) as client:
        assert await answered(client, [("echo", {"message": "x"})] * 50) == 5


async def test_refusal_says_which_limit_and_when_to_try_again(
    make_server: Any, connect: Any
) -> None:
    async with connect(make_server(MCP_RATE_LIMIT="1/minute")) as client:
        await client.call_tool("echo", {"message": "x"})
        result = await client.call_tool(
            "echo", {"message": "x"}, raise_on_error=False
        )
    assert result.is_error
    seconds = result.structured_content["retry_after"]
    assert 1 <= seconds <= 60
    text = result.content[0].text
    assert "1 per 1 minute" in text
    assert f"after {seconds} seconds" in text


async def test_each_tool_has_its_own_count(
    make_server: Any, connect: Any
) -> None:
    async with connect(make_server(MCP_RATE_LIMIT="1/minute")) as client:
        calls = [("echo", {"message": "x"}), ("health_check", {})] * 5
        assert await answered(client, calls) == 2


async def test_invalid_calls_count_like_valid_ones(
    make_server: Any, connect: Any
) -> None:
    async with connect(make_server(MCP_RATE_LIMIT="5/minute")) as client:
        calls = [("echo", {"message": 1}), ("echo", {"message": "x"})] * 25
        assert await answered(client, calls) == 5


async def test_invented_tools_share_one_count(
    make_server: Any, connect: Any
) -> None:
    async with connect(make_server(MCP_RATE_LIMIT="5/minute")) as client:
        calls = [(f"tool_{n}", {}) for n in range(50)]
        assert await answered(client, calls) == 5


async def test_claimed_client_id_changes_nothing(
    make_server: Any, connect: Any
) -> None:
    async with connect(make_server(MCP_RATE_LIMIT="5/minute")) as client:
        passed = 0
        for n in range(50):
            result = await client.call_tool(
                "echo",
                {"message": "x"},
                meta={"client_id": f"client-{n}"},
                raise_on_error=False,
            )
            passed += not result.is_error
    assert passed == 5


async def test_new_connection_brings_no_new_calls(
    make_server: Any, connect: Any
) -> None:
    server = make_server(MCP_RATE_LIMIT="5/minute")
    passed = 0
    for _ in range(12):
        async with connect(server) as client:
            passed += await answered(client, [("echo", {"message": "x"})])
    assert passed == 5


async def test_resources_and_prompts_are_limited(
    make_server: Any, connect: Any, workspace: Any
) -> None:
    (workspace / "a.txt").write_text("a")
    async with connect(make_server(MCP_RATE_LIMIT="1/minute")) as client:
        await client.read_resource("workspace://a.txt")
        with pytest.raises(MCPError, match="try again after") as caught:
            await client.read_resource("workspace://a.txt")
        assert caught.value.error.data["retry_after"] >= 1
        await client.get_prompt("code_review", {"code": "x"})
        with pytest.raises(MCPError, match="try again after"):
            await client.get_prompt("code_review", {"code": "x"})


async def test_tool_can_have_a_limit_of_its_own(
    make_server: Any, connect: Any
) -> None:
    server = make_server(
        MCP_RATE_LIMIT="9/minute", MCP_TOOL_RATE_LIMITS="echo=2/minute"
    )
    async with connect(server) as client:
        assert await answered(client, [("echo", {"message": "x"})] * 9) == 2
        assert await answered(client, [("health_check", {})] * 12) == 9


async def test_limit_can_be_turned_off(make_server: Any, connect: Any) -> None:
    async with connect(make_server(MCP_RATE_LIMIT="off")) as client:
        calls = [("echo", {"message": "x"})] * 200
        assert await answered(client, calls) == 200


async def test_dead_storage_lets_nothing_through(
    make_server: Any, connect: Any, events: Any, free_port: int
) -> None:
    server = make_server(
        MCP_RATE_LIMIT_STORAGE=f"redis://127.0.0.1:{free_port}/0"
    )
    async with connect(server) as client:
        assert await answered(client, [("echo", {"message": "x"})] * 2) == 0
    assert events("rate_limit_storage_failed")[0]["calls"] == "refused"


async def test_dead_storage_lets_through_where_the_operator_says_so(
    make_server: Any, connect: Any, events: Any, free_port: int
) -> None:
    server = make_server(
        MCP_RATE_LIMIT_STORAGE=f"redis://127.0.0.1:{free_port}/0",
        MCP_RATE_LIMIT_ON_FAILURE="allow",
    )
    async with connect(server) as client:
        calls = [("echo", {"message": "x"})] * (TOLD + 2)
        assert await answered(client, calls) == TOLD + 2
    failed = events("rate_limit_storage_failed")
    assert failed[0]["calls"] == "allowed"
    assert len(failed) == TOLD


class Clock:
    """A clock that the test turns."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def hits(storage: WindowStorage, key: str, times: int) -> int:
    return sum(
        [
            await storage.acquire_sliding_window_entry(key, 10, 60)
            for _ in range(times)
        ]
    )


async def test_calls_come_back_as_the_window_slides() -> None:
    clock = Clock()
    storage = WindowStorage(clock=clock)
    assert await hits(storage, "a", 20) == 10
    clock.now += 60 + 30
    assert await hits(storage, "a", 20) == 5
    clock.now += 600
    assert await hits(storage, "a", 20) == 10


async def test_no_burst_of_double_size_at_the_edge_of_a_window() -> None:
    clock = Clock()
    storage = WindowStorage(clock=clock)
    assert await hits(storage, "a", 1) == 1
    clock.now += 59
    assert await hits(storage, "a", 20) == 9
    clock.now += 2
    assert await hits(storage, "a", 20) <= 1


async def test_storage_forgets_who_was_quiet_for_longest() -> None:
    storage = WindowStorage(keys=100)
    for n in range(1000):
        await hits(storage, f"client-{n}", 1)
        await hits(storage, "busy", 1)
    assert len(storage._windows) == 100
    assert await hits(storage, "client-0", 10) == 10
    assert await hits(storage, "busy", 10) == 0


async def test_busy_client_is_not_forgotten_among_many() -> None:
    storage = WindowStorage(keys=100)
    passed = 0
    for n in range(1000):
        passed += await hits(storage, "busy", 1)
        await hits(storage, f"client-{n}", 1)
    assert passed <= 20
