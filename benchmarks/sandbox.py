"""What the sandbox costs, and what commands cost everybody else.

    python benchmarks/sandbox.py PROJECT [--rounds 300] [--slow 100]

PROJECT is a generated project; run this with the Python of its environment.
Spawning: a plain process and a sandboxed one in turn, in one run on one
machine, so that the difference means something. Waiting: ``health_check``
through a client, first alone, then while slow commands and reads run.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from fastmcp import Client

PROGRAM = "true"
SLOW = ["sleep", "5"]
READ_BYTES = 256 * 1024


async def plain() -> None:
    """Start a process as asyncio does, and wait for it."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await process.communicate()


async def spawning(
    runner: Any, rounds: int
) -> tuple[list[float], list[float]]:
    """Return the milliseconds of plain and of sandboxed runs, in turn."""

    async def timed(run: Callable[[], Awaitable[Any]]) -> float:
        started = time.perf_counter()
        await run()
        return (time.perf_counter() - started) * 1000

    pairs = [
        (await timed(plain), await timed(lambda: runner.run([PROGRAM])))
        for _ in range(rounds + 10)
    ]
    without, within = zip(*pairs[10:], strict=True)  # the first ones warm up
    return list(without), list(within)


async def waiting(server: Any, slow: int) -> tuple[list[float], list[float]]:
    """Return how long ``health_check`` took: alone, and beside the rest."""
    async with Client(server) as client:
        alone = await _pulse(client, asyncio.create_task(asyncio.sleep(5)))
        commands = [
            client.call_tool("run_command", {"argv": SLOW})
            for _ in range(slow)
        ]
        reads = [_read_on(client, seconds=5) for _ in range(4)]
        load = asyncio.gather(*commands, *reads)
        beside = await _pulse(client, asyncio.ensure_future(load))
    return alone, beside


async def _pulse(
    client: Client[Any], until: asyncio.Future[Any]
) -> list[float]:
    """Call ``health_check`` every few milliseconds until something ends."""
    taken = []
    while not until.done():
        started = time.perf_counter()
        await client.call_tool("health_check")
        taken.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(0.005)
    await until
    return taken


async def _read_on(client: Client[Any], *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await client.call_tool("read_file", {"path": "large"})


async def measure(package: str, rounds: int, slow: int) -> dict[str, Any]:
    """Return all figures, in milliseconds."""
    commands = import_module(f"{package}.commands")
    workspaces = import_module(f"{package}.workspace")
    settings = import_module(f"{package}.environment")
    server = import_module(f"{package}.server")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / "large").write_text("x" * READ_BYTES)
        workspace = workspaces.Workspace.open(root, max_file_size=2**20)
        runner = commands.CommandRunner.create(
            allowed=[PROGRAM],
            workspace=workspace,
            timeout=30,
            max_output=2**20,
            sandbox="require",
            network="deny",
        )
        without, within = await spawning(runner, rounds)
        runner.close()
        workspace.close()
        given = settings.load(
            {
                "WORKSPACE_PATH": str(root),
                "MCP_TRANSPORT": "stdio",
                "MCP_AUTH": "none",
                "MCP_METRICS_PORT": "0",
                "MCP_RATE_LIMIT": "off",
                "MCP_ALLOWED_COMMANDS": SLOW[0],
                "MCP_MAX_CONCURRENCY": "1000",
                "MCP_APPROVAL": "never",
                "MCP_LOG_LEVEL": "ERROR",
            }
        )
        alone, beside = await waiting(server.build_server(given), slow)
    return {
        "spawn": {"plain": _summary(without), "sandboxed": _summary(within)},
        "spawn_extra_p50": round(
            statistics.median(
                b - a for a, b in zip(without, within, strict=True)
            ),
            2,
        ),
        "health_check": {
            "alone": _summary(alone),
            f"beside {slow} commands and 4 readers": _summary(beside),
        },
    }


def _summary(values: list[float]) -> dict[str, float]:
    ranked = sorted(values)
    return {
        "n": len(ranked),
        "p50": round(statistics.median(ranked), 2),
        "p99": round(ranked[int(len(ranked) * 0.99)], 2),
        "most": round(ranked[-1], 2),
    }


def main() -> None:
    """Measure and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--slow", type=int, default=100)
    options = parser.parse_args()
    project = options.project.resolve()
    package = next(p.parent for p in project.glob("*/defaults.toml"))
    sys.path.insert(0, str(package.parent))
    figures = asyncio.run(measure(package.name, options.rounds, options.slow))
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
