"""How a call ended: the one word for it, and the size of the answer."""

import asyncio
from typing import Any, Final

from ..errors import Refusal

OUTCOMES: Final = ("success", "error", "denied", "rate_limited", "timeout")


def outcome(ending: Any) -> str:
    """Return the status of a call from its result, or from its exception."""
    if isinstance(ending, Refusal):
        return ending.status
    if isinstance(ending, asyncio.CancelledError | TimeoutError):
        return "timeout"
    if isinstance(ending, BaseException) or getattr(ending, "is_error", False):
        return "error"
    return "success"


def size_of(result: Any) -> int:
    """Return the characters of text and Base64 that a result holds."""
    parts = getattr(result, "content", None)
    parts = parts or getattr(result, "contents", None)
    return sum(_size(part) for part in parts or ())


def _size(part: Any) -> int:
    """Return the size of one part: text first, for most of them are text.

    To ask a model for what it does not have takes longer than all the rest.
    """
    for name in ("text", "data", "blob", "content"):
        value = getattr(part, name, None)
        if isinstance(value, str | bytes):
            return len(value)
    embedded = getattr(part, "resource", None)
    return _size(embedded) if embedded else 0
