"""Programs that the operator allowed, run in a sandbox."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from .. import log
from ..commands import CommandResult
from ..errors import CommandDenied, Refusal
from . import resources, tool

Argument = Annotated[str, Field(max_length=32_768)]
Argv = Annotated[
    list[Argument],
    Field(
        min_length=1,
        max_length=256,
        description="The program's name and its arguments; no shell.",
    ),
]
Directory = Annotated[str, Field(min_length=1, max_length=4096)]


async def _about_to_run(arguments: Mapping[str, Any]) -> str | None:
    return (
        f"Run {arguments.get('argv')!r} in the directory"
        f" {arguments.get('directory', '.')!r} of the workspace?"
    )


@tool(
    scope="commands:run",
    destructive=True,
    open_world=True,
    warn=_about_to_run,
)
async def run_command(argv: Argv, directory: Directory = ".") -> CommandResult:
    """Run one of the allowed programs in a directory of the workspace."""
    lent = resources()
    if lent.commands is None:
        raise CommandDenied("No command is allowed here.", reason="none")
    log.event("command_execution_started", arguments=len(argv) - 1)
    status = "error"
    try:
        result = await lent.commands.run(argv, directory)
        status = "error" if result.exit_code else "success"
    except Refusal as refusal:
        status = refusal.status
        if status == "timeout":
            log.event(
                "command_execution_timeout", level="warning", program=argv[0]
            )
        raise
    finally:
        lent.count_command(status)
    # It is one of those allowed, or it would not have run.
    log.event(
        "command_execution_completed",
        program=argv[0],
        exit_code=result.exit_code,
    )
    return result
