import json
from collections.abc import Iterable

import pytest
from starlette.types import Message, Receive, Scope, Send

from {{ cookiecutter.__package_name }}.serving.application import Observer
from {{ cookiecutter.__package_name }}.serving.body import SMALL, BodyLimit

LIMIT = 250_000
#: Just over what counts as small, so that its rest is waited for.
LARGE = b"x" * (SMALL + 1)


class Exchange:
    """One request to a limit, whose application reads and answers 200."""

    def __init__(self, chunks: Iterable[bytes], **headers: str) -> None:
        self.chunks = list(chunks)
        self.scope: Scope = {
            "type": "http",
            "client": ("192.0.2.1", 1234),
            "headers": [
                (k.replace("_", "-").encode(), v.encode())
                for k, v in headers.items()
            ],
        }
        self.status = 0
        self.read: bytes | None = None
        self.retry_after = ""

    async def receive(self) -> Message:
        if not self.chunks:
            return {"type": "http.disconnect"}
        body = self.chunks.pop(0)
        more = bool(self.chunks)
        return {"type": "http.request", "body": body, "more_body": more}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = dict(message["headers"])
            self.retry_after = headers.get(b"retry-after", b"").decode()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        self.read = message.get("body")
        await send(
            {"type": "http.response.start", "status": 200, "headers": []}
        )

    async def through(self, limit: BodyLimit) -> "Exchange":
        limit._app = self.app
        await limit(self.scope, self.receive, self.send)
        return self


def make(
    budget: int = LIMIT, on_event: Observer = lambda *_: None
) -> BodyLimit:
    async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    return BodyLimit(nothing, limit=LIMIT, budget=budget, on_event=on_event)


async def test_body_is_given_in_one_piece() -> None:
    exchange = Exchange([b"a", b"b", b"c"], transfer_encoding="chunked")
    await exchange.through(make())
    assert exchange.read == b"abc"


async def test_request_without_a_body_is_passed_on() -> None:
    exchange = await Exchange([b""]).through(make())
    assert exchange.status == 200


async def test_body_declared_too_large_is_refused_unread() -> None:
    exchange = Exchange([b"x"], content_length=str(LIMIT + 1))
    await exchange.through(make())
    assert exchange.status == 413
    assert exchange.chunks == [b"x"]


async def test_refusal_names_who_was_refused() -> None:
    told: list[object] = []
    limit = make(budget=0, on_event=lambda event, why: told.append(why))
    large = {"content_length": str(LIMIT + 1)}
    await Exchange([b"x"], **large).through(limit)
    await Exchange([LARGE, b"end"], transfer_encoding="chunked").through(limit)
    who = {"client_id": "192.0.2.1", "peer": "192.0.2.1"}
    assert told == [
        {"reason": "body_too_large", **who},
        {"reason": "busy", **who},
    ]


async def test_body_that_grows_too_large_is_refused_at_the_limit() -> None:
    pieces = [b"x" * 60_000] * 10
    exchange = Exchange(pieces, transfer_encoding="chunked")
    await exchange.through(make())
    assert exchange.status == 413
    assert len(exchange.chunks) == 5


async def test_body_of_just_the_limit_is_taken() -> None:
    exchange = Exchange([b"x" * LIMIT], content_length=str(LIMIT))
    assert (await exchange.through(make())).status == 200


async def test_broken_off_body_reaches_nobody() -> None:
    exchange = Exchange([], transfer_encoding="chunked")
    await exchange.through(make())
    assert exchange.status == 0
    assert exchange.read is None


async def test_large_bodies_share_a_budget_and_small_ones_do_not() -> None:
    limit = make(budget=LIMIT)
    first = Exchange([LARGE, b"end"], transfer_encoding="chunked")
    second = Exchange([LARGE, b"end"], transfer_encoding="chunked")
    third = Exchange([b"small", b"end"], transfer_encoding="chunked")
    receive = first.receive

    async def meanwhile() -> Message:
        if len(first.chunks) == 1:
            await second.through(limit)
            await third.through(limit)
        return await receive()

    first.receive = meanwhile  # type: ignore[method-assign] # others come in
    await first.through(limit)
    assert (second.status, second.retry_after) == (503, "1")
    assert third.status == 200


async def test_budget_is_given_back() -> None:
    limit = make(budget=LIMIT)
    for _ in range(3):
        exchange = Exchange([LARGE, b"end"], transfer_encoding="chunked")
        assert (await exchange.through(limit)).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"[]," * 60_000 + b"[]]",
        b'{"a":[' + b"1," * 99_999 + b"1]}",
    ],
    ids=["arrays", "numbers"],
)
async def test_json_of_very_many_values_is_refused(body: bytes) -> None:
    exchange = Exchange(
        [body],
        content_length=str(len(body)),
        content_type="application/json",
    )
    assert (await exchange.through(make())).status == 413


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"content": "a,b\n" * 30_000}).encode(),
        json.dumps({"content": '\\",[{' * 20_000}).encode(),
    ],
    ids=["commas", "quotes"],
)
async def test_what_stands_in_a_string_is_one_value(body: bytes) -> None:
    exchange = Exchange(
        [body],
        content_length=str(len(body)),
        content_type="application/json; charset=utf-8",
    )
    assert (await exchange.through(make())).status == 200


@pytest.mark.parametrize(
    "body",
    [
        '["∰",[],[]]'.encode("utf-16-le"),
        '["∰",[],[]]'.encode("utf-16"),
        '["∰",[],[]]'.encode("utf-32"),
        '["é"]'.encode("latin-1"),
        b'["\xed\xa0\x80"]',
        rb'["\ud83d"]',
        rb'["\uDE00\uD83D"]',
        rb'["\\\ud83d"]',
        rb'["\ud83d\ud83d\ude00"]',
    ],
    ids=[
        *("UTF-16", "marked UTF-16", "UTF-32", "Latin-1", "raw half"),
        *("half", "wrong order", "half behind a backslash", "three halves"),
    ],
)
async def test_json_that_is_not_utf_8_is_refused(body: bytes) -> None:
    exchange = Exchange(
        [body],
        content_length=str(len(body)),
        content_type="application/json",
    )
    assert (await exchange.through(make())).status == 400


@pytest.mark.parametrize(
    "text", ["😀", "é", "\\ud83d", "\\\\ud83d", '\\"\\u0041', "\ud7ff\ue000"]
)
@pytest.mark.parametrize("ascii_only", [True, False])
async def test_any_text_is_taken(text: str, ascii_only: bool) -> None:
    body = json.dumps([text], ensure_ascii=ascii_only).encode()
    exchange = Exchange(
        [body],
        content_length=str(len(body)),
        content_type="application/json",
    )
    assert (await exchange.through(make())).read == body
