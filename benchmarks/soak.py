"""An hour's load in five minutes: does the server stay as it began?

    python benchmarks/soak.py PROJECT [--seconds 300] [--calls 18000]

PROJECT is a generated project; run this with the Python of its environment.
The server runs in a process of its own, with tokens and every control on.
Callers of both protocol eras use each tool, the resource and the prompt; some
leave without a word, show a bad token or ask for what is refused. Memory and
descriptors are read while that goes on. Exit code 1: a bound was missed.

A short form: --seconds 30 --calls 1500. An hour's load is five calls a second.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

CALLERS = 16
#: Times the memory of the second quarter of the time that the last may have.
MEMORY = 1.05
#: Descriptors that may be open once all callers have gone, beyond those that
#: were before they came; seconds until they have gone.
DESCRIPTORS = 8
SETTLE = 3.0
EVERY = 0.5
COPY = {"path": "copy.md", "content": "new\n" * 500, "overwrite": True}
#: What is asked for, and whether it is to be refused.
WORK: tuple[tuple[str, dict[str, Any], bool], ...] = (
    ("echo", {"message": "hello" * 100}, False),
    ("health_check", {}, False),
    ("list_files", {"path": "."}, False),
    ("read_file", {"path": "plan.md"}, False),
    ("search_files", {"pattern": "line 7"}, False),
    ("write_file", COPY, False),
    ("echo", {"message": 1}, True),
    ("read_file", {"path": "../outside"}, True),
    ("invented", {}, True),
)


@dataclass
class Soak:
    """A server under load, and what became of it."""

    package: str
    project: Path
    folder: Path
    port: int
    token: str
    found: Counter[str] = field(default_factory=Counter)
    samples: list[tuple[int, int]] = field(default_factory=list)

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "server.log"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[subprocess.Popen[bytes]]:
        """Serve as the project is started, and stop as it is stopped."""
        process = subprocess.Popen(
            [sys.executable, "-m", self.package],
            cwd=self.project,
            env={
                "PATH": os.environ["PATH"],
                "WORKSPACE_PATH": str(self.folder / "workspace"),
                "MCP_TRANSPORT": "http",
                "MCP_PORT": str(self.port),
                "MCP_METRICS_PORT": "0",
                "MCP_AUTH": "bearer",
                "MCP_AUTH_TOKENS_FILE": str(self.folder / "tokens"),
                "MCP_APPROVAL": "auto",
                "MCP_RATE_LIMIT": "1000000/minute",
                "MCP_LOG_FILE": str(self.log),
            },
        )
        try:
            await self._healthy(process)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            code = await asyncio.to_thread(process.wait, 30)
            self.found[f"exit code {code}"] += 1

    async def _healthy(self, process: subprocess.Popen[bytes]) -> None:
        async with self._http() as http:
            for _ in range(300):
                with suppress(Exception):
                    await http.get("/health")
                    return
                await asyncio.sleep(0.1)
        raise SystemExit(f"error: no server; exit code {process.poll()}")

    async def sample(self, pid: int) -> None:
        """Read the server's memory and its descriptors, again and again."""
        while True:
            status = Path(f"/proc/{pid}/status").read_text("ascii")
            line = next(x for x in status.splitlines() if "VmRSS" in x)
            open_ = len(list(Path(f"/proc/{pid}/fd").iterdir()))
            self.samples.append((int(line.split()[1]) * 1024, open_))
            await asyncio.sleep(EVERY)

    async def load(self, seconds: float, calls: int) -> None:
        """Spread the calls evenly over the time."""
        start = time.monotonic()
        numbers = iter(range(calls))

        async def caller(mode: str) -> None:
            for number in numbers:
                due = start + seconds * number / calls
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                try:
                    await self._once(number, mode, numbers)
                except Exception as error:  # noqa: BLE001 - it is counted
                    self.found[f"unasked: {type(error).__name__}"] += 1

        modes = itertools.cycle(["auto", "legacy"])
        async with asyncio.TaskGroup() as group:
            for _, mode in zip(range(CALLERS), modes, strict=False):
                group.create_task(caller(mode))

    async def _once(self, number: int, mode: str, rest: Any) -> None:
        if number % 50 == 0:
            await self._bad_token()
        elif number % 50 == 1:
            await self._leave()
        else:
            await self._visit(mode, rest)

    async def _visit(self, mode: str, rest: Any) -> None:
        """Call a few times over a connection of one's own."""
        fastmcp = import_module("fastmcp")
        url = f"http://127.0.0.1:{self.port}/mcp"
        client = fastmcp.Client(url, auth=self.token, mode=mode)
        async with client:
            for _ in itertools.islice(rest, 20):
                await self._call(client)
            await client.read_resource("workspace://plan.md")
            await client.get_prompt("code_review", {"code": "x = 1"})
            self.found["resource and prompt"] += 2

    async def _call(self, client: Any) -> None:
        tool, arguments, refused = random.choice(WORK)  # noqa: S311 - a load
        try:
            result = await client.call_tool(
                tool, arguments, raise_on_error=False
            )
            as_asked = result.is_error is refused
        except Exception as error:  # noqa: BLE001 - each is one too many
            self.found[f"unasked: {type(error).__name__}"] += 1
            return
        if as_asked:
            self.found["refused" if refused else "answered"] += 1
        else:
            self.found[f"unasked: {tool}: {result.content}"[:200]] += 1

    async def _bad_token(self) -> None:
        async with self._http() as http:
            answer = await http.post(
                "/mcp", headers={"authorization": "Bearer wrong"}
            )
        asked = answer.status_code in {401, 429}
        self.found["bad token" if asked else "unasked: let in"] += 1

    async def _leave(self) -> None:
        """Begin a request, and go."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nConte")
        await writer.drain()
        writer.transport.abort()
        self.found["left"] += 1

    def _http(self) -> Any:
        base = f"http://127.0.0.1:{self.port}"
        return import_module("httpx2").AsyncClient(base_url=base, timeout=10)

    def judge(self) -> tuple[bool, dict[str, Any]]:
        """Compare the end with the beginning, and read the log."""
        quarter = len(self.samples) // 4
        early = self.samples[quarter : 2 * quarter]
        late = self.samples[-quarter:]
        memory = [statistics.median(m for m, _ in x) for x in (early, late)]
        files = [self.samples[0][1], self.samples[-1][1]]
        events: Counter[str] = Counter()
        for file in self.folder.glob("server.log*"):
            for line in file.read_text("utf-8").splitlines():
                if json.loads(line)["level"] == "ERROR":
                    events[json.loads(line)["event"]] += 1
        unasked = sum(n for k, n in self.found.items() if "unasked" in k)
        held = (
            memory[1] <= memory[0] * MEMORY
            and files[1] <= files[0] + DESCRIPTORS
            and not unasked
            and not events
            and self.found["exit code 0"] == 1
        )
        return held, {
            "MiB": [round(m / 2**20, 1) for m in memory],
            "MiB_ratio": round(memory[1] / memory[0], 3),
            "descriptors": files,
            "errors_in_log": dict(events),
            **self.found,
        }


async def main() -> int:
    """Print one line of JSON; return 1 where a bound was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--calls", type=int, default=18_000)
    options = parser.parse_args()
    sys.path.insert(0, str(options.project.resolve()))
    (found,) = options.project.glob("*/defaults.toml")
    package = found.parent.name
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        (folder / "workspace").mkdir()
        lines = "".join(f"line {n}\n" for n in range(1000))
        (folder / "workspace" / "plan.md").write_text(lines)
        token = import_module(f"{package}.tokens").create(
            folder / "tokens", "soak", ["files:read", "files:write"]
        )
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        soak = Soak(package, options.project, folder, port, token)
        begun = time.monotonic()
        async with soak.serving() as process:
            sampling = asyncio.create_task(soak.sample(process.pid))
            await soak.load(options.seconds, options.calls)
            await asyncio.sleep(SETTLE)
            sampling.cancel()
        held, figures = soak.judge()
    seconds = round(time.monotonic() - begun)
    print(json.dumps({"held": held, "seconds": seconds, **figures}))
    return int(not held)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
