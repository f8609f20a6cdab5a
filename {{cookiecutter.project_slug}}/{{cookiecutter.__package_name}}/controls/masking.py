"""Masking: what a caller learns when a call fails."""

from collections.abc import Mapping
from typing import Any, Final

from fastmcp.exceptions import (
    FastMCPError,
    NotFoundError,
    PromptError,
    ValidationError,
)
from fastmcp.server.middleware import CallNext, MiddlewareContext
from fastmcp.tools.base import ToolResult
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams
from pydantic import ValidationError as PydanticError
from pydantic_core import ErrorDetails

from .. import log
from .call import Control

#: JSON-RPC's range for a server's own errors: a limit reached.
LIMIT_REACHED: Final = -32000
PROBLEMS_NAMED: Final = 5
UNREADABLE: Final = "The request's parameters are not valid."


class Masking(Control):
    """Answers each failure with one sentence that gives nothing away.

    No stack, no absolute path, no value that was sent and no library's text
    reaches the caller (CWE-209). FastMCP's own ``mask_error_details`` repeats
    the arguments that failed validation; this does not.
    """

    async def control(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        """Serve the call, and say no more of a failure than fits."""
        try:
            return await call_next(context)
        except MCPError:
            raise
        except Exception as error:
            if _unreadable(context, error):
                raise MCPError(INVALID_PARAMS, UNREADABLE) from None
            if not isinstance(error, FastMCPError | NotFoundError):
                log.failure(error)
            if isinstance(context.message, CallToolRequestParams):
                return _tool_failure(error)
            raise _protocol_error(error) from None


def _unreadable(context: MiddlewareContext[Any], error: Exception) -> bool:
    """Tell whether MCP could not read what was sent: there is no call yet."""
    raw = isinstance(context.message, Mapping)
    return raw and isinstance(error, PydanticError)


def _tool_failure(error: Exception) -> ToolResult:
    retry_after = getattr(error, "retry_after", None)
    return ToolResult(
        content=_sentence(error),
        structured_content=(
            None if retry_after is None else {"retry_after": retry_after}
        ),
        is_error=True,
    )


def _protocol_error(error: Exception) -> MCPError:
    """Only a tool's call has error results; others have protocol errors."""
    retry_after = getattr(error, "retry_after", None)
    limited = retry_after is not None
    return MCPError(
        code=LIMIT_REACHED if limited else INVALID_PARAMS,
        message=_sentence(error),
        data={"retry_after": retry_after} if limited else None,
    )


def _sentence(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return _invalid(error.__cause__)
    if isinstance(error, PromptError) and isinstance(
        error.__cause__, ValueError | TypeError
    ):
        # FastMCP repeats the value, the type and what pydantic says of them.
        return "The arguments do not fit the prompt."
    if isinstance(error, NotFoundError):
        return "There is nothing by that name here; list what there is."
    if isinstance(error, FastMCPError):
        return str(error)
    return "The server failed to answer this call; its log says why."


def _invalid(cause: BaseException | None) -> str:
    """Name the arguments that were refused and why, without their values."""
    if not isinstance(cause, PydanticError):
        return "The arguments are not valid."
    problems = cause.errors(include_url=False, include_input=False)
    named = "; ".join(map(_problem, problems[:PROBLEMS_NAMED]))
    return f"The arguments are not valid: {named}."


def _problem(error: ErrorDetails) -> str:
    place = ".".join(str(part)[:40] for part in error["loc"][:3])
    return f"{place}: {error['msg'][:100]}"
