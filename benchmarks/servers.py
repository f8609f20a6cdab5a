"""The servers that are compared: ours, bare FastMCP, and the SDK's own.

Run as ``python servers.py KIND PORT TOOLS``; the generated project, whose
server KIND ``secured`` is, is found through ``PYTHONPATH``. Each offers the
tool ``echo`` and as many others as it takes to have TOOLS of them.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

# Ours is imported before FastMCP, as where it is started by itself: what it
# tells FastMCP is heard then or never.
if TYPE_CHECKING:
    from fastmcp import FastMCP

SHUTDOWN = 5


async def echo(message: str) -> str:
    """Return the message as it was sent."""
    return message


def another(number: int) -> Callable[..., Any]:
    """Make one more tool, with arguments as tools have them."""

    async def tool(path: str = ".", limit: int = 10) -> str:
        """Return what it was given."""
        return f"{path} {limit}"

    tool.__name__ = f"tool_{number}"
    return tool


def plain(tools: int) -> "FastMCP[Any]":
    """Make a server with FastMCP as it comes."""
    from fastmcp import FastMCP

    server: FastMCP[Any] = FastMCP("bare")
    for function in [echo, *map(another, range(1, tools))]:
        server.tool(function)
    return server


def stdio(_: int, tools: int) -> None:
    """Serve it over stdio."""
    plain(tools).run(transport="stdio", show_banner=False)


def bare(port: int, tools: int) -> None:
    """Serve it over HTTP."""
    plain(tools).run(
        transport="http",
        port=port,
        show_banner=False,
        uvicorn_config={"log_level": "error"},
    )


def lowlevel(port: int, tools: int) -> None:
    """Serve with the SDK's low-level server: the limit of what can be had."""
    import mcp_types
    import uvicorn
    from mcp.server.lowlevel import Server

    schema = {
        "type": "object",
        "properties": {"message": {"type": "string"}},
        "required": ["message"],
    }
    names = ["echo", *(f"tool_{n}" for n in range(1, tools))]
    listed = mcp_types.ListToolsResult(
        tools=[mcp_types.Tool(name=n, input_schema=schema) for n in names]
    )

    async def list_tools(*_: Any) -> mcp_types.ListToolsResult:
        return listed

    async def call_tool(
        context: Any, params: mcp_types.CallToolRequestParams
    ) -> mcp_types.CallToolResult:
        text = (params.arguments or {})["message"]
        content = mcp_types.TextContent(type="text", text=text)
        return mcp_types.CallToolResult(content=[content])

    server = Server(
        "lowlevel", on_list_tools=list_tools, on_call_tool=call_tool
    )
    uvicorn.run(server.streamable_http_app(), port=port, log_level="error")


def secured(port: int, tools: int) -> None:
    """Serve with the generated project, every control on."""
    package = os.environ["BENCHMARK_PACKAGE"]
    environment = import_module(f"{package}.environment")
    wiring = import_module(f"{package}.server")
    serving = import_module(f"{package}.serving")
    log = import_module(f"{package}.log")
    settings = environment.load(
        {
            "WORKSPACE_PATH": tempfile.mkdtemp(),
            "MCP_TRANSPORT": "http",
            "MCP_AUTH": "none",
            "MCP_PORT": str(port),
            "MCP_METRICS_PORT": "0",
            "MCP_RATE_LIMIT": "100000000/minute",
            "MCP_WORKERS": os.environ.get("BENCHMARK_WORKERS", "1"),
            "MCP_RATE_LIMIT_STORAGE": os.environ.get(
                "BENCHMARK_STORAGE", "memory://"
            ),
        }
    )
    log.configure(settings.log_level)

    def build(given: Any, worker: int) -> Any:
        application = wiring.build(given, worker)
        for number in range(tools - 6):
            application.server.tool(another(number))
        return application

    serving.serve(build, settings)


if __name__ == "__main__":
    kinds = {
        "bare": bare,
        "lowlevel": lowlevel,
        "secured": secured,
        "stdio": stdio,
    }
    kinds[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]))
