import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress

import pytest

from {{ cookiecutter.__package_name }}.serving.lines import AHEAD, PIECE, LineReader

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


async def lines_of(reading: int, limit: int = 100) -> list[bytes | None]:
    return [line async for line in LineReader(reading, limit=limit)]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b"", []),
        (b"one\ntwo\n", [b"one", b"two"]),
        (b"one\n\ntwo\n", [b"one", b"", b"two"]),
        (b"unfinished", []),
        (b"x" * 100 + b"\n", [b"x" * 100]),
        (b"x" * 101 + b"\nnext\n", [None, b"next"]),
        (b"x" * 50_000 + b"\nnext\n", [None, b"next"]),
    ],
    ids=["nothing", "two", "empty", "unfinished", "limit", "long", "longer"],
)
async def test_lines_are_given_up_to_their_limit(
    pipe: Pipe, written: bytes, expected: list[bytes | None]
) -> None:
    os.write(pipe[1], written)
    os.close(pipe[1])
    assert await lines_of(pipe[0]) == expected


async def test_reading_ends_when_told(pipe: Pipe) -> None:
    reader = LineReader(pipe[0], limit=100)
    os.write(pipe[1], b"one\ntwo\n")
    found = []
    async for line in reader:
        found.append(line)
        reader.end()
    assert found == [b"one"]
    os.close(pipe[1])


async def test_no_more_is_read_than_is_taken(pipe: Pipe) -> None:
    """A client that sends faster than it is served has to wait."""
    os.set_blocking(pipe[1], False)
    LineReader(pipe[0], limit=100)
    sent = 0
    for _ in range(40):
        with suppress(BlockingIOError):
            while True:
                sent += os.write(pipe[1], b"x" * PIECE)
        await asyncio.sleep(0.01)
    assert sent <= (AHEAD + 2) * PIECE
    os.close(pipe[1])
