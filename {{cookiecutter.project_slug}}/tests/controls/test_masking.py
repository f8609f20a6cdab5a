"""What a caller learns when a call fails."""

from typing import Any

import pytest
from fastmcp import FastMCP
from mcp.shared.exceptions import MCPError

from {{ cookiecutter.__package_name }}.registration import RegisteredPrompt

SECRET = "canary-" + "5f2d"


async def failure(client: Any, name: str, arguments: Any) -> str:
    result = await client.call_tool(name, arguments, raise_on_error=False)
    assert result.is_error
    (part,) = result.content
    return str(part.text)


@pytest.mark.parametrize(
    "arguments",
    [{"message": [SECRET]}, {"wrong": SECRET}, {SECRET: 1}, {"message": None}],
    ids=["type", "name", "own name", "null"],
)
async def test_invalid_arguments_are_named_and_not_repeated(
    server: FastMCP[Any], connect: Any, arguments: Any
) -> None:
    async with connect(server) as client:
        text = await failure(client, "echo", arguments)
    assert text.startswith("The arguments are not valid: ")
    assert "message" in text
    assert SECRET not in text.replace(f"{SECRET}: Unexpected", "")


async def test_unexpected_error_says_nothing_of_the_inside(
    server: FastMCP[Any], connect: Any, events: Any
) -> None:
    @server.tool
    def broken() -> None:
        raise RuntimeError(f"/srv/app/{SECRET}.py")

    async with connect(server) as client:
        text = await failure(client, "broken", {})
    assert SECRET not in text
    assert "/" not in text
    assert "Traceback" not in text
    (logged,) = events("internal_error")
    assert logged["exception"] == "RuntimeError"
    assert SECRET not in str(events())


async def test_failing_control_says_nothing_of_the_inside(
    make_server: Any, connect: Any, monkeypatch: Any, events: Any
) -> None:
    from {{ cookiecutter.__package_name }}.controls.guard import Guard

    async def broken(*_: Any) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr(Guard, "control", broken)
    async with connect(make_server()) as client:
        text = await failure(client, "echo", {"message": "x"})
    assert SECRET not in text
    assert events("internal_error")[0]["exception"] == "KeyError"


async def test_unknown_tool_is_told_apart_from_nothing(
    server: FastMCP[Any], connect: Any
) -> None:
    async with connect(server) as client:
        text = await failure(client, SECRET, {})
    assert SECRET not in text


@pytest.mark.parametrize(
    "uri", ["workspace://no/such", "workspace://../../etc/passwd"]
)
async def test_missing_resource_is_invalid_params(
    server: FastMCP[Any], connect: Any, uri: str
) -> None:
    async with connect(server) as client:
        with pytest.raises(MCPError) as caught:
            await client.read_resource(uri)
    assert caught.value.error.code == -32602
    assert "/work" not in caught.value.error.message.replace(uri, "")


async def test_invalid_arguments_of_a_prompt_are_not_repeated(
    server: FastMCP[Any], connect: Any, events: Any
) -> None:
    """They are the caller's mistake, and nobody else's fault."""
    given = {"code": "x", "language": SECRET * 10}
    async with connect(server) as client:
        with pytest.raises(MCPError) as caught:
            await client.get_prompt("code_review", given)
    assert caught.value.error.message == "The arguments are not valid."
    assert events("tool_request_failed")[0]["status"] == "denied"
    assert not [e for e in events() if e["level"] == "ERROR"]


async def test_fault_of_a_prompt_is_an_error_without_its_text(
    server: FastMCP[Any], connect: Any, events: Any
) -> None:
    def broken() -> str:
        raise ValueError(SECRET)

    server.add_prompt(RegisteredPrompt.from_function(broken))
    async with connect(server) as client:
        with pytest.raises(MCPError) as caught:
            await client.get_prompt("broken")
    assert SECRET not in caught.value.error.message
    assert events("tool_request_failed")[0]["status"] == "error"
    assert events("internal_error")[0]["exception"] == "ValueError"
