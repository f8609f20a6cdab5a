"""A file in pieces, whatever its size and whatever is in it."""

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK = 2**18  # bytes that are looked at together
LONGEST = 8192  # bytes; no credential is longer
BEFORE = 256  # bytes before a credential in which its name stands
_SAMPLE = 8192  # bytes in which a NUL tells that the file is no text
_PRINTABLE = re.compile(rb"[\t\x20-\x7e]{8,}")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a file; it overlaps with the next.

    Attributes:
        first: The line on which it begins; None in what has no lines.
        begin: Where what it answers for begins.
        end: Where that ends.
    """

    data: bytes
    first: int | None
    begin: int
    end: int

    def owns(self, at: int) -> bool:
        """Tell whether this piece answers for the place."""
        return self.begin <= at < self.end

    def line(self, at: int) -> int | None:
        """Return the line of a place, counted from 1."""
        if self.first is None:
            return None
        return self.first + self.data.count(b"\n", 0, at)


def blocks(stream: BinaryIO) -> Iterator[Block]:
    """Yield the file piece by piece, so that no place is seen in half.

    UTF-16 becomes UTF-8; of what is no text the printable parts remain.
    """
    data = stream.read(BLOCK)
    read: Callable[[int], bytes] = stream.read
    if data.startswith(_UTF_16):
        decoder = codecs.getincrementaldecoder("utf-16")("replace")
        data = decoder.decode(data).encode()
        read = _decoding(stream, decoder)
    text = b"\0" not in data[:_SAMPLE]
    first, begin = 1, 0
    while data:
        more = read(BLOCK - LONGEST - BEFORE)
        end = len(data) - LONGEST if more else len(data)
        yield Block(data, first, begin, end) if text else _printable(data)
        rest = max(0, end - BEFORE)
        first += data.count(b"\n", 0, rest)
        begin = end - rest
        data = data[rest:] + more if more else b""


def _decoding(
    stream: BinaryIO, decoder: codecs.IncrementalDecoder
) -> Callable[[int], bytes]:
    return lambda size: decoder.decode(stream.read(size)).encode()


def _printable(data: bytes) -> Block:
    kept = b"\n".join(_PRINTABLE.findall(data))
    return Block(kept, None, 0, len(kept))
