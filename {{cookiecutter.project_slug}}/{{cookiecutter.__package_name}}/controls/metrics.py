"""Metrics: what operators watch, on a port of its own."""

import time
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from threading import Thread
from typing import Any, Final
from wsgiref.simple_server import WSGIServer

from fastmcp.server.middleware import CallNext, MiddlewareContext
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    start_http_server,
)

from .. import log
from ..errors import RateLimitExceeded, Refusal
from .call import UNKNOWN, WORK, Call, Control
from .outcome import OUTCOMES, outcome

#: Seconds, from a cached answer to the default time limit.
BUCKETS: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)

AUTH_OUTCOMES: Final = ("succeeded", "failed")
COMMAND_STATUSES: Final = ("success", "error", "denied", "timeout")
SECURITY_EVENTS: Final = (
    *("approval_denied", "auth_failed", "command_denied", "origin_denied"),
    *("path_denied", "rate_limit_exceeded", "request_timeout", "server_busy"),
)


class Metrics:
    """Every metric of the server, in a registry of its own.

    No label takes a value that a caller can choose, so that their number is
    bounded whatever is sent (CWE-770).
    """

    def __init__(self, tools: Iterable[str], *, server: str) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter("requests", "Calls.", "tool", "status")
        self.limited = self._counter(
            "rate_limit_exceeded", "Calls beyond the rate limit.", "tool"
        )
        self.commands = self._counter("commands", "Commands run.", "status")
        self.auth = self._counter(
            "auth_events", "Proofs of identity, by outcome.", "outcome"
        )
        self.security = self._counter(
            "security_events", "What a control refused.", "event"
        )
        self.active = Gauge(
            "mcp_active_requests",
            "Calls being served.",
            registry=self.registry,
        )
        self.duration = Histogram(
            "mcp_request_duration_seconds",
            "How long calls took.",
            ["tool"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        Info("mcp_build", "What runs.", registry=self.registry).info(
            {"server": server, **_versions()}
        )
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._know([*tools, *filter(None, WORK.values()), UNKNOWN])
        self._listener: tuple[WSGIServer, Thread] | None = None

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(
            f"mcp_{name}_total", text, labels, registry=self.registry
        )

    def _know(self, tools: list[str]) -> None:
        """Keep each tool's children at hand: looking one up costs a lock."""
        self.seconds_of = {tool: self.duration.labels(tool) for tool in tools}
        self.count_of = {
            (tool, status): self.requests.labels(tool, status)
            for tool in tools
            for status in OUTCOMES
        }
        self._count_from_zero(tools)

    def _count_from_zero(self, tools: list[str]) -> None:
        """Show each count before it rises, or an alert misses the first."""
        for tool in tools:
            self.limited.labels(tool)
        for status in COMMAND_STATUSES:
            self.commands.labels(status)
        for proof in AUTH_OUTCOMES:
            self.auth.labels(proof)
        for event in SECURITY_EVENTS:
            self.security.labels(event)

    def listen(self, host: str, port: int) -> None:
        """Answer ``/metrics`` from now on.

        A port that is taken costs the metrics, not the service: several
        servers on one desk all ask for the default one.
        """
        try:
            self._listener = start_http_server(port, host, self.registry)
        except OSError as error:
            log.event(
                "metrics_server_failed",
                level="error",
                host=host,
                port=port,
                reason=error.strerror,
            )
        else:
            log.event("metrics_server_started", host=host, port=port)

    def close(self) -> None:
        """Stop answering, and give the port back."""
        if self._listener:
            server, thread = self._listener
            self._listener = None
            server.shutdown()
            server.server_close()
            thread.join(timeout=1)


class Measuring(Control):
    """Counts and times every call, refused ones too."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def control(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        """Serve the call, count it and time it."""
        metrics, tool = self._metrics, Call.current.get().tool
        start = time.perf_counter()
        metrics.active.inc()
        ending: Any = None
        try:
            ending = await call_next(context)
        except BaseException as error:
            ending = error
            raise
        else:
            return ending
        finally:
            metrics.active.dec()
            metrics.seconds_of[tool].observe(time.perf_counter() - start)
            metrics.count_of[tool, outcome(ending)].inc()
            self._refused(tool, ending)

    def _refused(self, tool: str, ending: Any) -> None:
        if isinstance(ending, Refusal):
            self._metrics.security.labels(ending.event).inc()
        if isinstance(ending, RateLimitExceeded):
            self._metrics.limited.labels(tool).inc()


def _versions() -> dict[str, str]:
    try:
        return {"fastmcp": version("fastmcp")}
    except PackageNotFoundError:
        return {}
