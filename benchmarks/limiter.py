"""What the rate limiter costs, and what it does while Redis is in trouble.

    python benchmarks/limiter.py PROJECT [clients] [memory] [outages]

PROJECT is a generated project; run this with the Python of its environment.
Without a name everything is measured. Exit code 1: a bound was missed.
"""

import argparse
import asyncio
import itertools
import json
import resource
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

Verdict = tuple[bool, dict[str, Any]]

ROUNDS = 15
HITS = 20_000
CLIENTS = 10_000
MANY = 1_000_000
#: Times what one client costs.
DEAREST = 1.2
#: Bytes by which memory may grow from 200,000 clients to a million.
GROWTH = 16 * 2**20
#: Seconds for an answer, for the service to be back, and of each phase.
SLOWEST = 0.3
BACK = 1.0
PHASE = 3.0
#: Seconds that a slow Redis takes for an answer.
DELAY = 0.5
CALLERS = 8
#: Hits between two turns of the event loop, which forgets old timers there.
TURN = 10
LIMIT = 5


async def clients(package: str) -> AsyncIterator[Verdict]:
    """Time a hit among 10,000 clients, and one of a single client."""
    hit = _limiter(package)
    took: dict[int, list[float]] = {1: [], CLIENTS: []}
    await _hits(hit, CLIENTS)
    for _ in range(ROUNDS):
        for number, found in took.items():
            found.append(await _hits(hit, number))
    one, many = (statistics.median(found) for found in took.values())
    ratio = statistics.median(
        b / a for a, b in zip(*took.values(), strict=True)
    )
    yield (
        ratio <= DEAREST,
        {
            "clients": CLIENTS,
            "microseconds": round(many / HITS * 1e6, 2),
            "microseconds_of_one": round(one / HITS * 1e6, 2),
            "ratio": round(ratio, 3),
        },
    )


