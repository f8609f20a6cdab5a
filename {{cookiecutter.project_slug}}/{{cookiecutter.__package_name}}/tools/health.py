"""Whether the server is there, and whether it hears what is said."""

from typing import Annotated, Any

from pydantic import Field

from . import resources, tool


@tool(read_only=True)
async def health_check() -> dict[str, Any]:
    """Tell whether the server works, and what it cannot protect here."""
    lent = resources()
    missing = list(lent.commands.missing) if lent.commands else []
    return {
        "status": "degraded" if missing else "ok",
        "server": lent.settings.server_name,
        "commands": lent.commands is not None,
        "sandbox_missing": missing,
    }


@tool(read_only=True)
async def echo(
    message: Annotated[str, Field(max_length=10_000)],
) -> str:
    """Return the message as it was sent."""
    return message
