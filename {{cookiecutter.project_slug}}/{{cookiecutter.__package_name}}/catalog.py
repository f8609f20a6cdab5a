"""The server's catalogue: finds the tool that a call names, at one look."""

from typing import Any

from fastmcp import FastMCP
from fastmcp.exceptions import AuthorizationError
from fastmcp.server.auth import AuthContext, run_auth_checks
from fastmcp.server.dependencies import get_access_token
from fastmcp.server.middleware.tool_injection import ToolInjectionMiddleware
from fastmcp.server.transforms.visibility import (
    apply_session_transforms,
    is_enabled,
)
from fastmcp.tools import Tool
from fastmcp.utilities.versions import VersionSpec


class Catalog(FastMCP[Any]):
    """FastMCP, which asks nobody for a tool that can only be its own.

    FastMCP asks each provider in a task of its own, which takes a fifth of a
    call. Where there is none but the server itself, and nothing that renames
    or hides, the tool is at hand. Everything else, and whatever is not to be
    shown to this caller, is FastMCP's to decide.
    """

    async def get_tool(
        self, name: str, version: VersionSpec | None = None
    ) -> Tool | None:
        """Return the tool, if there is one that this caller may see."""
        if version is None and self._is_plain():
            tool = await self.local_provider.get_tool(name)
            if tool and await _is_shown(tool) and await _is_allowed(tool):
                return tool
        return await super().get_tool(name, version)

    def _is_plain(self) -> bool:
        return (
            self.providers == [self.local_provider]
            and not self.transforms
            and not any(
                isinstance(each, ToolInjectionMiddleware)
                for each in self.middleware
            )
        )


async def _is_shown(tool: Tool) -> bool:
    """Tell whether no session has hidden the tool, or changed it."""
    (shown,) = await apply_session_transforms([tool])
    return shown is tool and is_enabled(tool)


async def _is_allowed(tool: Tool) -> bool:
    """Tell whether the caller's token has what the tool asks for."""
    if tool.auth is None:
        return True
    context = AuthContext(token=get_access_token(), component=tool)
    try:
        return await run_auth_checks(tool.auth, context)
    except AuthorizationError:
        return False