async def memory(package: str) -> AsyncIterator[Verdict]:
    """Let a million clients call once each."""
    hit = _limiter(package)
    before = _peak()
    for number in range(MANY // 5):
        await hit(f"client-{number}")
    filled = _peak()
    for number in range(MANY // 5, MANY):
        await hit(f"client-{number}")
    grown = _peak() - filled
    yield (
        grown < GROWTH,
        {
            "clients": MANY,
            "MiB_for_200000": round((filled - before) / 2**20, 1),
            "MiB_more_for_a_million": round(grown / 2**20, 1),
        },
    )


def _limiter(package: str) -> Callable[[str], Any]:
    controls = import_module(f"{package}.controls.rate_limit")
    call = import_module(f"{package}.controls.call").Call
    parse = import_module("limits").parse_many
    control = controls.RateLimit(
        default=tuple(parse("1000000000/minute")),
        per_tool={},
        storage=controls.open_storage("memory://"),
    )

    async def served(context: Any) -> None:
        pass

    turns = itertools.count()

    async def hit(client: str) -> None:
        call.current.set(call("echo", client, None))
        await control.control(None, served)
        if next(turns) % TURN == 0:
            await asyncio.sleep(0)

    return hit


async def _hits(hit: Callable[[str], Any], number: int) -> float:
    names = [f"client-{n}" for n in range(number)] * (HITS // number)
    start = time.perf_counter()
    for name in names:
        await hit(name)
    return time.perf_counter() - start


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Load:
    """Clients that call without a pause, and one that is at its limit."""

    def __init__(self, client: Any) -> None:
        """Remember whom to call with."""
        self._client = client
        self.calls: list[tuple[float, float, bool]] = []
        self.counted = 0

    async def run(self) -> None:
        """Call until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(CALLERS):
                group.create_task(self._call(counted=number == 0))

    async def _call(self, *, counted: bool) -> None:
        tool = "health_check" if counted else "echo"
        arguments = {} if counted else {"message": "x"}
        while True:
            start = time.perf_counter()
            result = await self._client.call_tool(
                tool, arguments, raise_on_error=False
            )
            end = time.perf_counter()
            passed = not result.is_error
            self.calls.append((start, end, passed and not counted))
            self.counted += passed and counted

    def between(self, start: float, end: float) -> list[tuple[float, bool]]:
        """Return the seconds of each call in a phase, and whether it passed.

        A call belongs to the phase in which it began.
        """
        return [(e - s, p) for s, e, p in self.calls if start <= s < end]

    def back_after(self, moment: float) -> float:
        """Return the seconds until a call that began later has passed."""
        ends = [e for s, e, p in self.calls if s >= moment and p]
        return min(ends, default=float("inf")) - moment


async def outages(package: str) -> AsyncIterator[Verdict]:
    """Kill, stop, slow down, restart and flush Redis under load."""
    for way in ("killed", "stopped", "slow", "restarted", "flushed"):
        yield await _outage(package, way)


async def _outage(package: str, way: str) -> Verdict:
    harness = import_module("tests.controls.test_redis")
    with tempfile.TemporaryDirectory() as folder:
        redis = harness.Redis(_free_port(), Path(folder))
        redis.start()
        try:
            async with _proxy(redis.port) as proxy:
                return await _under_load(package, way, redis, proxy, folder)
        finally:
            redis.stop()


async def _under_load(
    package: str, way: str, redis: Any, proxy: "Proxy", folder: str
) -> Verdict:
    import_module(f"{package}.log").configure("INFO", Path(folder) / "log")
    server = import_module(f"{package}.server").build_server(
        import_module(f"{package}.environment").load(
            {
                "WORKSPACE_PATH": folder,
                "MCP_TRANSPORT": "stdio",
                "MCP_METRICS_PORT": "0",
                "MCP_RATE_LIMIT": "1000000/minute",
                "MCP_TOOL_RATE_LIMITS": f"health_check={LIMIT}/hour",
                "MCP_RATE_LIMIT_STORAGE": f"redis://127.0.0.1:{proxy.port}/0",
            }
        )
    )
    async with import_module("fastmcp").Client(server) as client:
        load = Load(client)
        task = asyncio.create_task(load.run())
        await asyncio.sleep(PHASE)
        begun = time.perf_counter()
        await _trouble(way, redis, proxy)
        ended = time.perf_counter()
        await asyncio.sleep(PHASE)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return _judged(way, load, begun, ended)


async def _trouble(way: str, redis: Any, proxy: "Proxy") -> None:
    """Bring trouble and take it away again; Redis is there when it returns."""
    if way in {"killed", "restarted"}:
        redis.stop()
        await asyncio.sleep(PHASE if way == "killed" else 0)
        await asyncio.to_thread(redis.start)
    elif way == "stopped":
        redis.signal(signal.SIGSTOP)
        await asyncio.sleep(PHASE)
        redis.signal(signal.SIGCONT)
    elif way == "slow":
        proxy.delay = DELAY
        await asyncio.sleep(PHASE)
        proxy.delay = 0.0
    else:
        await asyncio.to_thread(redis.flush)


def _judged(way: str, load: Load, begun: float, ended: float) -> Verdict:
    slowest = max(end - start for start, end, _ in load.calls)
    # A count that is lost with Redis begins anew; nothing else may pass.
    lost = way in {"killed", "restarted", "flushed"}
    back = load.back_after(ended)
    held = (
        slowest <= SLOWEST
        and back <= BACK
        and load.counted <= LIMIT * (2 if lost else 1)
    )
    return held, {
        "redis": way,
        "calls": len(load.calls),
        "calls_in_trouble": len(load.between(begun, ended)),
        "passed_in_trouble": sum(p for _, p in load.between(begun, ended)),
        "slowest_ms": round(slowest * 1000),
        "back_after_ms": round(back * 1000),
        "counted": f"{load.counted} of {LIMIT}{' and 5 anew' * lost}",
    }


class Proxy:
    """What stands between the server and Redis, and can be slow."""

    def __init__(self) -> None:
        """Be as fast as can be, for now."""
        self.delay = 0.0
        self.port = 0


@asynccontextmanager
async def _proxy(port: int) -> AsyncIterator[Proxy]:
    proxy = Proxy()

    async def pump(reader: Any, writer: Any, *, slow: bool) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                await asyncio.sleep(proxy.delay * slow)
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: Any, writer: Any) -> None:
        try:
            there = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(
            pump(reader, there[1], slow=False),
            pump(there[0], writer, slow=True),
        )

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


MEASURES: dict[str, Callable[[str], AsyncIterator[Verdict]]] = {
    "clients": clients,
    "memory": memory,
    "outages": outages,
}


async def main() -> int:
    """Print a line of JSON for each measure; return 1 where one missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("measures", nargs="*", choices=[*MEASURES, []])
    options = parser.parse_args()
    sys.path.insert(0, str(options.project.resolve()))
    (found,) = options.project.glob("*/defaults.toml")
    missed = False
    for name in options.measures or MEASURES:
        async for held, figures in MEASURES[name](found.parent.name):
            print(json.dumps({"held": held, **figures}), flush=True)
            missed |= not held
    return int(missed)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
