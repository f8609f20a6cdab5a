"""What the controls cost beside the network: calls, reads, start, memory.

    python benchmarks/overhead.py PROJECT [calls] [read] [start] [--json FILE]

PROJECT is a generated project; run this with the Python of its environment.
Without a name everything is measured. Ours and bare FastMCP take turns, call
by call or start by start, in one run on one machine, so that what else runs
there slows both. Exit code 1: a bound was missed.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from fastmcp import FastMCP
from fastmcp.server.http import _current_http_request
from servers import plain
from starlette.requests import Request

HERE = Path(__file__).parent
CALLS = 5_000
CLIENTS = 10_000
READS = 200
STARTS = 9
TOOLS = 7
MIB = 2**20
MOST_ADDED = 60  # microseconds
LEAST_READ = 0.9  # of the reads a second of a naive tool
MOST_START = 1.15  # times bare FastMCP
MOST_MEMORY = 1.2
SETTLING = 1.0  # seconds
FIRST = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "benchmark", "version": "1"},
    },
}

Verdict = tuple[bool, dict[str, Any]]
Way = Callable[[], Awaitable[Any]]


def calls(package: str, root: Path) -> Iterator[Verdict]:
    """Call a tool in memory: bare, secured, and by many clients."""
    ours, bare = _secured(package, root), plain(TOOLS)
    choose = random.Random(1)  # noqa: S311 - the same clients each time
    requests = [_from(number) for number in range(CLIENTS)]

    def way(server: Any, callers: list[Request]) -> Way:
        async def call() -> None:
            token = _current_http_request.set(choose.choice(callers))
            await server.call_tool("echo", {"message": "hello"})
            _current_http_request.reset(token)

        return call

    ways = {
        "bare": way(bare, requests[:1]),
        "one client": way(ours, requests[:1]),
        f"{CLIENTS} clients": way(ours, requests),
    }
    cost = asyncio.run(_medians(ways, CALLS))
    added = {k: round(v - cost["bare"], 1) for k, v in cost.items()}
    yield (
        max(added.values()) <= MOST_ADDED,
        {"call_microseconds": cost, "added": added},
    )


def read(package: str, root: Path) -> Iterator[Verdict]:
    """Read a file of 1 MiB, and do so as a tool that opens it by name."""
    text = "All work and no play makes a dull file.\n" * (MIB // 40 + 1)
    (root / "large").write_text(text[:MIB], "utf-8")
    ours, bare = _secured(package, root), FastMCP("bare")

    @bare.tool
    def read_file(path: str) -> str:
        """Return what is in a file."""
        return (root / path).read_text("utf-8")

    def way(server: Any) -> Way:
        return lambda: server.call_tool("read_file", {"path": "large"})

    ways = {"naive": way(bare), "secured": way(ours)}
    cost = asyncio.run(_medians(ways, READS))
    ratio = round(cost["naive"] / cost["secured"], 2)
    yield ratio >= LEAST_READ, {"read_microseconds": cost, "ratio": ratio}


def start(package: str, root: Path) -> Iterator[Verdict]:
    """Start over stdio, wait for the first answer, and look at the size."""
    commands = {
        "bare": [
            sys.executable,
            str(HERE / "servers.py"),
            "stdio",
            "0",
            str(TOOLS),
        ],
        "secured": [sys.executable, "-m", package],
    }
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": sys.path[0],
        "WORKSPACE_PATH": str(root),
        "MCP_TRANSPORT": "stdio",
        "MCP_AUTH": "none",
        "MCP_METRICS_PORT": "0",
    }
    figures: dict[str, list[Any]] = {name: [] for name in commands}
    for turn in range(STARTS + 1):
        for name, command in commands.items():
            measured = _first_answer(command, env)
            if turn:  # the first start may have to write byte code
                figures[name].append(measured)
    shown = {
        name: {
            "seconds": round(statistics.median(x[0] for x in found), 3),
            "cpu_seconds": round(statistics.median(x[1] for x in found), 3),
            "mib": round(statistics.median(x[2] for x in found), 1),
        }
        for name, found in figures.items()
    }
    ratios = {
        figure: round(shown["secured"][figure] / shown["bare"][figure], 3)
        for figure in shown["bare"]
    }
    held = ratios["seconds"] <= MOST_START and ratios["mib"] <= MOST_MEMORY
    yield held, {"start": shown, "ratios": ratios}


def _first_answer(
    command: list[str], env: dict[str, str]
) -> tuple[float, float, float]:
    """Return seconds, seconds of CPU and MiB that one start took."""
    started = time.perf_counter()
    with subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        given, answers = process.stdin, process.stdout
        if not given or not answers:
            raise SystemExit("error: no pipes")
        given.write(json.dumps(FIRST).encode() + b"\n")
        given.flush()
        if b'"result"' not in answers.readline():
            raise SystemExit(f"error: no answer from {command}")
        taken = time.perf_counter() - started
        fields = Path(f"/proc/{process.pid}/stat").read_text().split()
        time.sleep(SETTLING)
        status = Path(f"/proc/{process.pid}/status").read_text()
        given.close()
        process.wait(20)
    ticks = int(fields[13]) + int(fields[14])
    size = int(status.partition("VmRSS:")[2].split()[0])
    return taken, ticks / os.sysconf("SC_CLK_TCK"), size / 1024


async def _medians(ways: dict[str, Way], times: int) -> dict[str, float]:
    """Return the median microseconds of each, all of them in turn."""
    taken: dict[str, list[int]] = {name: [] for name in ways}
    for turn in range(times + times // 10):
        for name, way in ways.items():
            started = time.perf_counter_ns()
            await way()
            if turn >= times // 10:  # the first ones warm up
                taken[name].append(time.perf_counter_ns() - started)
    return {
        name: round(statistics.median(each) / 1_000, 1)
        for name, each in taken.items()
    }


def _from(number: int) -> Request:
    """Make a request of one of many clients."""
    address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    scope = {"type": "http", "client": (address, 1), "headers": []}
    return Request(scope)


def _secured(package: str, root: Path) -> Any:
    """Build the generated server, every control on."""
    environment = import_module(f"{package}.environment")
    settings = environment.load(
        {
            "WORKSPACE_PATH": str(root),
            "MCP_TRANSPORT": "http",
            "MCP_AUTH": "none",
            "MCP_METRICS_PORT": "0",
            "MCP_RATE_LIMIT": "100000000/minute",
            "MCP_MAX_OUTPUT_SIZE": str(4 * MIB),
        }
    )
    log = import_module(f"{package}.log")
    log.configure(settings.log_level)
    return import_module(f"{package}.server").build_server(settings)


MEASURES: dict[str, Callable[[str, Path], Iterator[Verdict]]] = {
    "calls": calls,
    "read": read,
    "start": start,
}


def main() -> None:
    """Print a line of JSON for each measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("measures", nargs="*", choices=[*MEASURES, []])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    project = options.project.resolve()
    package = next(p.parent for p in project.glob("*/defaults.toml"))
    sys.path.insert(0, str(project))
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "workspace"
        root.mkdir()
        # The audit log goes to stderr, as it does by default: here a file.
        with (root.parent / "log").open("w") as file:
            os.dup2(file.fileno(), sys.stderr.fileno())
        for name in options.measures or MEASURES:
            for held, figures in MEASURES[name](package.name, root):
                version = "{}.{}.{}".format(*sys.version_info)
                lines.append({"held": held, "python": version, **figures})
                print(json.dumps(lines[-1]))
    if options.json:
        options.json.write_text(json.dumps(lines, indent=2) + "\n", "utf-8")
    sys.exit(not all(line["held"] for line in lines))


if __name__ == "__main__":
    main()
