"""A small server for the tests of what serves it; runs as a process too."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastmcp import Context, FastMCP
from fastmcp.server.auth import require_scopes

from {{ cookiecutter.__package_name }} import environment
from {{ cookiecutter.__package_name }}.auth import build_auth
from {{ cookiecutter.__package_name }}.identity import current_client_id
from {{ cookiecutter.__package_name }}.serving import serve
from {{ cookiecutter.__package_name }}.serving.application import (
    Application,
    Observer,
)
from {{ cookiecutter.__package_name }}.settings import Settings

#: Calls of ``sleep`` and ``hold`` that run.
sleepers = 0
#: Calls of ``hold`` last for as long as a test leaves this so.
held = True

SCOPES = {
    ("tools/call", "delete"): "files:write",
    ("tools/call", "initialize"): "files:write",
}


def build_demo(settings: Settings, on_event: Observer) -> Application:
    auth = build_auth(
        settings,
        on_event,
        scopes=["files:read", "files:write"],
        initial_scopes=["files:read"],
    )
    server: FastMCP[Any] = FastMCP(
        "demo", auth=auth, lifespan=_lifespan(on_event)
    )
    for tool in (echo, who, sleep, hold, block, chatter):
        server.tool(tool)
    scoped = require_scopes("files:write") if auth else None
    server.tool(delete, auth=scoped)
    return Application(
        server=server,
        ready=_ready,
        missing=tuple,
        scopes=SCOPES,
        on_event=on_event,
    )


async def _ready() -> bool:
    return True


def _lifespan(on_event: Observer) -> Any:
    @asynccontextmanager
    async def lifespan(server: FastMCP[Any]) -> AsyncIterator[None]:
        yield
        on_event("cleaned_up", {})

    return lifespan


async def echo(message: str) -> str:
    return message


async def who() -> str:
    return current_client_id()


async def sleep(seconds: float) -> str:
    global sleepers
    sleepers += 1
    tell("sleeping", {})
    try:
        await asyncio.sleep(seconds)
    finally:
        sleepers -= 1
    return "slept"


async def hold() -> str:
    global sleepers
    sleepers += 1
    try:
        while held:  # noqa: ASYNC110 - a test on another loop lets go
            await asyncio.sleep(0.01)
    finally:
        sleepers -= 1
    return "let go"


async def report(context: Context) -> str:
    """Tell of progress all the time, until the test lets go."""
    while held:
        await context.report_progress(1, 2)
        await asyncio.sleep(0.001)
    return "let go"


def block(seconds: float) -> str:
    tell("blocking", {})
    time.sleep(seconds)
    return "blocked"


async def chatter() -> str:
    print("printed by a tool")  # noqa: T201 - that is what it is for
    os.write(1, b"written by a tool\n")
    return sys.stdin.read()


async def delete() -> str:
    return "deleted"


def tell(event: str, fields: Mapping[str, object]) -> None:
    line = {"event": event, "pid": os.getpid(), **fields}
    os.write(2, f"{json.dumps(line)}\n".encode())


def build(settings: Settings, worker: int) -> Application:
    tell("built", {"worker": worker})
    if os.environ.get("DEMO_BROKEN"):
        raise SystemExit(7)
    return build_demo(settings, tell)


def main() -> None:
    serve(build, environment.load(os.environ))


if __name__ == "__main__":
    main()
