"""Who called what, when, how it ended; never with which values."""

from typing import Any

import pytest

from {{ cookiecutter.__package_name }}.attempts import TOLD
from {{ cookiecutter.__package_name }}.controls import audit
from {{ cookiecutter.__package_name }}.controls.audit import ID_SIZE
from {{ cookiecutter.__package_name }}.controls.metrics import Metrics
from {{ cookiecutter.__package_name }}.server import build
from {{ cookiecutter.__package_name }}.workspace import Workspace
from tests.conftest import MakeSettings
from tests.serving.harness import call, call_headers, serving

SECRET = "canary-" + "77aa"


async def test_call_leaves_its_line(
    make_server: Any, connect: Any, events: Any
) -> None:
    async with connect(make_server()) as client:
        await client.call_tool("echo", {"message": "four"})
    (started,) = events("tool_request_started")
    (completed,) = events("tool_request_completed")
    assert started["level"] == "DEBUG"
    assert completed["tool"] == "echo"
    assert completed["client_id"] == "stdio"
    assert completed["request_id"] == started["request_id"] is not None
    assert completed["status"] == "success"
    assert completed["result_size"] == 4
    assert completed["duration_ms"] > 0


@pytest.mark.parametrize(
    ("name", "arguments", "status"),
    [
        ("echo", {"message": 5}, "denied"),
        ("invented", {}, "denied"),
        ("read_file", {"path": "../x"}, "denied"),
    ],
)
async def test_failure_leaves_its_line(
    make_server: Any,
    connect: Any,
    events: Any,
    name: str,
    arguments: Any,
    status: str,
) -> None:
    async with connect(make_server()) as client:
        await client.call_tool(name, arguments, raise_on_error=False)
    (failed,) = events("tool_request_failed")
    assert failed["level"] == "WARNING"
    assert failed["status"] == status


async def test_denied_path_is_an_event_with_its_reason(
    make_server: Any, connect: Any, events: Any
) -> None:
    async with connect(make_server()) as client:
        await client.call_tool(
            "read_file", {"path": "../x"}, raise_on_error=False
        )
    (denied,) = events("path_denied")
    assert denied["tool"] == "read_file"
    assert denied["reason"]


async def test_invented_name_does_not_reach_the_log(
    make_server: Any, connect: Any, events: Any
) -> None:
    async with connect(make_server()) as client:
        await client.call_tool(SECRET, {}, raise_on_error=False)
    assert events("tool_request_failed")[0]["tool"] == "unknown"
    assert SECRET not in str(events())


async def test_argument_values_never_reach_the_log(
    make_server: Any, connect: Any, events: Any, workspace: Any
) -> None:
    (workspace / "a").write_text(SECRET)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("echo", {"message": SECRET}),
        ("echo", {"message": [SECRET]}),
        ("echo", {SECRET: SECRET}),
        ("read_file", {"path": "a"}),
        ("read_file", {"path": SECRET}),
        ("read_file", {"path": f"../{SECRET}"}),
        ("write_file", {"path": "b", "content": SECRET}),
        ("search_files", {"pattern": SECRET}),
    ]
    async with connect(make_server()) as client:
        for name, arguments in calls:
            await client.call_tool(name, arguments, raise_on_error=False)
        await client.get_prompt("code_review", {"code": SECRET})
    assert len(events("tool_request_started")) == len(calls) + 1
    assert SECRET not in str(events())


async def test_resource_and_prompt_leave_their_lines(
    make_server: Any, connect: Any, events: Any, workspace: Any
) -> None:
    (workspace / "a").write_text("text")
    async with connect(make_server()) as client:
        await client.read_resource("workspace://a")
        await client.get_prompt("code_review", {"code": "x"})
    tools = [e["tool"] for e in events("tool_request_completed")]
    assert tools == ["resources/read", "prompts/get"]


@pytest.mark.parametrize(
    ("limit", "event"),
    [("off", "rate_limiting_disabled"), ("5/hour", "rate_limiting_enabled")],
)
async def test_log_says_whether_calls_are_limited(
    make_server: Any, connect: Any, events: Any, limit: str, event: str
) -> None:
    async with connect(make_server(MCP_RATE_LIMIT=limit)):
        pass
    assert [e["event"] for e in events()] == [event]


async def test_log_says_that_nothing_can_be_written(
    make_server: Any,
    connect: Any,
    events: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Workspace, "writable", False)
    async with connect(make_server()):
        pass
    (event,) = events("workspace_not_writable")
    assert event["level"] == "WARNING"


async def test_id_that_the_caller_chose_does_not_fill_the_log(
    make_settings: MakeSettings, events: Any
) -> None:
    settings = make_settings(MCP_TRANSPORT="http")
    message = {**call("echo", {"message": "x"}), "id": "i" * 100_000}
    async with (
        serving(settings, build(settings)) as served,
        served.client() as http,
    ):
        headers = call_headers("echo")
        answer = await http.post("/mcp", json=message, headers=headers)
    assert answer.json()["id"] == message["id"]
    (completed,) = events("tool_request_completed")
    assert completed["request_id"] == "i" * ID_SIZE


async def test_calls_beyond_the_limit_do_not_fill_the_log(
    make_server: Any,
    connect: Any,
    events: Any,
    metrics: list[Metrics],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is counted; so many of a client's in a minute are told of."""
    monkeypatch.setattr(audit, "UNBEGUN_TOLD", TOLD)
    async with connect(make_server(MCP_RATE_LIMIT="1/hour")) as client:
        for _ in range(TOLD + 10):
            await client.call_tool(
                "echo", {"message": "x"}, raise_on_error=False
            )
    assert len(events("rate_limit_exceeded")) == TOLD
    assert len(events("tool_request_failed")) == TOLD
    assert events("rate_limit_exceeded")[0]["client_id"] == "stdio"
    refused = {"tool": "echo", "status": "rate_limited"}
    counted = metrics[0].registry.get_sample_value(
        "mcp_requests_total", refused
    )
    assert counted == TOLD + 9


async def test_fifty_calls_of_which_five_are_allowed_leave_fifty_lines(
    make_server: Any, connect: Any, events: Any
) -> None:
    async with connect(make_server(MCP_RATE_LIMIT="5/hour")) as client:
        for _ in range(50):
            await client.call_tool(
                "echo", {"message": "x"}, raise_on_error=False
            )
    assert len(events("tool_request_completed")) == 5
    assert len(events("rate_limit_exceeded")) == 45
    assert len(events("tool_request_failed")) == 45


async def test_every_call_that_is_begun_leaves_its_line(
    make_server: Any, connect: Any, events: Any
) -> None:
    async with connect(make_server()) as client:
        for _ in range(TOLD + 10):
            await client.call_tool(
                "read_file", {"path": "../x"}, raise_on_error=False
            )
    assert len(events("path_denied")) == TOLD + 10
    assert len(events("tool_request_failed")) == TOLD + 10
