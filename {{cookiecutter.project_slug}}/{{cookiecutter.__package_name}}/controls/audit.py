"""Audit: who called what, when, how it ended; never with which values."""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from fastmcp.server.middleware import CallNext, MiddlewareContext

from .. import log
from ..attempts import Throttled
from ..errors import RateLimitExceeded, Refusal, ServerBusy
from .call import UNKNOWN, WORK, Call, Control, named_tool
from .outcome import outcome, size_of

#: Characters of a request's id. The caller chooses it, and no client's own is
#: longer: what is longer is meant to fill the log.
ID_SIZE: Final = 64
#: Refusals that cost so little that a caller can have a thousand a second,
#: and how many of them are told of in a minute.
UNBEGUN: Final = (RateLimitExceeded, ServerBusy)
UNBEGUN_TOLD: Final = 600


class Audit(Control):
    """Leaves a line for every call, whatever becomes of it.

    OWASP MCP08 (lack of audit and telemetry), CWE-778. It comes first, so
    that nothing is refused behind its back, and it names the call for the
    controls after it. Of the calls beyond a limit, ``UNBEGUN_TOLD`` a minute
    of each client leave one: more of them would push what the client did
    before out of the log (CWE-779).
    """

    def __init__(
        self, *, tools: Collection[str], client_id: Callable[[], str]
    ) -> None:
        self._tools = frozenset(tools)
        self._client_id = client_id
        self._tell_of_unbegun = Throttled(_warn, UNBEGUN_TOLD)

    async def control(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        """Name the call, serve it, and write down how it ended."""
        call = self._call(context)
        Call.current.set(call)
        token = log.current_call.set(
            {
                "tool": call.tool,
                "client_id": call.client_id,
                "request_id": call.request_id,
            }
        )
        log.event("tool_request_started", level="debug")
        start = time.perf_counter()
        try:
            result = await call_next(context)
        except BaseException as error:
            self._failed(error, time.perf_counter() - start)
            raise
        else:
            self._completed(result, time.perf_counter() - start)
            return result
        finally:
            log.current_call.reset(token)

    def _call(self, context: MiddlewareContext[Any]) -> Call:
        tool = WORK[context.method or ""]
        if not tool:
            named = named_tool(context.message)
            tool = named if named in self._tools else UNKNOWN
        within = context.fastmcp_context
        request = within.request_context if within else None
        return Call(
            tool=tool,
            client_id=self._client_id(),
            request_id=str(request.request_id)[:ID_SIZE] if request else None,
        )

    @staticmethod
    def _completed(result: Any, seconds: float) -> None:
        log.event(
            "tool_request_completed",
            status=outcome(result),
            duration_ms=round(seconds * 1000, 3),
            result_size=size_of(result),
        )

    def _failed(self, error: BaseException, seconds: float) -> None:
        unbegun = isinstance(error, UNBEGUN)
        tell = self._tell_of_unbegun if unbegun else _warn
        client = {"client_id": Call.current.get().client_id}
        if isinstance(error, Refusal):
            tell(error.event, {**client, **_reasons(error)})
        failed = {
            "status": outcome(error),
            "error": type(error).__name__,
            "duration_ms": round(seconds * 1000, 3),
        }
        tell("tool_request_failed", {**client, **failed})


def _warn(event: str, fields: Mapping[str, object]) -> None:
    log.event(event, level="warning", **fields)


def _reasons(refusal: Refusal) -> dict[str, object]:
    reasons: dict[str, object] = {}
    if refusal.reason:
        reasons["reason"] = refusal.reason
    if refusal.retry_after is not None:
        reasons["retry_after"] = refusal.retry_after
    return reasons
