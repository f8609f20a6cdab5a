"""How a call ended: the one word for it, and the size of the answer."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from fastmcp.exceptions import (
    AuthorizationError,
    NotFoundError,
    ValidationError,
)
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND
from pydantic import ValidationError as PydanticError
from pydantic_core import to_json

from ..errors import Refusal

OUTCOMES: Final = ("success", "error", "denied", "rate_limited", "timeout")
#: What a caller asked wrongly: a name that nothing has, arguments that do not
#: fit, parameters that are none. Counted as an error, one caller's typing
#: could wake whoever answers for the server. What goes wrong within a tool
#: never ends so: FastMCP makes a ToolError of it.
MISTAKES: Final = (
    AuthorizationError,
    NotFoundError,
    PydanticError,
    ValidationError,
)
#: JSON-RPC's words for the same.
MISTAKEN: Final = frozenset(
    {INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND}
)


def outcome(ending: Any) -> str:
    """Return the status of a call from its result, or from its exception."""
    if isinstance(ending, Refusal):
        return ending.status
    if isinstance(ending, asyncio.CancelledError | TimeoutError):
        return "timeout"
    if isinstance(ending, MISTAKES) or _is_answer(ending):
        return "denied"
    if isinstance(ending, BaseException) or getattr(ending, "is_error", False):
        return "error"
    return "success"


def _is_answer(ending: Any) -> bool:
    """Tell whether MCP itself found fault with what was asked."""
    return isinstance(ending, MCPError) and ending.error.code in MISTAKEN


def size_of(result: Any) -> int:
    """Return the characters that a result holds, as a model reads it.

    Data go out twice, as such and as text for older clients (MCP
    specification, tools: structured content). A model is shown one of them:
    the longer counts.
    """
    shown = sum(map(_size, _parts(result)))
    data = getattr(result, "structured_content", None)
    return max(shown, _size_of_data(data)) if data else shown


def _parts(result: Any) -> Iterable[Any]:
    for name in ("content", "contents", "messages"):
        if parts := getattr(result, name, None):
            return cast(Iterable[Any], parts)
    return ()


def _size(part: Any) -> int:
    """Return the size of one part: text first, for most of them are text.

    To ask a model for what it does not have takes longer than all the rest.
    """
    for name in ("text", "data", "blob", "content"):
        value = getattr(part, name, None)
        if isinstance(value, str):
            return len(value)
        if isinstance(value, bytes):
            return (len(value) + 2) // 3 * 4  # as Base64
    inner = getattr(part, "resource", None) or getattr(part, "content", None)
    return _size(inner) if inner else _length(part)


def _size_of_data(data: Mapping[str, Any]) -> int:
    """Return the size of data; a text that is wrapped is as long as it is."""
    if len(data) == 1:
        (only,) = data.values()
        if isinstance(only, str):
            return len(only)
    return _length(data)


def _length(value: Any) -> int:
    return len(to_json(value, exclude_none=True, fallback=str).decode())
