"""What somebody with a socket and bad intentions can send."""

import asyncio
import gc
import json
import socket
import struct
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest

from {{ cookiecutter.__package_name }}.serving import http, sockets
from {{ cookiecutter.__package_name }}.serving.protocol import BoundedProtocol
from tests.conftest import MakeSettings
from tests.serving.harness import (
    JSON,
    Answer,
    Served,
    call,
    call_headers,
    client,
    post_call,
    read_answer,
    serving,
    text_of,
    until,
)
from tests.serving.processes import Process, process

SLOW = 500
POST = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\n" + b"".join(
    f"{k}: {v}\r\n".encode() for k, v in JSON.items()
)
MIB = 2**20


@pytest.fixture
async def served(make_settings: MakeSettings) -> AsyncIterator[Served]:
    settings = make_settings(MCP_TRANSPORT="http", MCP_REQUEST_TIMEOUT=1)
    async with serving(settings) as served:
        yield served


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server in a process of its own, whose memory can be measured."""
    with process(tmp_path_factory.mktemp("alone")) as running:
        yield running


async def honest_call(port: int) -> None:
    """Call a tool over a new connection."""
    url = f"http://127.0.0.1:{port}"
    async with client(base_url=url) as honest:
        answer = await post_call(honest, "echo", {"message": "hello"})
    assert text_of(answer) == "hello"


async def stream(port: int, *pieces: bytes, times: int = 1) -> Answer:
    """Send pieces until they are all sent or the server has had enough."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(read_answer(reader))
    with suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
        for _ in range(times):
            if answer.done():
                break
            writer.write(pieces[-1])
            await writer.drain()
    try:
        return await answer
    finally:
        writer.close()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"POST /mcp HTTP/1.1\r\nHost: loc",
        POST + b"content-length: 1000\r\n\r\n{",
        POST + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n",
    ],
    ids=["silent", "slow head", "slow body", "slow chunks"],
)
async def test_honest_client_is_answered_beside_500_slow_ones(
    alone: Process, data: bytes
) -> None:
    await honest_call(alone.port)
    slow = [
        await asyncio.open_connection("127.0.0.1", alone.port)
        for _ in range(SLOW)
    ]
    for _, writer in slow:
        writer.write(data)
        await writer.drain()
    await honest_call(alone.port)
    # It did not wait for the others to be given up.
    assert not any(reader.at_eof() for reader, _ in slow)
    for _, writer in slow:
        writer.close()


async def test_who_waits_longest_makes_room_for_who_speaks(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CONNECTIONS", 10)
    async with serving(make_settings(MCP_TRANSPORT="http")) as served:
        silent = [
            await asyncio.open_connection("127.0.0.1", served.port)
            for _ in range(10)
        ]
        await honest_call(served.port)
        assert await silent[0][0].read() == b""
        assert not silent[-1][0].at_eof()
        for _, writer in silent:
            writer.close()


@pytest.mark.parametrize(
    "data",
    [
        b"POST /mcp HTTP/1.1\r\nHost: loc",
        POST + b"content-length: 1000\r\n\r\n{",
        POST + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n",
    ],
    ids=["head", "body", "chunks"],
)
async def test_time_for_a_request_is_limited(
    make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
    data: bytes,
) -> None:
    monkeypatch.setattr(http, "HEAD_TIMEOUT", 1.0)
    settings = make_settings(MCP_TRANSPORT="http", MCP_REQUEST_TIMEOUT=1)
    async with serving(settings) as served:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", served.port
        )
        writer.write(data)
        dripping = asyncio.create_task(drip(writer))
        answer = await read_answer(reader)
        dripping.cancel()
        assert answer.status == 408
        assert await reader.read() == b""
        writer.close()


async def drip(writer: asyncio.StreamWriter) -> None:
    """Send something now and then, which does not make it live longer."""
    while True:
        await asyncio.sleep(0.25)
        writer.write(b"X")


async def test_unused_connection_is_closed(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "IDLE_TIMEOUT", 1)
    async with serving(make_settings(MCP_TRANSPORT="http")) as served:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", served.port
        )
        writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await read_answer(reader)).status == 200
        assert await reader.read() == b""
        writer.close()


async def test_client_that_does_not_read_is_dropped(served: Served) -> None:
    body = json.dumps(call("echo", {"message": "x" * 3 * MIB})).encode()
    headers = call_headers("echo")
    head = "POST /mcp HTTP/1.1\r\nHost: localhost\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in headers.items()
    )
    _, writer = await asyncio.open_connection(
        "127.0.0.1", served.port, limit=1024
    )
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()
    state = served.server.server_state
    await until(lambda: state.tasks)
    async with asyncio.timeout(10):
        await until(lambda: not state.tasks and not state.connections)
    writer.close()


@pytest.mark.parametrize(
    "data",
    [
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * MIB,
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: "
        + b"x" * 100_000
        + b"\r\n\r\n",
        b"GET /" + b"x" * MIB,
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
        + b"X: x\r\n" * 10_000
        + b"\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
        + b"X: x\r\n" * 200
        + b"\r\n",
    ],
    ids=[
        "header of 1 MiB",
        "header in one read",
        "address of 1 MiB",
        "10,000 headers",
        "200",
    ],
)
async def test_too_much_of_a_head_is_refused(
    alone: Process, data: bytes
) -> None:
    assert (await stream(alone.port, data, times=0)).status == 431
    await honest_call(alone.port)


