"""A tool is found at one look, but by nobody who may not see it."""

from typing import Any

import pytest
from fastmcp import Client, Context, FastMCP
from fastmcp.exceptions import AuthorizationError, ToolError
from fastmcp.server.auth import AuthContext, require_scopes
from fastmcp.server.middleware.tool_injection import ToolInjectionMiddleware
from fastmcp.tools import Tool


def length(text: str) -> int:
    """Count the characters."""
    return len(text)


async def found(server: FastMCP[Any], name: str = "echo") -> Tool | None:
    """Look a tool up as a call does."""
    async with Context(fastmcp=server):
        return await server.get_tool(name)


async def test_tool_is_the_one_that_was_registered(
    server: FastMCP[Any],
) -> None:
    tool = await found(server)
    assert tool is await server.local_provider.get_tool("echo")
    assert await found(server, "no_such_tool") is None


async def test_disabled_tool_is_not_there(server: FastMCP[Any]) -> None:
    server.disable(names={"echo"})
    assert await found(server) is None
    server.enable(names={"echo"})
    assert await found(server) is not None


async def test_tool_that_a_session_hides_is_not_there_for_it(
    server: FastMCP[Any],
) -> None:
    async def hide(context: Context) -> None:
        await context.disable_components(names={"echo"})

    server.tool(hide)
    async with (
        Client(server, mode="legacy") as client,
        Client(server, mode="legacy") as other,
    ):
        await client.call_tool("hide")
        with pytest.raises(ToolError):
            await client.call_tool("echo", {"message": "hello"})
        await other.call_tool("echo", {"message": "hello"})


async def test_newer_tool_of_another_provider_is_the_one(
    server: FastMCP[Any],
) -> None:
    other: FastMCP[Any] = FastMCP("other")
    other.tool(length, name="echo", version="2")
    server.mount(other)
    tool = await found(server)
    assert tool is not None
    assert tool.version == "2"


async def test_injected_tool_comes_first(server: FastMCP[Any]) -> None:
    injected = Tool.from_function(length, name="echo")
    server.add_middleware(ToolInjectionMiddleware(tools=[injected]))
    assert await found(server) is injected


def forbid(_: AuthContext) -> bool:
    """Refuse as a check of the user's own may."""
    raise AuthorizationError("no")


@pytest.mark.parametrize(
    "check", [require_scopes("files:read"), forbid], ids=["scope", "own"]
)
async def test_tool_is_not_there_for_a_caller_without_its_scope(
    server: FastMCP[Any], check: Any
) -> None:
    server.tool(length, auth=check)
    assert await found(server, "length") is None


async def test_tool_is_there_for_a_caller_with_its_scope(
    server: FastMCP[Any],
) -> None:
    server.tool(length, auth=lambda _: True)
    assert await found(server, "length") is not None
