"""The wiring: which tools there are, and which controls every call passes."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from fastmcp import FastMCP
from mcp.server.request_state import RequestStateSecurity

from . import log, tools
from .attempts import Throttled
from .auth import build_auth
from .catalog import Catalog
from .commands import CommandRunner
from .controls.approval import Approval
from .controls.audit import Audit
from .controls.call import Control
from .controls.guard import Guard
from .controls.masking import Masking
from .controls.metrics import Measuring, Metrics
from .controls.rate_limit import RateLimit, open_storage
from .identity import current_client_id
from .registration import (
    RegisteredPrompt,
    in_thread,
    registered,
    scoped,
    served_tools,
)
from .serving.application import Application, Observer
from .settings import Settings
from .tools import Resources, ToolSpec
from .tools.prompt import code_review
from .tools.resource import workspace_file
from .workspace import Workspace

#: Answers however busy the server is: probes depend on it.
ALWAYS_ANSWERED: Final = ("health_check",)
#: The scope that the workspace's resource asks for.
FILES: Final = "files:read"
#: What the transport tells of that is nothing to worry about.
ORDINARY: Final = frozenset(
    {
        "auth_succeeded",
        "server_started",
        "server_stopped",
        "tls_reloaded",
        "tokens_reloaded",
    }
)
#: Characters of an argument that a user is shown who is asked about a call.
SHOWN: Final = 200
#: Seconds that ending a command's processes may add to its time limit.
KILLING: Final = 5.0


def build_server(settings: Settings) -> FastMCP[Any]:
    """Return the server with all its controls on.

    Raises:
        SettingsError: A control cannot do its work as configured.
    """
    return build(settings).server


def build(settings: Settings, worker: int = 0) -> Application:
    """Return the server and what its transport has to ask of it.

    Args:
        settings: What the server was told.
        worker: The process's number, where several share the work; each
            answers for its own metrics, one port after the other.

    Raises:
        SettingsError: A control cannot do its work as configured.
    """
    specs = served_tools(settings)
    metrics = Metrics(
        [spec.name for spec in specs], server=settings.server_name
    )
    resources = _resources(settings, metrics)
    rate_limit = RateLimit(
        default=settings.rate_limit,
        per_tool=settings.tool_rate_limits,
        storage=open_storage(settings.rate_limit_storage.get_secret_value()),
        on_failure=settings.rate_limit_on_failure,
        count_failure=metrics.security.labels("rate_limit_storage_failed").inc,
    )
    commands = resources.commands
    on_event = partial(_observe, metrics, Throttled(_tell))
    server = Catalog(
        settings.server_name,
        version=_version(),
        auth=build_auth(
            settings,
            on_event,
            scopes=_scopes(specs),
            initial_scopes=_scopes(spec for spec in specs if spec.read_only),
        ),
        lifespan=partial(
            _lifespan,
            resources=resources,
            metrics=metrics,
            rate_limit=rate_limit,
            worker=worker,
        ),
        # Schemas reach clients as they were written (SEP-1613).
        dereference_schemas=False,
        mask_error_details=True,
        middleware=_controls(settings, specs, metrics, rate_limit),
        request_state_security=_sealed(settings),
        on_duplicate="error",
        strict_input_validation=True,
    )
    _register(server, specs, settings)
    tools.lend(server, resources)
    return Application(
        server=server,
        ready=rate_limit.ready,
        missing=lambda: commands.missing if commands else (),
        scopes={
            ("resources/read", ""): FILES,
            **{("tools/call", s.name): s.scope for s in specs if s.scope},
        },
        on_event=on_event,
    )


def _register(
    server: FastMCP[Any], specs: list[ToolSpec], settings: Settings
) -> None:
    for spec in specs:
        server.add_tool(registered(spec, settings))
    readers = scoped(FILES, settings)
    read = in_thread(workspace_file)
    server.resource("workspace://{path*}", auth=readers)(read)
    server.add_prompt(RegisteredPrompt.from_function(code_review))


def _controls(
    settings: Settings,
    specs: list[ToolSpec],
    metrics: Metrics,
    rate_limit: RateLimit,
) -> list[Control]:
    """Return what each call passes, outermost first."""
    return [
        Masking(),
        Audit(
            tools=[spec.name for spec in specs],
            client_id=current_client_id,
        ),
        Measuring(metrics),
        rate_limit,
        Approval(
            {spec.name: _warning(spec) for spec in specs if spec.destructive},
            settings.approval,
            rate_limit.first_use,
        ),
        Guard(
            most=settings.max_concurrency,
            seconds=settings.request_timeout,
            seconds_of={"run_command": settings.command_timeout + KILLING},
            size=settings.max_output_size,
            always=ALWAYS_ANSWERED,
        ),
    ]


def _sealed(settings: Settings) -> RequestStateSecurity | None:
    """Let all that share the key take an answer to one's question."""
    key = settings.approval_key
    return RequestStateSecurity(keys=[key.get_secret_value()]) if key else None


