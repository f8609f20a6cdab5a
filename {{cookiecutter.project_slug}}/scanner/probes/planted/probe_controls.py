"""Tools that only the server's controls keep from doing harm.

Whatever tools a project has, its controls can be tried with these. It is also
the program that plants them: the server finds this module as if its user had
dropped it into ``tools/``. Nothing is written there::

    python probe_controls.py PACKAGE

What they do leaves a file where the server runs.
"""

import asyncio
import importlib
import os
import runpy
import sys
import time
from pathlib import Path

WAIT = 60.0  # seconds
BLOCK = 3.0  # seconds; a thread cannot be stopped
LINGER = 0.7  # seconds; more than the server gives to requests under way
SIZE = 2**20


def probe_answers() -> str:
    """Answer at once."""
    return "done"


async def probe_waits() -> None:
    """Wait."""
    await _wait("waits", "waited")


async def probe_stops() -> None:
    """Wait, to be stopped by the caller."""
    await _wait("stops", "stopped")


async def probe_lingers() -> str:
    """Take a little while."""
    _mark("lingers")
    await asyncio.sleep(LINGER)
    return "done"


def probe_blocks() -> None:
    """Keep a thread busy."""
    time.sleep(BLOCK)
    _mark("blocked")


def probe_fails() -> None:
    """Fail, with what nobody is to learn."""
    raise RuntimeError(os.environ["PROBE_CANARY"])


def probe_fills() -> str:
    """Answer with more than is allowed."""
    return "x" * SIZE


def probe_destroys() -> str:
    """Do what the user is to be asked about."""
    _mark("destroyed")
    return "done"


async def _wait(before: str, after: str) -> None:
    _mark(before)
    try:
        await asyncio.sleep(WAIT)
    finally:
        _mark(after)


def _mark(name: str) -> None:
    """Make a file grow by one letter."""
    with Path(name).open("a", encoding="utf-8") as file:
        file.write("x")


def _register() -> None:
    """Mark them as tools, as ``@tool`` above each would."""
    tool = importlib.import_module(__name__.rpartition(".")[0]).tool
    for harmless in (
        probe_answers,
        probe_waits,
        probe_stops,
        probe_lingers,
        probe_blocks,
        probe_fails,
        probe_fills,
    ):
        tool(read_only=True)(harmless)
    tool(destructive=True)(probe_destroys)


if __name__ == "__main__":
    tools = importlib.import_module(f"{sys.argv[1]}.tools")
    tools.__path__.append(str(Path(__file__).parent))
    runpy.run_module(sys.argv.pop(), run_name="__main__", alter_sys=True)
else:
    _register()
