"""Values that are named elsewhere: in a table's head, by the file's name."""

import re
from collections.abc import Iterator

from ..model import Severity
from . import judge, names, passwords, tokens
from .names import Says
from .source import Kind, Secret, Source

COLUMN = Kind("MCP-SEC-012", "Passwords in a table", Severity.MEDIUM)
_TABLES = {".csv": b",;", ".tsv": b"\t"}
_LINE = re.compile(rb"[^\r\n]+")
_ALONE = re.compile(rb"\s*(?P<value>\S{6,8192})\s*")
_SUFFIX = re.compile(r"\.(?:txt|secret|conf)$")


def columns(source: Source) -> Iterator[Secret]:
    """A column of a table is headed "password", and passwords stand in it.

    Exports and test users are forgotten in repositories; people use one
    password in many places. A table is told of once, however many rows it
    has. Hashes, placeholders and tables under tests/ are left alone.
    """
    marks = _TABLES.get(source.path[-4:].lower())
    lines = _LINE.finditer(source.data)
    head = next(lines, None)
    if marks is None or head is None:
        return
    mark = max(marks, key=head[0].count)
    cells = [cell for _, cell in _cells(head, mark)]
    wanted = [at for at, cell in enumerate(cells) if _is_password(cell)]
    for line in lines if wanted else ():
        row = _cells(line, mark)
        if len(row) != len(cells) or not source.budget.spend():
            continue  # a cell of several lines
        for at in wanted:
            start, value = row[at]
            name = names.plain(cells[at])
            if passwords.credible(value, name, bare=True):
                yield Secret(COLUMN, start, value, name)
                return


def files(source: Source) -> Iterator[Secret]:
    """Yield the value that is all there is in the file: its name names it."""
    found = _ALONE.fullmatch(source.data)
    if found is None or judge.hashed(found["value"]):
        return
    name = names.plain(
        _SUFFIX.sub("", source.path.rpartition("/")[2]).encode()
    )
    value = found["value"]
    if tokens.tells(name, value) and judge.random(value):
        yield Secret(tokens.ASSIGNED, found.start("value"), value, name)
    elif passwords.credible(value, name, bare=True):
        yield Secret(passwords.PASSWORD, found.start("value"), value, name)


def _cells(line: re.Match[bytes], mark: int) -> list[tuple[int, bytes]]:
    """Return the cells of a line (RFC 4180), each with where it starts."""
    sign = re.escape(bytes([mark]))
    cell = re.compile(rb'(?:"((?:[^"]|"")*)"|([^%b]*))(?:%b|$)' % (sign, sign))
    cells: list[tuple[int, bytes]] = []
    at, end = line.start(), line.end()
    while at <= end and (found := cell.match(line.string, at, end)):
        group = found.lastindex or 2
        cells.append((found.start(group), found[group] or b""))
        if found.end() == end and not found[0].endswith(bytes([mark])):
            break
        at = found.end()
    return cells


def _is_password(head: bytes) -> bool:
    return names.says(names.plain(head)) is Says.PASSWORD
