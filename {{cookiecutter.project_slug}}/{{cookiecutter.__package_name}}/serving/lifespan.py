"""What is set while the application starts, and has no setting of its own."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastmcp import FastMCP
from starlette.applications import Starlette

from ..settings import Settings

#: Sessions of clients that may be open at once.
SESSIONS: Final = 1_000


def extend_lifespan(
    app: Starlette, server: FastMCP[Any], settings: Settings
) -> None:
    """Set, once FastMCP has made its session manager, what it cannot be told.

    The memory that is in use then is in use for good: the garbage collector
    need not look through it again, nor as often as it is used to.
    """
    original = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(starlette: Starlette) -> AsyncIterator[Any]:
        async with original(starlette) as state:
            _bound_sessions(app, settings)
            await _tell_schemas(server)
            gc.collect()
            gc.freeze()
            gc.set_threshold(10_000, 50, 50)
            yield state

    app.router.lifespan_context = lifespan


def _bound_sessions(app: Starlette, settings: Settings) -> None:
    if settings.transport == "sse":
        return
    routes: Any = app.routes
    endpoint = next(r for r in routes if r.path == settings.endpoint).endpoint
    manager = getattr(endpoint, "app", endpoint).session_manager
    manager.max_sessions = SESSIONS
    if hasattr(manager.asgi_app, "app"):
        # It would read each body again, which BodyLimit keeps to its bound.
        manager.asgi_app = manager.asgi_app.app


async def _tell_schemas(server: FastMCP[Any]) -> None:
    """Tell the SDK each tool's schema, which it checks headers against.

    It would list all tools for it, through every middleware, on every call
    of the 2026-07-28 protocol. Tools that come later are checked without.
    """
    tools = await server.local_provider.list_tools()
    schemas = {tool.name: tool.parameters for tool in tools}
    server._mcp_server.get_tool_input_schema = schemas.get
