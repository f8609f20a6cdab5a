"""Turns our functions into FastMCP's tools and prompts."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any, Final

from fastmcp.exceptions import PromptError, ValidationError
from fastmcp.prompts import PromptResult
from fastmcp.prompts.function_prompt import FunctionPrompt
from fastmcp.server.auth import require_scopes
from fastmcp.tools import FunctionTool
from fastmcp.tools.base import ToolResult
from mcp_types import TextContent, ToolAnnotations
from pydantic import ValidationError as PydanticError

from . import tools
from .errors import SettingsError
from .settings import Settings
from .tools import ToolSpec

#: For all tools that are plain functions.
THREADS: Final = 64
_THREADS: Final = ThreadPoolExecutor(THREADS, thread_name_prefix="tool")


def served_tools(settings: Settings) -> list[ToolSpec]:
    """Return the tools that these settings let a model see.

    Raises:
        SettingsError: Two have one name, or a limit names none of them.
    """
    specs = list(tools.discover())
    names = [spec.name for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(
                f"two tools are called {name}; give one another name"
            )
    for name in settings.tool_rate_limits:
        if name not in names:
            raise SettingsError(
                f"MCP_TOOL_RATE_LIMITS: there is no tool {name};"
                f" there are {', '.join(sorted(names))}"
            )
    return [
        spec
        for spec in specs
        if settings.allowed_commands or spec.name != "run_command"
    ]


class RegisteredTool(FunctionTool):
    """A tool whose text is its answer.

    FastMCP writes text as JSON and reads it again before it is sure of that.
    """

    def convert_result(self, raw_value: Any) -> ToolResult:
        """Return what the client is sent."""
        if isinstance(raw_value, str):
            text = TextContent(type="text", text=raw_value)
            return ToolResult(content=[text])
        return super().convert_result(raw_value)


class RegisteredPrompt(FunctionPrompt):
    """A prompt that tells a caller's mistake from a fault of its own.

    FastMCP makes one error of both, and logs it as a fault with its values.
    """

    async def render(
        self, arguments: dict[str, Any] | None = None
    ) -> PromptResult:
        """Return the prompt's text."""
        try:
            return await super().render(arguments)
        except PromptError as error:
            if not isinstance(error.__cause__, PydanticError):
                raise
            raise ValidationError(log_level=logging.DEBUG) from None


def registered(spec: ToolSpec, settings: Settings) -> FunctionTool:
    """Return the tool as FastMCP registers it.

    Results have no output schema: clients would hold refusals against it.
    """
    return RegisteredTool.from_function(
        in_thread(spec.function),
        annotations=ToolAnnotations(
            read_only_hint=spec.read_only,
            destructive_hint=spec.destructive,
            open_world_hint=spec.open_world,
        ),
        auth=scoped(spec.scope, settings),
        output_schema=None,
    )


def scoped(scope: str, settings: Settings) -> Any:
    """Hide a tool from tokens without its scope, and refuse it to them."""
    proved = settings.auth != "none" and settings.transport != "stdio"
    return require_scopes(scope) if scope and proved else None


def in_thread(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run a plain function where it cannot hold up the event loop.

    A thread cannot be stopped. When the time is up the caller is answered
    and the thread left behind; it keeps its place among the threads until it
    ends, so that their number stays bounded (CWE-770). asyncio.to_thread
    would share its few with all else, and anyio's limiter forgets who was
    left behind.
    """
    if iscoroutinefunction(function):
        return function

    @wraps(function)
    async def run(*args: Any, **kwargs: Any) -> Any:
        call = partial(copy_context().run, function, *args, **kwargs)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_THREADS, call)

    return run
