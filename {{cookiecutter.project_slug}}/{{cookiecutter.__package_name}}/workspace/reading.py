"""Reading a part of a file: bounded, and never half a character."""

import codecs
import os
from dataclasses import dataclass

_LONGEST = 4  # bytes in the longest UTF-8 character
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A part of a file.

    Attributes:
        data: The bytes as they are.
        text: The same as text; None where they are not UTF-8 or hold a NUL.
        offset: Where the part begins: up to three bytes behind the place that
            was asked for, if that lay inside a character.
        size: The size of the file in bytes, as the system tells it.
        next_offset: Where the next part begins; None at the end of the file.
    """

    data: bytes
    text: str | None
    offset: int
    size: int
    next_offset: int | None


def read_chunk(descriptor: int, offset: int, limit: int) -> Chunk:
    """Return at most ``limit`` bytes from ``offset`` on.

    A character longer than the limit comes whole, so that a reader always
    gets on. The end is where reading ends, not where the size says: a file
    may grow or shrink meanwhile, and those in /proc have none.
    """
    lead = min(offset, _LONGEST - 1)
    raw = _read(descriptor, offset - lead, lead + limit + 2 * _LONGEST)
    _, skipped = straddling(raw[:lead], raw[lead:])
    begin = lead + skipped
    body = raw[begin:]
    data = _cut(body[:limit], body[limit:])
    text, data = _decode(data)
    start = offset + skipped
    more = len(data) < len(body)
    return Chunk(
        data=data,
        text=text,
        offset=start,
        size=os.fstat(descriptor).st_size,
        next_offset=start + len(data) if more else None,
    )


def straddling(left: bytes, right: bytes) -> tuple[int, int]:
    """Return how many bytes of one character lie on each side of a cut."""
    for before in range(1, min(len(left), _LONGEST - 1) + 1):
        for behind in range(1, min(len(right), _LONGEST - before) + 1):
            try:
                letters = (left[-before:] + right[:behind]).decode()
            except UnicodeDecodeError:
                continue
            if len(letters) == 1:
                return before, behind
    return 0, 0


def _read(descriptor: int, offset: int, count: int) -> bytes:
    pieces = []
    while count > 0:
        piece = os.pread(descriptor, min(count, _PIECE), offset)
        if not piece:
            break
        pieces.append(piece)
        offset += len(piece)
        count -= len(piece)
    return b"".join(pieces)


def _cut(data: bytes, rest: bytes) -> bytes:
    """Move the end off the middle of a character, backwards if it can."""
    before, behind = straddling(data, rest)
    if before < len(data):
        return data[: len(data) - before]
    return data + rest[:behind]


def _decode(data: bytes) -> tuple[str | None, bytes]:
    """Return the text, if it is one, and the bytes that it stands for.

    A file that is being appended to may end in half a character. The half is
    left for the next part.
    """
    if b"\0" in data:
        return None, data
    try:
        text, used = codecs.utf_8_decode(data, "strict", False)
    except UnicodeDecodeError:
        return None, data
    return (text, data[:used]) if used or not data else (None, data)
