"""Telling what somebody typed in a row from what was drawn by chance."""

import functools
import re
from itertools import pairwise

KEPT = 256  # values whose judgement is remembered: each is asked for often
ROW = 5  # bytes along the keyboard are no chance
MOST = 0.8  # of a value; of a drawn one it is hardly ever 0.2
HALF = 0.5  # where nothing but a name speaks for the value
# What fingers and heads go along, each with its way back.
_ROWS = (
    b"01234567890",
    b"abcdefghijklmnopqrstuvwxyz",
    b"qwertyuiop",
    b"asdfghjkl",
    b"zxcvbnm",
)
_STEPS = frozenset(
    pair for row in _ROWS for way in (row, row[::-1]) for pair in pairwise(way)
) | {(byte, byte) for byte in range(256)}
_ALONG = re.compile(rb"\x01{%d,}" % (ROW - 1))


def typed(value: bytes, most: float = MOST) -> bool:
    """Tell whether somebody went along the keyboard or the alphabet.

    A finger rested on a key, went along a row, or did so with every other
    byte, as in ``a1b2c3``.
    """
    return _rows(value) > most * len(value)


@functools.lru_cache(KEPT)
def _rows(value: bytes) -> int:
    """Return how many bytes stand in rows, or would with others between."""
    value = value.lower()
    every_other = _along(value[::2]) + _along(value[1::2])
    return max(_along(value), every_other)


def _along(value: bytes) -> int:
    """Return how many bytes stand in rows."""
    steps = bytes(map(_STEPS.__contains__, pairwise(value)))
    return sum(len(row) + 1 for row in _ALONG.findall(steps))
