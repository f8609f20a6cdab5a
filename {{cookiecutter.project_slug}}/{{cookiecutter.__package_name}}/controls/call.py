"""The call that the controls are about to judge, and what they build on."""

from abc import abstractmethod
from collections.abc import Coroutine, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext

#: What a client can ask to have done, and the name that stands for it where
#: a tool's name would stand.
WORK: Final[Mapping[str, str]] = {
    "tools/call": "",
    "resources/read": "resources/read",
    "prompts/get": "prompts/get",
}
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Call:
    """One piece of work that a client asked for.

    Attributes:
        tool: The registered tool's name, ``resources/read``, ``prompts/get``
            or ``unknown``: never a name that only the caller made up, so that
            logs, limits and metrics have a bounded number of them.
        client_id: Who asks, as :mod:`identity` decided it.
        request_id: The request's id on its connection, to find it in the log.
    """

    tool: str
    client_id: str
    request_id: str | None

    current: ClassVar[ContextVar["Call"]] = ContextVar("call")


def named_tool(message: Any) -> str:
    """Return the tool that a request calls.

    A request whose parameters MCP cannot read passes the controls as they
    came, and could hold anything where the name should stand.
    """
    if isinstance(message, Mapping):
        name = message.get("name")
    else:
        name = getattr(message, "name", None)
    return name if isinstance(name, str) else UNKNOWN


class Control(Middleware):
    """A FastMCP middleware that judges work, and lets the rest pass.

    Listing and connecting are no work: the 2026-07-28 protocol lists the
    tools inside every call, and a control that charged for it would charge
    twice.
    """

    def __call__(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Coroutine[Any, Any, Any]:
        """Judge work; let everything else pass."""
        judge = self.control if context.method in WORK else _pass
        return judge(context, call_next)

    @abstractmethod
    async def control(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        """Serve one call by ``call_next``, or raise a ``Refusal``."""


async def _pass(
    context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
) -> Any:
    return await call_next(context)