def _resources(settings: Settings, metrics: Metrics) -> Resources:
    workspace = Workspace.open(
        settings.workspace_path, max_file_size=settings.max_file_size
    )
    commands = settings.allowed_commands and CommandRunner.create(
        allowed=settings.allowed_commands,
        workspace=workspace,
        timeout=settings.command_timeout,
        max_output=settings.max_output_size,
        sandbox=settings.command_sandbox,
        network=settings.command_network,
    )
    return Resources(
        settings,
        workspace,
        commands or None,
        lambda status: metrics.commands.labels(status).inc(),
    )


def _observe(
    metrics: Metrics,
    tell: Observer,
    event: str,
    fields: Mapping[str, object],
) -> None:
    """Count what the transport or the proof of identity noticed, and tell."""
    tell(event, fields)
    if event.startswith("auth_"):
        metrics.auth.labels(event.removeprefix("auth_")).inc()
    if event not in ORDINARY:
        metrics.security.labels(event).inc()


def _tell(event: str, fields: Mapping[str, object]) -> None:
    level = "info" if event in ORDINARY else "warning"
    log.event(event, level=level, **fields)


def _version() -> str:
    try:
        return version(__package__)
    except PackageNotFoundError:  # run from a source tree
        return "0"


def _scopes(specs: Iterable[ToolSpec]) -> list[str]:
    return sorted({spec.scope for spec in specs if spec.scope})


def _warning(spec: ToolSpec) -> Any:
    async def warn(arguments: Mapping[str, Any]) -> str | None:
        given = (f"{k}={_short(repr(v))}" for k, v in arguments.items())
        return f"Call {spec.name} with {', '.join(given) or 'no arguments'}?"

    return spec.warn or warn


def _short(text: str) -> str:
    """Shorten one value: nothing else may be hidden behind a long one."""
    left_out = len(text) - SHOWN
    return f"{text[:SHOWN]}… ({left_out} more)" if left_out > 0 else text


@asynccontextmanager
async def _lifespan(
    server: FastMCP[Any],
    *,
    resources: Resources,
    metrics: Metrics,
    rate_limit: RateLimit,
    worker: int,
) -> AsyncIterator[None]:
    settings = resources.settings
    if settings.metrics_port:
        port = settings.metrics_port + worker
        metrics.listen(settings.metrics_host, port)
    if settings.rate_limit:
        limit = "; ".join(map(str, settings.rate_limit))
        log.event("rate_limiting_enabled", limit=limit)
    else:
        log.event("rate_limiting_disabled", level="warning")
    if not resources.workspace.writable:
        log.event("workspace_not_writable", level="warning")
    try:
        yield
    finally:
        metrics.close()
        if resources.commands:
            resources.commands.close()
        resources.workspace.close()
        await rate_limit.close()
