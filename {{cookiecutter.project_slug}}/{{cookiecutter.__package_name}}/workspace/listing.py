"""Listing a directory, or all that lies below it, up to a size."""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from .directories import Below
from .paths import Names, length, show

Kind = Literal["file", "directory", "link", "other"]

#: Characters of a listing as JSON besides its entries, and a few more.
ENVELOPE: Final = 80
#: Characters of an entry besides its values: their names, and the comma.
FRAME: Final = len('{"path":,"type":"","size":},')


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One name in the workspace.

    Attributes:
        path: The way from the workspace, with U+FFFD for what cannot be shown
            or asked for: control characters and bytes that are not UTF-8.
        type: What it is; links and special files are shown, never opened.
        size: Bytes, for a file; 0 for the rest.
    """

    path: str
    type: Kind
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a directory holds, in the order of the paths.

    Attributes:
        entries: The entries.
        truncated: Whether there are more than the entries here.
        skipped: Names and directories left out: gone, forbidden or too deep.
    """

    entries: tuple[Entry, ...]
    truncated: bool
    skipped: int


def list_entries(tree: Below, max_entries: int, max_size: int) -> Listing:
    """List what a tree holds: so many entries, in so many characters."""
    found: list[Entry] = []
    room, truncated = max_size - ENVELOPE, False
    for entry in _entries(tree):
        room -= _size(entry)
        truncated = room < 0 or len(found) == max_entries
        if truncated:
            break
        found.append(entry)
    return Listing(
        entries=tuple(sorted(found, key=lambda entry: entry.path)),
        truncated=truncated,
        skipped=tree.skipped,
    )


def _size(entry: Entry) -> int:
    """Return the characters that an entry has as JSON."""
    values = length(entry.path) + len(entry.type) + len(str(entry.size))
    return FRAME + values


def _entries(tree: Below) -> Iterable[Entry]:
    for names, _, entry in tree:
        try:
            yield _entry(names, entry)
        except OSError:  # removed since, most likely
            tree.skipped += 1


def _entry(names: Names, entry: os.DirEntry[str]) -> Entry:
    found = entry.stat(follow_symlinks=False)
    kind = _kind(found.st_mode)
    return Entry(
        path=show((*names, entry.name)),
        type=kind,
        size=found.st_size if kind == "file" else 0,
    )


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "directory"
    return "link" if stat.S_ISLNK(mode) else "other"
