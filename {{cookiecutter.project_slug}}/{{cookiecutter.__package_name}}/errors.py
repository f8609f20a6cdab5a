"""The errors whose text a person or a model reads."""

import logging
from typing import ClassVar

from fastmcp.exceptions import FastMCPError

from .settings_error import SettingsError

__all__ = [
    "ApprovalDenied",
    "CommandDenied",
    "DeadlineExceeded",
    "PathDenied",
    "RateLimitExceeded",
    "Refusal",
    "ServerBusy",
    "SettingsError",
]


class Refusal(FastMCPError):
    """A call that a control refused, in one sentence fit for the caller.

    The sentence holds no absolute path and nothing of the server's inside:
    FastMCP passes it on as it is (MCP specification, tools: error handling).

    Attributes:
        status: The label that the refusal counts under in
            ``mcp_requests_total``.
        event: The name under which the audit log records it.
        reason: A fixed word for logs and metrics, never the caller's text.
        retry_after: Seconds after which the same call may succeed, if any.
    """

    status: ClassVar[str] = "denied"
    event: ClassVar[str] = "request_denied"

    def __init__(
        self,
        sentence: str,
        *,
        reason: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(sentence, log_level=logging.DEBUG)
        self.reason = reason
        self.retry_after = retry_after


class PathDenied(Refusal):
    """A path that does not stay in the workspace (CWE-22, CWE-59)."""

    event = "path_denied"


class CommandDenied(Refusal):
    """A command that may not run (CWE-78, OWASP MCP05)."""

    event = "command_denied"


class ApprovalDenied(Refusal):
    """A destructive call that the user did not approve."""

    event = "approval_denied"


class RateLimitExceeded(Refusal):
    """A caller that has used up its share (CWE-770)."""

    status = "rate_limited"
    event = "rate_limit_exceeded"


class DeadlineExceeded(Refusal):
    """A call that took longer than it may (CWE-400)."""

    status = "timeout"
    event = "request_timeout"


class ServerBusy(Refusal):
    """A call beyond the number that may run at once (CWE-770)."""

    event = "server_busy"
