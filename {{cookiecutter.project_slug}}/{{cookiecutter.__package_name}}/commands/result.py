"""What a caller gets of a command that has ended."""

import codecs
import json
from dataclasses import dataclass
from typing import Final

#: Characters that a result has as JSON besides its two texts.
_ENVELOPE: Final = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What a command wrote and how it ended.

    Attributes:
        exit_code: Its exit status, or the negative number of the signal that
            ended it.
        stdout: Its output as text; bytes that are none are replaced.
        stderr: What it wrote to its standard error.
        stdout_truncated: Whether there was more output than is kept.
        stderr_truncated: The same for its standard error.
        duration: Seconds from the call to the end.
    """

    exit_code: int
    stdout: str
    stderr: str
    stdout_truncated: bool
    stderr_truncated: bool
    duration: float


def text(data: bytes, *, cut: bool) -> str:
    """Return bytes as text that ends with a whole character where cut."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return decoder.decode(data, final=not cut)


def fit(stdout: str, stderr: str, limit: int) -> tuple[str, str]:
    """Return both texts cut so that the result fits as it is sent.

    JSON writes a line's end as two characters and others as six. Each text
    may have half of the room, and what the other leaves of its half.
    """
    room = max(limit - _ENVELOPE, 0)
    out, err = _length(stdout), _length(stderr)
    half = room // 2
    return (
        _cut(stdout, out, max(half, room - err)),
        _cut(stderr, err, max(half, room - out)),
    )


def _cut(whole: str, length: int, room: int) -> str:
    while length > room:
        whole = whole[: len(whole) * room // length]
        length = _length(whole)
    return whole


def _length(whole: str) -> int:
    return len(json.dumps(whole, ensure_ascii=False)) - 2
