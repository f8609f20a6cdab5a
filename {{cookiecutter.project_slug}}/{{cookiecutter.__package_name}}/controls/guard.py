"""Guard: how many calls at once, how long each, and how much it may say."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Final

from fastmcp.server.middleware import CallNext, MiddlewareContext

from ..errors import DeadlineExceeded, Refusal, ServerBusy
from .call import Call, Control
from .outcome import size_of

BUSY_RETRY_AFTER: Final = 1


class Guard(Control):
    """Keeps one call from taking what the others need (CWE-400, CWE-770).

    Args:
        most: Calls that run at once; one more is refused, not queued.
        seconds: How long a call may take.
        seconds_of: Tools with a time limit of their own.
        size: Characters that a result may hold.
        always: Tools that answer however busy the server is.
    """

    def __init__(
        self,
        *,
        most: int,
        seconds: float,
        seconds_of: Mapping[str, float],
        size: int,
        always: Collection[str],
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._seconds_of = seconds_of
        self._size = size
        self._always = frozenset(always)
        self._running = 0

    async def control(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        """Serve the call within its bounds."""
        tool = Call.current.get().tool
        if self._running >= self._most and tool not in self._always:
            raise ServerBusy(
                f"The server is busy with {self._most} calls;"
                f" try again after {BUSY_RETRY_AFTER} second.",
                reason="too_many_calls",
                retry_after=BUSY_RETRY_AFTER,
            )
        self._running += 1
        try:
            result = await self._in_time(tool, context, call_next)
        finally:
            self._running -= 1
        self._check_size(result)
        return result

    async def _in_time(
        self,
        tool: str,
        context: MiddlewareContext[Any],
        call_next: CallNext[Any, Any],
    ) -> Any:
        seconds = self._seconds_of.get(tool, self._seconds)
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                return await call_next(context)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise DeadlineExceeded(
                f"The call took longer than the {seconds:g} seconds that it"
                " may take.",
                reason="deadline",
            ) from None

    def _check_size(self, result: Any) -> None:
        size = size_of(result)
        if size > self._size:
            raise Refusal(
                f"The result has {size} characters, more than the"
                f" {self._size} that it may have; ask for less.",
                reason="result_too_large",
            )
