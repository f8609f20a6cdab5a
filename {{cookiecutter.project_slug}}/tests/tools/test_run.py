"""Programs that the operator allowed, run for a model."""

from typing import Any

import pytest

from {{ cookiecutter.__package_name }}.controls.metrics import Metrics

COMMANDS = {"MCP_ALLOWED_COMMANDS": "echo,sleep,false"}


async def test_tool_is_not_there_unless_programs_are_allowed(
    make_server: Any, connect: Any
) -> None:
    async with connect(make_server()) as client:
        names = [t.name for t in await client.list_tools()]
        result = await client.call_tool(
            "run_command", {"argv": ["ls"]}, raise_on_error=False
        )
    assert "run_command" not in names
    assert result.is_error


async def test_tool_is_marked_destructive_and_open(
    make_server: Any, connect: Any
) -> None:
    async with connect(make_server(**COMMANDS)) as client:
        (tool,) = [
            t for t in await client.list_tools() if t.name == "run_command"
        ]
    assert tool.annotations.destructive_hint
    assert tool.annotations.open_world_hint
    assert not tool.annotations.read_only_hint


async def test_output_comes_back_and_arguments_stay_out_of_the_log(
    make_server: Any, connect: Any, events: Any
) -> None:
    secret = "canary-" + "91bb"
    async with connect(make_server(**COMMANDS)) as client:
        result = await client.call_tool(
            "run_command", {"argv": ["echo", secret]}
        )
    assert result.structured_content["stdout"] == f"{secret}\n"
    assert events("command_execution_started")[0]["arguments"] == 1
    assert events("command_execution_completed")[0]["exit_code"] == 0
    assert secret not in str(events())


async def test_time_limit_is_an_event_and_a_refusal(
    make_server: Any, connect: Any, events: Any
) -> None:
    server = make_server(**COMMANDS, MCP_COMMAND_TIMEOUT="0.3")
    async with connect(server) as client:
        result = await client.call_tool(
            "run_command", {"argv": ["sleep", "30"]}, raise_on_error=False
        )
    assert result.is_error
    assert len(events("command_execution_timeout")) == 1
    assert events("tool_request_failed")[0]["status"] == "timeout"


@pytest.mark.parametrize(
    ("argv", "status"),
    [
        (["echo"], "success"),
        (["false"], "error"),
        (["id"], "denied"),
    ],
)
async def test_commands_are_counted_by_how_they_ended(
    metrics: list[Metrics],
    make_server: Any,
    connect: Any,
    argv: list[str],
    status: str,
) -> None:
    async with connect(make_server(**COMMANDS)) as client:
        await client.call_tool(
            "run_command", {"argv": argv}, raise_on_error=False
        )
    counted = metrics[0].registry.get_sample_value(
        "mcp_commands_total", {"status": status}
    )
    assert counted == 1
