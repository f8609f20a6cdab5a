"""What the controls cost over HTTP: requests a second, side by side.

    python benchmarks/throughput.py PROJECT [--seconds 1] [--rounds 9]
        [--json FILE] [--plot FILE]
    python benchmarks/throughput.py PROJECT --kinds secured "2 workers"
        --storage redis://127.0.0.1:6379/0

PROJECT is a generated project with its environment. All servers wait at once
and answer in turn, a second or so each, round after round, so that what else
the machine does slows all of them. Each figure is the median of the rounds;
those of one run can be compared with each other and with nothing else. Load
comes from one process over loopback, with a bounded number of requests in a
bounded time. That process takes about a core: where there are two, a second
worker gets what it leaves. What a request costs the server in CPU is shown
beside, for nothing else on the machine changes that by much.
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
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx2
import plot
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

HERE = Path(__file__).parent
CONNECTIONS = 32
MOST_REQUESTS = 200_000
PATIENCE = 20
#: Ids of one length, so that each request is as long as the recorded one.
FIRST_ID = 100_000_000
WORKERS = "2 workers"
KINDS = ("bare", "secured", "lowlevel")
ERAS = {"2026-07-28": "auto", "handshake": "legacy"}


@dataclass(frozen=True, slots=True)
class Measure:
    """One server under load in one protocol era.

    Attributes:
        requests: Answered a second.
        p50: The median, in milliseconds.
        p99: The 99th percentile, in milliseconds.
        cpu: Milliseconds of the server's CPU for each.
    """

    server: str
    era: str
    tools: int
    requests: float
    p50: float
    p99: float
    cpu: float


@contextmanager
def serving(
    kind: str, project: Path, tools: int, storage: str
) -> Iterator[tuple[int, int]]:
    """Start a server; yield its port on loopback and its process; end it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    python = project / ".venv" / "bin" / "python"
    package = next(p.parent for p in project.glob("*/defaults.toml"))
    process = subprocess.Popen(
        [
            python if python.exists() else sys.executable,
            HERE / "servers.py",
            "secured" if kind == WORKERS else kind,
            str(port),
            str(tools),
        ],
        env={
            **os.environ,
            "PYTHONPATH": str(project),
            "BENCHMARK_PACKAGE": package.name,
            "BENCHMARK_STORAGE": storage,
            "BENCHMARK_WORKERS": "2" if kind == WORKERS else "1",
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
        yield port, process.pid
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
    head = ["POST /mcp HTTP/1.1", f"content-length: {len(body)}"]
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


async def rounds(
    servers: dict[str, tuple[int, int]], tools: int, options: Any
) -> list[Measure]:
    """Warm the servers up, and let them take turns."""
    requests = {
        (kind, era): await recorded(servers[kind][0], mode)
        for kind in servers
        for era, mode in ERAS.items()
    }
    for (kind, _), request in requests.items():
        await load(servers[kind][0], request, 1)
    measures = []
    for _ in range(options.rounds):
        for (kind, era), request in requests.items():
            measures.append(
                await measure(
                    (kind, era, tools), servers[kind], request, options.seconds
                )
            )
            print(measures[-1], file=sys.stderr)
    return measures


async def measure(
    what: tuple[str, str, int],
    address: tuple[int, int],
    request: bytes,
    seconds: float,
) -> Measure:
    """Put one server under load."""
    port, process = address
    before = busy(process)
    took = sorted(await load(port, request, seconds))
    spent = busy(process) - before
    return Measure(
        *what,
        round(len(took) / seconds),
        round(statistics.median(took) * 1000, 2),
        round(took[int(len(took) * 0.99)] * 1000, 2),
        round(spent / len(took) * 1000, 3),
    )


def busy(process: int) -> float:
    """Return the seconds of CPU that a process and its children took."""
    here = Path(f"/proc/{process}/task")
    threads = (each / "schedstat" for each in here.iterdir())
    children = (here / f"{process}/children").read_text().split()
    return sum(int(t.read_text().split()[0]) for t in threads) / 1e9 + sum(
        map(busy, map(int, children))
    )


def main() -> None:
    """Print a table, and write it as JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--tools", type=int, nargs="+", default=[7, 100])
    parser.add_argument(
        "--kinds", nargs="+", default=KINDS, choices=(*KINDS, WORKERS)
    )
    parser.add_argument("--storage", default="memory://")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    measures = []
    for tools in options.tools:
        with ExitStack() as stack:
            servers = {
                kind: stack.enter_context(
                    serving(kind, options.project, tools, options.storage)
                )
                for kind in options.kinds
            }
            measures += asyncio.run(rounds(servers, tools, options))
    report(measures)
    if options.json:
        rows = [asdict(m) for m in measures]
        options.json.write_text(json.dumps(rows, indent=2) + "\n", "utf-8")
    if options.plot:
        options.plot.write_text(plot.draw(medians(measures)), "utf-8")


def report(measures: list[Measure]) -> None:
    """Print the medians of the rounds, and their ratios to bare FastMCP."""
    print(
        f"{'era':12} {'tools':>5} {'server':10} {'req/s':>7} {'p50 ms':>7}"
        f" {'p99 ms':>7} {'CPU ms':>7} {'× bare':>7} {'p99 ×':>6} {'CPU ×':>6}"
    )
    shown = medians(measures)
    for m in shown:
        base = next(
            b
            for b in (*shown, m)
            if (b.server, b.era, b.tools) == ("bare", m.era, m.tools) or b is m
        )
        print(
            f"{m.era:12} {m.tools:5} {m.server:10} {m.requests:7.0f}"
            f" {m.p50:7.2f} {m.p99:7.2f} {m.cpu:7.3f}"
            f" {m.requests / base.requests:7.2f} {m.p99 / base.p99:6.2f}"
            f" {m.cpu / base.cpu:6.2f}"
        )


def medians(measures: list[Measure]) -> list[Measure]:
    """Return one measure for each server, era and number of tools."""
    groups: dict[tuple[str, int, str], list[Measure]] = {}
    for m in measures:
        groups.setdefault((m.era, m.tools, m.server), []).append(m)
    return [
        Measure(
            server,
            era,
            tools,
            *(
                round(statistics.median(getattr(m, name) for m in found), 3)
                for name in ("requests", "p50", "p99", "cpu")
            ),
        )
        for (era, tools, server), found in sorted(groups.items())
    ]


if __name__ == "__main__":
    main()
