"""Approval: the user is asked before a call that destroys something."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal

import mcp_types
from fastmcp.server.context import Context
from fastmcp.server.middleware import CallNext, MiddlewareContext
from fastmcp.tools.base import InputRequiredToolResult
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from .. import log
from ..errors import ApprovalDenied
from .call import Control

#: Says what a call is about to destroy, or None where it destroys nothing.
Warn = Callable[[Mapping[str, Any]], Awaitable[str | None]]
Policy = Literal["auto", "always", "never"]

QUESTION: Final = "approve"
#: Characters that a user can be expected to look through.
QUESTION_SIZE: Final = 10_000
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        QUESTION: {"type": "boolean", "title": "Go ahead", "default": False}
    },
    "required": [QUESTION],
}


class Approval(Control):
    """Asks the user, through the client, before a destructive call.

    The question names exactly what will happen (OWASP MCP06, intent-flow
    subversion), or the call is refused. The answer holds once, for the call
    that was asked about: a changed argument needs a new one.

    Args:
        warnings: By tool, what says whether a call destroys something.
        policy: ``auto`` asks where the client can ask, and lets the call
            through where it cannot; ``always`` refuses there; ``never`` does
            not ask.
        first_use: Tells whether a name is used for the first time, by all
            that take answers to the same questions.

    Raises:
        ApprovalDenied: The user said no, or could not be asked.
    """

    def __init__(
        self,
        warnings: Mapping[str, Warn],
        policy: Policy,
        first_use: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._warnings = warnings if policy != "never" else {}
        self._policy = policy
        self._first_use = first_use

    async def control(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        """Ask before the call, if it destroys something."""
        tool = getattr(context.message, "name", "")
        warn = self._warnings.get(tool) if _calls_tool(context) else None
        arguments = (context.message.arguments or {}) if warn else {}
        danger = await warn(arguments) if warn else None
        if danger is None:
            return await call_next(context)
        within = context.fastmcp_context
        if within is None or not _can_ask(within):
            self._cannot_ask()
        elif len(danger) > QUESTION_SIZE:
            raise ApprovalDenied(
                "This call is too long for a user to look through.",
                reason="question_too_long",
            )
        elif _is_modern(within):
            question = await self._modern(within, danger)
            if question is not None:
                return question
        else:
            await self._handshake(within, danger)
        return await call_next(context)

    def _cannot_ask(self) -> None:
        if self._policy == "always":
            raise ApprovalDenied(
                "This call needs the user's approval, and this client cannot"
                " ask for it.",
                reason="client_cannot_ask",
            )

    async def _handshake(self, within: Context, danger: str) -> None:
        """Ask by a request from the server (protocols to 2025-11-25)."""
        log.event("approval_requested")
        try:
            answer = await within.session.elicit(
                message=danger,
                requested_schema=SCHEMA,
                related_request_id=within.request_id,
            )
        except (MCPError, ValidationError) as error:
            raise ApprovalDenied(
                "The client could not ask the user about this call.",
                reason="client_failed",
            ) from error
        _require_yes(answer)

    async def _modern(
        self, within: Context, danger: str
    ) -> InputRequiredToolResult | None:
        """Ask by an interim result, or judge the answer that came with it.

        The SDK seals the state, binds it to the caller, the tool and the
        arguments, and lets it expire. What was said would be destroyed is
        bound here, and the nonce makes an answer good for one call.
        """
        digest = hashlib.sha256(danger.encode("utf-8", "surrogatepass"))
        nonce, _, asked = (within.request_state or "").partition(":")
        answers = within.input_responses or {}
        if (
            QUESTION in answers
            and asked == digest.hexdigest()
            and await self._first_use(f"approval/{nonce}")
        ):
            _require_yes(answers[QUESTION])
            return None
        log.event("approval_requested")
        return InputRequiredToolResult(
            mcp_types.InputRequiredResult(
                input_requests={QUESTION: _question(danger)},
                request_state=f"{secrets.token_hex(16)}:{digest.hexdigest()}",
            )
        )


def _calls_tool(context: MiddlewareContext[Any]) -> bool:
    return context.method == "tools/call"


def _can_ask(within: Context) -> bool:
    if within.request_context is None:
        return False
    capabilities = within.session.client_capabilities
    asks = capabilities.elicitation if capabilities else None
    # Without a mode it is a form; with an address alone it is none.
    return asks is not None and (asks.form is not None or asks.url is None)


def _is_modern(within: Context) -> bool:
    request = within.request_context
    version = request.protocol_version if request else None
    return version in MODERN_PROTOCOL_VERSIONS


def _question(danger: str) -> mcp_types.ElicitRequest:
    return mcp_types.ElicitRequest(
        params=mcp_types.ElicitRequestFormParams(
            message=danger, requested_schema=SCHEMA
        )
    )


def _require_yes(answer: Any) -> None:
    content = getattr(answer, "content", None) or {}
    if getattr(answer, "action", "") == "accept" and content.get(QUESTION):
        return
    raise ApprovalDenied(
        "The user did not approve this call.", reason="user_said_no"
    )
