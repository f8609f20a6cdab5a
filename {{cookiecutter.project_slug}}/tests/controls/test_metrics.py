"""What operators watch."""

import asyncio
import socket
import urllib.request
from functools import partial
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolRequest, CallToolResult
from pydantic import TypeAdapter

from {{ cookiecutter.__package_name }}.controls.metrics import Metrics


class Unreadable(CallToolRequest):
    """A request that says what it likes."""

    params: Any


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


async def test_calls_are_counted_by_tool_and_status(
    metrics: list[Metrics], make_server: Any, connect: Any
) -> None:
    server = make_server(MCP_RATE_LIMIT="3/minute")
    async with connect(server) as client:
        for message in ("x", "y", 5, "z"):
            await client.call_tool(
                "echo", {"message": message}, raise_on_error=False
            )
        await client.call_tool(
            "read_file", {"path": "../x"}, raise_on_error=False
        )
    counted = {
        (tool, status): value(
            metrics[0], "mcp_requests_total", tool=tool, status=status
        )
        for tool, status in [
            ("echo", "success"),
            ("echo", "denied"),
            ("echo", "rate_limited"),
            ("read_file", "denied"),
        ]
    }
    assert list(counted.values()) == [2, 1, 1, 1]
    assert value(metrics[0], "mcp_rate_limit_exceeded_total", tool="echo") == 1
    assert (
        value(metrics[0], "mcp_security_events_total", event="path_denied")
        == 1
    )
    assert (
        value(metrics[0], "mcp_request_duration_seconds_count", tool="echo")
        == 4
    )
    assert value(metrics[0], "mcp_active_requests") == 0


async def test_invented_names_make_no_new_series(
    metrics: list[Metrics], make_server: Any, connect: Any
) -> None:
    async with connect(make_server()) as client:
        before = len(list(metrics[0].registry.collect()))
        series = sum(len(m.samples) for m in metrics[0].registry.collect())
        for n in range(20):
            await client.call_tool(f"tool_{n}", {}, raise_on_error=False)
    after = sum(len(m.samples) for m in metrics[0].registry.collect())
    assert len(list(metrics[0].registry.collect())) == before
    assert after == series
    assert (
        value(
            metrics[0], "mcp_requests_total", tool="unknown", status="denied"
        )
        == 20
    )


async def test_what_goes_wrong_within_a_tool_is_an_error(
    metrics: list[Metrics], make_server: Any, connect: Any
) -> None:
    """Pydantic refuses arguments, but a tool's own data as well."""
    server = make_server()
    spoilt = TypeAdapter(int)

    @server.tool
    async def broken() -> int:
        return spoilt.validate_python("no number")

    async with connect(server) as client:
        await client.call_tool("broken", {}, raise_on_error=False)
    counted = partial(value, metrics[0], "mcp_requests_total", tool="unknown")
    assert counted(status="error") == 1
    assert counted(status="denied") == 0


async def test_parameters_that_are_none_are_a_callers_mistake(
    metrics: list[Metrics], make_server: Any, connect: Any
) -> None:
    request = Unreadable(params={"name": ["echo"]})
    async with connect(make_server()) as client:
        with pytest.raises(MCPError):
            await client.session.send_request(request, CallToolResult)
    counted = partial(value, metrics[0], "mcp_requests_total", tool="unknown")
    assert counted(status="error") == 0
    assert counted(status="denied") == 1


async def test_state_that_was_never_given_out_is_a_callers_mistake(
    metrics: list[Metrics], make_server: Any, connect: Any, events: Any
) -> None:
    params = {"name": "echo", "arguments": {}, "requestState": "forged"}
    request = Unreadable(params=params)
    async with connect(make_server()) as client:
        with pytest.raises(MCPError):
            await client.session.send_request(request, CallToolResult)
    counted = partial(value, metrics[0], "mcp_requests_total", tool="echo")
    assert counted(status="error") == 0
    assert not events("internal_error")


async def test_metrics_are_served_from_the_start_on_their_own_port(
    make_server: Any, connect: Any, free_port: int, events: Any
) -> None:
    url = f"http://127.0.0.1:{free_port}/metrics"
    async with connect(make_server(MCP_METRICS_PORT=free_port)):
        response = await asyncio.to_thread(urllib.request.urlopen, url)
        with response:
            text = response.read().decode()
    for name in (
        "mcp_requests_total",
        "mcp_request_duration_seconds_bucket",
        "mcp_active_requests",
        "mcp_build_info",
        "process_resident_memory_bytes",
    ):
        assert f"\n{name}" in text
    assert events("metrics_server_started")[0]["port"] == free_port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", free_port), 1)


async def test_taken_port_is_said_and_costs_only_the_metrics(
    make_server: Any, connect: Any, events: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with connect(make_server(MCP_METRICS_PORT=port)) as client:
            await client.call_tool("health_check", {})
    (failed,) = events("metrics_server_failed")
    assert failed["port"] == port
