"""Searching files for a piece of text, in time linear in what is read."""

import codecs
import os
import time
from dataclasses import dataclass
from typing import Final, Literal

from ..errors import Refusal
from .directories import Below
from .files import open_file
from .paths import Names, length, show

Bound = Literal["results", "bytes", "seconds"]

#: Characters of a result as JSON besides its matches, and a few more.
ENVELOPE: Final = 120
#: Characters of a match besides its values: their names, and the comma.
FRAME: Final = len('{"path":,"line":,"text":},')

_BUFFER = 1 << 18
_CONTEXT = 200  # bytes shown before and behind what was found
_MAX_PATTERN = 1_000  # characters
_CONTINUATION = bytes(range(0x80, 0xC0))  # never the first of a character


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One line that holds the pattern.

    Attributes:
        path: The file, from the workspace.
        line: The number of the line, from 1; None in a binary file.
        text: The line, cut around the pattern where it is long; None in a
            binary file, which counts as one match.
    """

    path: str
    line: int | None
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What was found.

    Attributes:
        matches: The lines, by file in no particular order.
        truncated_because: The bound that ended the search early, if one did;
            ``results`` is their number, or all that fits into an answer.
        files: How many files were searched.
        skipped: How many files and directories could not be.
    """

    matches: tuple[Match, ...]
    truncated_because: Bound | None
    files: int
    skipped: int


class Search:
    """One search: what it looks for, what it may use, what it found.

    The pattern is taken literally. A regular expression that backtracks would
    let a caller buy hours with one line (CWE-1333).
    """

    def __init__(
        self,
        pattern: str,
        *,
        max_results: int,
        max_size: int,
        max_bytes: int,
        max_seconds: float,
    ) -> None:
        self._needle = _needle(pattern)
        self._max_results = max_results
        self._room = max_size - ENVELOPE
        self._bytes_left = max_bytes
        self._deadline = time.monotonic() + max_seconds
        self._buffer = bytearray(_BUFFER)
        self._matches: list[Match] = []
        self._files = 0
        self._skipped = 0
        self._bound: Bound | None = None

    def tree(self, tree: Below) -> SearchResult:
        """Search every file below a directory."""
        for names, parent, entry in tree:
            self._try(parent, entry, names)
            if self._late():
                break
        self._skipped += tree.skipped
        return self._result()

    def file(self, descriptor: int, names: Names) -> SearchResult:
        """Search one open file."""
        self._scan(descriptor, names)
        return self._result()

    def _result(self) -> SearchResult:
        return SearchResult(
            matches=tuple(self._matches),
            truncated_because=self._bound,
            files=self._files,
            skipped=self._skipped,
        )

    def _try(self, parent: int, entry: os.DirEntry[str], names: Names) -> None:
        try:
            if not entry.is_file(follow_symlinks=False):
                return
            descriptor = open_file(parent, entry.name)
            try:
                self._scan(descriptor, (*names, entry.name))
            finally:
                os.close(descriptor)
        except OSError:
            self._skipped += 1

    def _scan(self, descriptor: int, names: Names) -> None:
        """Search whole lines, a buffer of them at a time.

        A file is binary from its first NUL on and read no further: that ends
        sparse files soon. A line longer than the buffer is searched in parts
        that overlap.
        """
        self._files += 1
        buffer, view = self._buffer, memoryview(self._buffer)
        line, kept = 1, 0
        while not self._late():
            got = os.readv(descriptor, [view[kept:]])
            self._bytes_left -= got
            end = kept + got
            binary = buffer.find(0, kept, end) >= 0
            upto, done = self._searchable(kept, end, last=not got)
            more = self._lines(upto, line, names, binary=binary)
            if binary or not (more and got):
                return
            line += buffer.count(b"\n", 0, done)
            kept = end - done
            view[:kept] = view[done:end]

    def _late(self) -> bool:
        if self._bound is None:
            if self._bytes_left <= 0:
                self._bound = "bytes"
            elif time.monotonic() > self._deadline:
                self._bound = "seconds"
        return self._bound is not None

    def _searchable(
        self, kept: int, end: int, *, last: bool
    ) -> tuple[int, int]:
        """Return up to where to search, and what is not needed again."""
        if last:
            return end, end
        lines = self._buffer.rfind(b"\n", kept, end) + 1
        if lines or end < _BUFFER:
            return lines, lines
        return end, end - len(self._needle) + 1

    def _lines(
        self, upto: int, line: int, names: Names, *, binary: bool
    ) -> bool:
        """Take one match a line; tell whether the file is to be read on."""
        start = counted = 0
        while (at := self._buffer.find(self._needle, start, upto)) >= 0:
            line += self._buffer.count(b"\n", counted, at)
            text = None if binary else self._excerpt(at, upto)
            match = Match(
                path=show(names),
                line=None if text is None else line,
                text=text,
            )
            if not self._has_room(match):
                self._bound = "results"
                return False
            self._matches.append(match)
            counted = at
            start = self._buffer.find(b"\n", at, upto)
            if text is None or start < 0:
                return text is not None
        return True

    def _has_room(self, match: Match) -> bool:
        """Tell whether one more match may be told, and make room for it."""
        text = length(match.text) if match.text is not None else len("null")
        self._room -= FRAME + length(match.path) + text
        self._room -= len(str(match.line))
        return self._room >= 0 and len(self._matches) < self._max_results

    def _excerpt(self, at: int, upto: int) -> str | None:
        """Return the line around a match; None if it is not text."""
        first = max(0, at - _CONTEXT)
        last = min(upto, at + len(self._needle) + _CONTEXT)
        newline = self._buffer.rfind(b"\n", first, at) + 1
        end = self._buffer.find(b"\n", at, last)
        begin, stop = newline or first, last if end < 0 else end
        piece = bytes(self._buffer[begin:stop])
        if not newline:
            piece = piece.lstrip(_CONTINUATION)
        try:
            text, _ = codecs.utf_8_decode(piece, "strict", end >= 0)
        except UnicodeDecodeError:
            return None
        return text.removesuffix("\r")


def _needle(pattern: str) -> bytes:
    if not 0 < len(pattern) <= _MAX_PATTERN:
        raise Refusal(
            f"A pattern has 1 to {_MAX_PATTERN} characters.", reason="pattern"
        )
    try:
        needle = pattern.encode()
    except UnicodeEncodeError:
        needle = b"\0"
    if b"\n" in needle or b"\0" in needle:
        raise Refusal("A pattern is one line of text.", reason="pattern")
    return needle
