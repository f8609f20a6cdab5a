import asyncio

import h11
import pytest

from {{ cookiecutter.__package_name }}.serving import http, protocol, sockets
from tests.conftest import MakeSettings
from tests.serving.harness import read_answer, serving


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"nonsense\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 50_000, 431, "head_too_large"),
        (b"GET / HTTP/1.1\r\n", 408, "slow"),
    ],
)
async def test_what_is_refused_before_it_is_a_request_is_told(
    make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
    data: bytes,
    status: int,
    reason: str,
) -> None:
    monkeypatch.setattr(http, "HEAD_TIMEOUT", 0.3)
    async with serving(make_settings(MCP_TRANSPORT="http")) as served:
        answer = await served.raw(data)
        assert answer.status == status
        assert served.named("request_denied") == [
            {"reason": reason, "peer": "127.0.0.1"}
        ]


async def test_connections_leave_descriptors_for_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Small:
        RLIMIT_NOFILE = 7

        @staticmethod
        def getrlimit(which: int) -> tuple[int, int]:
            return 1024, 4096

    monkeypatch.setattr(sockets, "resource", Small)
    assert sockets.connections() == 1024 - sockets.RESERVE
    monkeypatch.setattr(sockets, "resource", None)
    assert sockets.connections() == sockets.CONNECTIONS


async def test_pipelined_requests_are_answered_in_their_order(
    make_settings: MakeSettings,
) -> None:
    async with serving(make_settings(MCP_TRANSPORT="http")) as served:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", served.port
        )
        one = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        other = b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"
        writer.write((one + other) * 10)
        statuses = [(await read_answer(reader)).status for _ in range(20)]
        assert statuses == [200, 404] * 10
        writer.close()


def connected() -> h11.Connection:
    return protocol._Connection(h11.SERVER, protocol.HEAD_SIZE, b"a: b\r\n")


@pytest.mark.parametrize(
    ("headers", "writes"),
    [
        ([(b"content-length", b"2")], [False, True, False]),
        ([], [True, True, True]),
    ],
    ids=["whole", "stream"],
)
def test_an_answer_that_is_whole_is_sent_at_once(
    headers: list[tuple[bytes, bytes]], writes: list[bool]
) -> None:
    connection = connected()
    connection.receive_data(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    connection.next_event()
    answer = h11.Response(status_code=200, headers=headers)
    sent = [
        connection.send(event) or b""
        for event in (answer, h11.Data(data=b"hi"), h11.EndOfMessage())
    ]
    assert [bool(data) for data in sent] == writes
    whole = b"".join(sent)
    assert whole.startswith(b"HTTP/1.1 200")
    assert whole.count(b"\r\na: b\r\n\r\n") == 1
    assert whole.count(b"hi") == 1


@pytest.mark.parametrize("end", [b"HEAD", b"GET"])
def test_an_answer_without_a_body_is_sent_all_the_same(end: bytes) -> None:
    connection = connected()
    connection.receive_data(end + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
    connection.next_event()
    length = b"0" if end == b"GET" else b"2"
    answer = h11.Response(
        status_code=200, headers=[(b"content-length", length)]
    )
    sent = connection.send(answer) + connection.send(h11.EndOfMessage())
    assert sent.startswith(b"HTTP/1.1 200")
    assert sent.endswith(b"\r\n\r\n")
