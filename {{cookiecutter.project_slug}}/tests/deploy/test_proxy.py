"""Four servers behind the real proxy, counting in one real Redis."""

import asyncio
import contextlib
import json
import os
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from {{ cookiecutter.__package_name }}.identity import address_id
from tests.deploy.running import (
    DEPLOY,
    Running,
    documents,
    eventually,
    free_port,
    program,
    run,
    serving,
    started,
    status_of,
)
from tests.serving.harness import INITIALIZE, JSON, call, call_headers

# Several servers start at once, and a busy machine takes its time.
pytestmark = pytest.mark.timeout(300)

SERVERS = 4
LIMIT = 20
TOGETHER = 8
LARGEST = 4  # MiB of a body
#: How a call ends whose answer had begun when the server was killed.
CUT_OFF = 0
EARLIER_CALL = {
    "jsonrpc": "2.0",
    "id": 2,
    "method": "tools/call",
    "params": {"name": "list_files", "arguments": {}},
}
CONFIG = (DEPLOY / "proxy/nginx.conf").read_text("utf-8")


@dataclass
class Stack:
    """The proxy, and the servers that are behind it."""

    folder: Path
    port: int
    servers: list[Running]
    tls: ssl.SSLContext

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def answers(self) -> bool:
        return status_of(f"{self.url}/health", verify=self.tls) == 200

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            base_url=self.url, verify=self.tls, trust_env=False, timeout=20
        )

    def events(self, name: str) -> list[dict[str, Any]]:
        logs = self.folder.glob("server-*/server.log")
        lines = [line for log in logs for line in log.read_text().splitlines()]
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [event for event in found if event["event"] == name]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything, started as deploy/compose.yaml would have it."""
    programs = program("nginx"), program("redis-server", "valkey-server")
    folder = tmp_path_factory.mktemp("proxy")
    with ExitStack() as running:
        yield _stack(running, *programs, folder)


async def test_what_clients_need_passes_and_the_rest_does_not(
    stack: Stack,
) -> None:
    async with stack.client() as client:
        paths = ("/health", "/ready", "/metrics", "/", "/mcp/../ready")
        statuses = [(await client.get(p)).status_code for p in paths]
        done = await _call(client, "list_files")

    assert statuses == [200, 404, 404, 404, 404]
    assert done.json()["result"]["isError"] is False


async def test_a_request_that_is_too_large_is_stopped_at_the_door(
    stack: Stack,
) -> None:
    async with stack.client() as client:
        answer = await client.post("/mcp", content=b"x" * (4 * 2**20 + 1))

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "length",
    [f"content-length: {LARGEST * 2**20}", "transfer-encoding: chunked"],
)
async def test_nobody_fills_the_place_for_bodies_alone(
    stack: Stack, length: str
) -> None:
    """At the same time it is served as long as it asks for little."""
    (place,) = documents(DEPLOY / "compose.yaml")[0]["services"]["proxy"][
        "tmpfs"
    ]
    room = int(place.partition("size=")[2].partition("m")[0])
    async with AsyncExitStack() as open_:
        statuses = [await _begin_body(stack, open_, length) for _ in range(12)]
        async with stack.client() as client:
            small = await _call(client, "list_files")

    assert {*statuses} == {b"", b"429"}
    assert 4 <= statuses.count(b"") * LARGEST <= room / 2
    assert small.status_code == 200


async def _begin_body(
    stack: Stack, open_: AsyncExitStack, length: str
) -> bytes:
    """Send all of a large body but its end; return the status, if any."""
    reader, writer = await asyncio.open_connection(
        "localhost", stack.port, ssl=stack.tls
    )
    open_.callback(writer.close)
    size = LARGEST * 2**20 - 2**16
    host = f"host: localhost:{stack.port}"
    head = f"POST /mcp HTTP/1.1\r\n{host}\r\n{length}\r\n"
    chunk = f"{size:x}\r\n" if "chunked" in length else ""
    writer.write(f"{head}\r\n{chunk}".encode() + b"x" * size)
    with contextlib.suppress(OSError):
        await writer.drain()
    try:
        line = await asyncio.wait_for(reader.readline(), 1)
    except TimeoutError:
        return b""
    return line.split()[1]


async def test_nobody_can_say_that_they_call_from_elsewhere(
    stack: Stack,
) -> None:
    async with stack.client() as client:
        await _call(client, "list_files", **{"x-forwarded-for": "192.0.2.9"})

    ours = {address_id("127.0.0.1"), address_id("::1")}
    done = stack.events("tool_request_completed")
    assert {event["client_id"] for event in done} <= ours


async def test_a_client_of_an_earlier_era_reaches_any_of_the_servers(
    stack: Stack,
) -> None:
    async with stack.client() as client:
        headers = {**JSON, "mcp-protocol-version": "2025-11-25"}
        hello = await client.post("/mcp", json=INITIALIZE, headers=headers)
        if session := hello.headers.get("mcp-session-id"):
            headers["mcp-session-id"] = session
        calls = [
            await client.post("/mcp", json=EARLIER_CALL, headers=headers)
            for _ in range(2 * SERVERS)
        ]

    assert {answer.status_code for answer in (hello, *calls)} == {200}


async def test_the_servers_count_as_one(stack: Stack) -> None:
    async with stack.client() as client:

        async def echo() -> str:
            answer = await _call(client, "echo", {"message": "1"})
            return str(answer.json()["result"]["isError"])

        ended = await _at_once(echo, 3 * LIMIT)

    # On a busy machine Redis may be too late to say that it has counted.
    late = len(stack.events("rate_limit_storage_failed"))
    assert LIMIT - late <= ended["False"] <= LIMIT
    refused = stack.events("rate_limit_exceeded")
    assert len(refused) == ended["True"] == 3 * LIMIT - ended["False"]


async def test_a_server_that_is_told_to_stop_costs_no_call(
    stack: Stack,
) -> None:
    ended = await _while_ending(stack, stack.servers.pop().popen.terminate)

    assert set(ended) == {200}


async def test_a_server_that_is_killed_costs_what_was_in_its_hands(
    stack: Stack,
) -> None:
    ended = await _while_ending(stack, stack.servers.pop().popen.kill)

    assert set(ended) <= {200, 502, CUT_OFF}
    assert ended[502] + ended[CUT_OFF] <= TOGETHER
    async with stack.client() as client:
        assert (await _call(client, "list_files")).status_code == 200


async def _while_ending(
    stack: Stack, end: Callable[[], None]
) -> "Counter[int]":
    """Return how calls ended, while one of the servers did."""
    calls = 0
    async with stack.client() as client:

        async def list_files() -> int:
            nonlocal calls
            calls += 1
            if calls == 100:
                end()
            try:
                answer = await _call(client, "list_files")
                while answer.status_code == 503:
                    # It has not begun: a client may repeat it in any case.
                    assert answer.headers["retry-after"]
                    answer = await _call(client, "list_files")
            except httpx2.RemoteProtocolError:
                return CUT_OFF
            return answer.status_code

        return await _at_once(list_files, 400)


async def _at_once(
    make: Callable[[], Awaitable[Any]], times: int
) -> "Counter[Any]":
    ended: Counter[Any] = Counter()
    left = iter(range(times))

    async def work() -> None:
        for _ in left:
            ended[await make()] += 1

    await asyncio.gather(*(work() for _ in range(TOGETHER)))
    return ended


async def _call(
    client: httpx2.AsyncClient,
    tool: str,
    arguments: dict[str, Any] | None = None,
    **headers: str,
) -> httpx2.Response:
    return await client.post(
        "/mcp",
        json=call(tool, arguments),
        headers={**call_headers(tool), **headers},
    )


def _stack(running: ExitStack, nginx: str, redis: str, folder: Path) -> Stack:
    port, counting = free_port(), free_port()
    certificate = _certificate(folder)
    running.enter_context(
        started(
            *(redis, "--port", str(counting), "--bind", "127.0.0.1"),
            *("--save", "", "--dir", folder),
            log=folder / "redis.log",
        )
    )

    def serve(number: int) -> Running:
        server = serving(
            folder / f"server-{number}",
            MCP_BASE_URL=f"https://localhost:{port}",
            MCP_METRICS_PORT=0,
            MCP_RATE_LIMIT="off",
            MCP_RATE_LIMIT_STORAGE=f"redis://127.0.0.1:{counting}/0",
            MCP_TOOL_RATE_LIMITS=f"echo={LIMIT}/hour",
            MCP_TRUSTED_PROXIES="127.0.0.0/8",
        )
        return running.enter_context(server)

    with ThreadPoolExecutor() as pool:
        servers = list(pool.map(serve, range(SERVERS)))
    config = _config(folder, port, servers)
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    log = folder / "nginx.log"
    popen = running.enter_context(started(nginx, "-c", config, *user, log=log))
    stack = Stack(folder, port, servers, certificate)
    eventually(lambda: stack.answers or popen.poll() is not None)
    assert popen.poll() is None, log.read_text("utf-8")
    return stack


def _config(folder: Path, port: int, servers: list[Running]) -> Path:
    """Write the proxy's configuration as it is, but for names and places."""
    there = "\n".join(f"server 127.0.0.1:{s.port};" for s in servers)
    text = "daemon off;\n" + CONFIG
    for old, new in {
        "server server:8080 resolve;": there,
        "listen 8443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/tmp/": f"{folder}/",  # noqa: S108 - replaced, not used
        "/run/secrets/": f"{folder}/",
        "rate=50r/s": "rate=5000r/s",
    }.items():
        assert old in text
        text = text.replace(old, new)
    file = folder / "nginx.conf"
    file.write_text(text, "utf-8")
    return file


def _certificate(folder: Path) -> ssl.SSLContext:
    """Make a certificate for localhost as deploy/up makes one."""
    run(
        *(program("openssl"), "req", "-x509", "-newkey", "ec"),
        *("-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
        *("-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        *("-keyout", folder / "tls.key", "-out", folder / "tls.crt"),
    )
    return ssl.create_default_context(cafile=folder / "tls.crt")
