"""Limits that several servers share, and what happens when Redis does not."""

import asyncio
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis

from {{ cookiecutter.__package_name }}.server import build
from {{ cookiecutter.__package_name }}.settings import PACKAGE

PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="needs redis-server or valkey-server on PATH"
)

#: A server of its own process that calls echo as often as it is told.
CALLER = """
import asyncio, sys
from importlib import import_module
from fastmcp import Client

package, url, workspace = sys.argv[1:]
environment = import_module(f"{package}.environment")
server = import_module(f"{package}.server").build_server(environment.load({
    "WORKSPACE_PATH": workspace,
    "MCP_METRICS_PORT": "0",
    "MCP_TRANSPORT": "stdio",
    "MCP_RATE_LIMIT": "100/minute",
    "MCP_RATE_LIMIT_STORAGE": url,
}))

async def main():
    passed = 0
    async with Client(server) as client:
        for _ in range(50):
            result = await client.call_tool(
                "echo", {"message": "x"}, raise_on_error=False)
            passed += not result.is_error
    print(passed)

asyncio.run(main())
"""


class Redis:
    """A Redis server of the test's own, on loopback."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self.url = f"redis://127.0.0.1:{port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert PROGRAM
        self._process = subprocess.Popen(
            [
                *(PROGRAM, "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--dir", str(self._folder)),
            ],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with suppress(redis.RedisError), redis.Redis(port=self.port) as r:
                r.ping()
                return
            time.sleep(0.02)
        pytest.fail("redis-server did not start in 10 seconds")

    def signal(self, number: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(number)

    def flush(self) -> None:
        with redis.Redis(port=self.port) as connection:
            connection.flushall()
            connection.script_flush()

    def stop(self) -> None:
        if self._process:
            self.signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def shared(free_port: int, tmp_path: Path) -> Iterator[Redis]:
    """A Redis that runs, and is stopped with the test."""
    server = Redis(free_port, tmp_path)
    server.start()
    yield server
    server.stop()


async def call(client: Any) -> bool:
    """Call once; return whether it was let through."""
    result = await client.call_tool(
        "echo", {"message": "x"}, raise_on_error=False
    )
    return not result.is_error


async def test_four_processes_share_one_limit(
    shared: Redis, workspace: Path
) -> None:
    arguments = (PACKAGE.name, shared.url, str(workspace))
    callers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CALLER, *arguments),
            cwd=PACKAGE.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(4)
    ]
    outputs = await asyncio.gather(*(c.communicate() for c in callers))
    assert sum(int(stdout) for stdout, _ in outputs) == 100


async def test_hit_is_one_round_trip(
    shared: Redis, make_server: Any, connect: Any
) -> None:
    server = make_server(MCP_RATE_LIMIT_STORAGE=shared.url)
    with redis.Redis(port=shared.port) as watch:
        async with connect(server) as client:
            await call(client)
            before = watch.info("commandstats")["cmdstat_evalsha"]["calls"]
            for _ in range(10):
                await call(client)
            after = watch.info("commandstats")["cmdstat_evalsha"]["calls"]
    assert after - before == 10


@pytest.mark.parametrize("way", ["killed", "hung"])
async def test_nothing_passes_while_it_is_away_and_all_after_that(
    shared: Redis, make_server: Any, connect: Any, way: str
) -> None:
    server = make_server(MCP_RATE_LIMIT_STORAGE=shared.url)
    async with connect(server) as client:
        assert await call(client)
        if way == "killed":
            shared.stop()
        else:
            shared.signal(signal.SIGSTOP)
        # None waits for it to come back: it does that afterwards.
        away = [await call(client) for _ in range(5)]
        if way == "killed":
            shared.start()
        else:
            shared.signal(signal.SIGCONT)
        while not await call(client):
            pass  # the test's own time limit ends it
    assert not any(away)


async def test_flush_loses_counts_and_nothing_else(
    shared: Redis, make_server: Any, connect: Any
) -> None:
    server = make_server(
        MCP_RATE_LIMIT="5/minute", MCP_RATE_LIMIT_STORAGE=shared.url
    )
    async with connect(server) as client:
        before = sum([await call(client) for _ in range(8)])
        await asyncio.to_thread(shared.flush)
        after = sum([await call(client) for _ in range(8)])
    assert (before, after) == (5, 5)


async def test_ready_follows_the_storage(
    shared: Redis, make_settings: Any, connect: Any
) -> None:
    application = build(make_settings(MCP_RATE_LIMIT_STORAGE=shared.url))
    async with connect(application.server):
        assert await application.ready()
        shared.signal(signal.SIGSTOP)
        assert not await application.ready()
        shared.signal(signal.SIGCONT)
        assert await application.ready()
