"""What the controls cost over HTTP: requests a second, side by side.

    python benchmarks/throughput.py PROJECT [--seconds 5] [--rounds 3]

PROJECT is a generated project with its environment. Every server answers in
turn, round after round, in one run on one machine, so that the figures can
be compared with each other and with nothing else. Load comes from one
process over loopback, with a bounded number of requests in a bounded time.
"""

import argparse
import asyncio
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx2
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

HERE = Path(__file__).parent
CONNECTIONS = 32
MOST_REQUESTS = 200_000
PATIENCE = 20
#: Ids of one length, so that each request is as long as the recorded one.
FIRST_ID = 100_000_000
ERAS = {"2026-07-28": "auto", "handshake": "legacy"}


@dataclass(frozen=True, slots=True)
class Measure:
    """One server under load in one protocol era.

    Attributes:
        requests: Answered a second.
        p50: The median, in milliseconds.
        p99: The 99th percentile, in milliseconds.
    """

    server: str
    era: str
    tools: int
    requests: float
    p50: float
    p99: float


@contextmanager
def serving(kind: str, project: Path, tools: int) -> Iterator[int]:
    """Start a server on a free port of loopback, and end it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    python = project / ".venv" / "bin" / "python"
    package = next(p.parent for p in project.glob("*/defaults.toml"))
    process = subprocess.Popen(
        [
            python if python.exists() else sys.executable,
            HERE / "servers.py",
            kind,
            str(port),
            str(tools),
        ],
        env={
            **os.environ,
            "PYTHONPATH": str(project),
            "BENCHMARK_PACKAGE": package.name,
        },
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


async def recorded(port: int, mode: str) -> bytes:
    """Return the bytes of a real client's call of ``echo``."""
    seen: list[httpx2.Request] = []

    async def keep(request: httpx2.Request) -> None:
        if b'"tools/call"' in request.content:
            seen.append(request)

    def factory(**options: Any) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(event_hooks={"request": [keep]}, **options)

    transport = StreamableHttpTransport(
        f"http://127.0.0.1:{port}/mcp", httpx_client_factory=factory
    )
    client = Client(transport, mode=mode)
    await client.__aenter__()  # left open: the session must live on
    await client.call_tool("echo", {"message": "hello"})
    request = seen[-1]
    message = json.loads(request.content) | {"id": FIRST_ID}
    message["params"]["_meta"].pop("progressToken", None)
    body = json.dumps(message).encode()
    skipped = {"content-length", "connection", "accept-encoding"}
    head = [f"POST /mcp HTTP/1.1", f"content-length: {len(body)}"]
    head += [
        f"{k}: {v}" for k, v in request.headers.items() if k not in skipped
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


async def load(port: int, request: bytes, seconds: float) -> list[float]:
    """Send the request again and again; return what each took."""
    took: list[float] = []
    ids = itertools.count(FIRST_ID)
    until = time.perf_counter() + seconds

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (start := time.perf_counter()) < until:
            number = str(next(ids)).encode()
            writer.write(request.replace(b"%d" % FIRST_ID, number, 1))
            await answer(reader)
            took.append(time.perf_counter() - start)
            if len(took) > MOST_REQUESTS:
                break
        writer.close()

    async with asyncio.timeout(seconds + PATIENCE):
        await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return took


async def answer(reader: asyncio.StreamReader) -> None:
    """Read one answer, and make sure that it is a good one."""
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"error: the server answered {head[:40]!r}")
    lowered = head.lower()
    if b"content-length:" in lowered:
        size = int(lowered.split(b"content-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(size)
    else:
        body = await reader.readuntil(b"\r\n0\r\n\r\n")
    if b"hello" not in body:
        raise SystemExit(f"error: not the echo: {body[:200]!r}")


async def measure(
    kind: str, port: int, era: str, tools: int, seconds: float
) -> Measure:
    """Warm a server up, and measure it."""
    request = await recorded(port, ERAS[era])
    await load(port, request, 1)
    took = sorted(await load(port, request, seconds))
    return Measure(
        kind,
        era,
        tools,
        round(len(took) / seconds),
        round(statistics.median(took) * 1000, 2),
        round(took[int(len(took) * 0.99)] * 1000, 2),
    )


def main() -> None:
    """Print a table, and write it as JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tools", type=int, nargs="+", default=[7, 100])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    measures = []
    for _ in range(options.rounds):
        for tools in options.tools:
            for kind in ("bare", "secured", "lowlevel"):
                with serving(kind, options.project, tools) as port:
                    for era in ERAS:
                        measures.append(
                            asyncio.run(
                                measure(
                                    kind, port, era, tools, options.seconds
                                )
                            )
                        )
                        print(measures[-1], file=sys.stderr)
    report(measures)
    if options.json:
        rows = [asdict(m) for m in measures]
        options.json.write_text(json.dumps(rows, indent=2))


def report(measures: list[Measure]) -> None:
    """Print the medians of the rounds, and their ratios to bare FastMCP."""
    print(
        f"{'era':12} {'tools':>5} {'server':10} {'req/s':>7} {'p50 ms':>7}"
        f" {'p99 ms':>7} {'× bare':>7} {'p99 ×':>6}"
    )
    groups: dict[tuple[str, int, str], list[Measure]] = {}
    for m in measures:
        groups.setdefault((m.era, m.tools, m.server), []).append(m)
    for (era, tools, server), found in sorted(groups.items()):
        base = groups[era, tools, "bare"]
        rate, p50, p99 = (median(found, n) for n in ("requests", "p50", "p99"))
        print(
            f"{era:12} {tools:5} {server:10} {rate:7.0f} {p50:7.2f}"
            f" {p99:7.2f} {rate / median(base, 'requests'):7.2f}"
            f" {p99 / median(base, 'p99'):6.2f}"
        )


def median(measures: list[Measure], name: str) -> float:
    """Return the median of one figure."""
    return statistics.median(getattr(m, name) for m in measures)


if __name__ == "__main__":
    main()