async def test_endless_body_is_refused_within_bounded_memory(
    alone: Process,
) -> None:
    await honest_call(alone.port)
    before = alone.peak_memory()
    chunk = b"%x\r\n" % MIB + b"x" * MIB + b"\r\n"
    head = POST + b"transfer-encoding: chunked\r\n\r\n"
    answer = await stream(alone.port, head, chunk, times=1024)
    assert answer.status == 413
    assert alone.peak_memory() - before < 32 * MIB
    await honest_call(alone.port)


async def test_body_declared_endless_is_refused_at_once(
    alone: Process,
) -> None:
    head = POST + b"content-length: %d\r\n\r\n" % 2**30
    assert (await stream(alone.port, head, times=0)).status == 413


async def test_whoever_sends_on_after_the_answer_is_cut_off(
    alone: Process,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", alone.port)
    writer.write(POST + b"content-length: %d\r\n\r\n" % 2**30)
    assert (await read_answer(reader)).status == 413
    sent = 0
    with suppress(ConnectionError):
        while sent < 64:
            writer.write(b"x" * MIB)
            await writer.drain()
            sent += 1
    assert sent < 64
    writer.close()


async def test_crumbs_are_refused(alone: Process) -> None:
    """A body in chunks of one byte costs more than it is worth."""
    head = POST + b"transfer-encoding: chunked\r\n\r\n"
    crumbs = b"1\r\n \r\n" * 10_000
    answer = await stream(alone.port, head, crumbs, times=100)
    assert answer.status == 400


@pytest.mark.parametrize("protocol", ["2025-11-25", "2026-07-28"])
@pytest.mark.parametrize(
    "body",
    [
        b"[" * MIB,
        b'{"a":' * (MIB // 5),
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":'
        + b"[" * MIB
        + b"]" * MIB
        + b"}",
        b"[" + b"[]," * MIB + b"[]]",
    ],
    ids=["open arrays", "open objects", "deep arguments", "wide"],
)
async def test_json_bomb_is_refused_within_bounded_memory(
    alone: Process, body: bytes, protocol: str
) -> None:
    before = alone.peak_memory()
    head = (
        POST
        + (
            f"mcp-protocol-version: {protocol}\r\nmcp-method: tools/call\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        ).encode()
    )
    answer = await stream(alone.port, head + body, times=0)
    assert answer.status in {400, 413}
    assert alone.peak_memory() - before < 64 * MIB
    await honest_call(alone.port)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Content-Length: 5\r\nContent-Length: 6\r\n", 400),
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
        (b"Transfer-Encoding: chunked, identity\r\n", 501),
        (b"Transfer-Encoding: xchunked\r\n", 501),
        (b"Content-Length: +5\r\n", 400),
        (b"Content-Length : 5\r\n", 400),
        (b"Host: other\r\n", 400),
        (b"Content-Type: a/b\r\nContent-Type: c/d\r\n", 400),
        (b"Mcp-Method: ping\r\nmcp-method: tools/call\r\n", 400),
        (b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n", 400),
    ],
    ids=[
        *("two", "both", "last", "unknown", "sign", "space", "two hosts"),
        *("two types", "two methods", "two tokens"),
    ],
)
async def test_request_that_two_servers_would_read_differently_is_refused(
    alone: Process, headers: bytes, status: int
) -> None:
    """CWE-444: what one takes for a body, the other takes for a request."""
    data = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n"
    answer = await stream(alone.port, data, times=0)
    assert answer.status == status


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
        b"\x00" * 100 + b"\r\n\r\n",
        b"SSH-2.0-x\r\n\r\n",
    ],
    ids=["TLS", "zeros", "SSH"],
)
async def test_other_protocols_are_refused(
    alone: Process, data: bytes
) -> None:
    answer = await stream(alone.port, data, times=0)
    assert answer.status == 400


async def test_upgrade_to_another_protocol_is_not_done(
    served: Served,
) -> None:
    answer = await served.raw(
        b"GET /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Key: AAAA\r\n"
        b"Sec-WebSocket-Version: 13\r\n\r\n"
    )
    assert answer.status in {400, 404, 405, 406}


async def test_addresses_and_what_is_in_them_are_not_logged(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with served.client() as http:
        await http.get("/health", params={"token": "in-the-address"})
        await http.get("/mcp", params={"token": "in-the-address"})
    assert "in-the-address" not in "".join(
        record.getMessage()
        for record in caplog.records
        if not record.name.startswith(("httpx", "httpcore"))
    )


async def test_connection_that_is_reset_leaves_nothing(
    served: Served,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await read_answer(reader)
    held = [
        weakref.ref(each)
        for each in gc.get_objects()
        if issubclass(type(each), BoundedProtocol)
    ]
    at_once = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, at_once
    )
    writer.transport.abort()

    def is_gone() -> bool:
        gc.collect()
        return not any(each() for each in held)

    assert held
    async with asyncio.timeout(10):  # it was kept for more than a minute
        await until(is_gone)
