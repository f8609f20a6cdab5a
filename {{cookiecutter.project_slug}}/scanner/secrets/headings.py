"""Values that are named elsewhere: by a column's head, or by their file."""

import itertools
import re
from collections.abc import Iterator

from ..model import Severity
from . import judge, names, passwords, tokens
from .names import Says
from .source import LONGEST, Kind, Secret, Source

Cell = tuple[int, bytes]  # where it starts, and what it holds
Table = tuple[list[bytes], Iterator[list[Cell]]]
COLUMN = Kind("MCP-SEC-012", "Passwords in a table", Severity.HIGH)
_MARKS = {".csv": b",;", ".tsv": b"\t"}
_CELL = (
    rb" *(?:\"(?P<double>(?:[^\"]|\"\")*)\"|'(?P<single>(?:[^']|'')*)'"
    rb"|(?P<bare>[^%b]*)) *(?:(?P<mark>%b)|%b)"
)
_CELLS = {
    mark: re.compile(_CELL % (mark, mark, b"$"))
    for mark in (b",", b";", b"\t")
}
_VALUES = re.compile(_CELL % (rb",)", b",", rb"(?=\))"))
_INSERT = re.compile(
    rb"[^\s()]{1,80}\s{0,9}\((?P<heads>[^()]{1,500})\)\s{0,9}values\s{0,9}\(",
    re.IGNORECASE,
)
_MARKDOWN = re.compile(
    rb"^[ \t]{0,8}\|(?P<heads>[^\n]{1,500})\|[ \t\r]*\n"
    rb"[ \t]{0,8}\|[ \t:|-]{3,200}\|[ \t\r]*\n"
    rb"(?P<rows>(?:[ \t]*\|[^\n]*(?:\n|\Z))+)",
    re.MULTILINE,
)
_ROW = re.compile(rb"^[ \t]*\|(?P<row>[^\r\n]+?)\|?[ \t\r]*$", re.MULTILINE)
_BAR = re.compile(rb"(?<!\\)\|")
_LINE = re.compile(rb"[^\r\n]+")
_ALONE = re.compile(rb"\s*(?P<value>\S{6,8192})\s*")
_SUFFIX = re.compile(r"\.(?:txt|secret|conf)$")


def columns(source: Source) -> Iterator[Secret]:
    """A column of a table is headed "password", and passwords stand in it.

    Exports and test users are forgotten in repositories; people use one
    password in many places. A table is told of once, however many rows it
    has. Hashes, placeholders and tables under tests/ are left alone.
    """
    for heads, rows in (
        *_tables(source),
        *_inserts(source),
        *_written(source),
    ):
        wanted = [at for at, head in enumerate(heads) if _is_password(head)]
        found = (
            Secret(COLUMN, *row[at], names.plain(heads[at]))
            for row in (rows if wanted else ())
            if len(row) == len(heads) and source.budget.spend()
            for at in wanted
        )
        yield from itertools.islice(filter(_credible, found), 1)


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


def _tables(source: Source) -> Iterator[Table]:
    """Yield the table that the file is (RFC 4180)."""
    marks = _MARKS.get(source.path[-4:].lower())
    lines = _LINE.finditer(source.data)
    head = next(lines, None)
    if marks is None or head is None:
        return
    form = _CELLS[bytes([max(marks, key=head[0].count)])]
    rows = (_cells(source.data, *line.span(), form) for line in lines)
    yield [cell for _, cell in _cells(source.data, *head.span(), form)], rows


def _inserts(source: Source) -> Iterator[Table]:
    """Yield the columns and the first row of each INSERT of SQL."""
    for at in source.all(b"insert into "):
        found = _INSERT.match(source.data, at)
        if found:
            heads = found["heads"].split(b",")
            end = found.end() + LONGEST
            row = _cells(source.data, found.end(), end, _VALUES)
            yield heads, iter([row])


def _written(source: Source) -> Iterator[Table]:
    """Yield the tables of Markdown; of two columns each row names its own."""
    if b"|-" not in source.data and b"| -" not in source.data:
        return
    for found in _MARKDOWN.finditer(source.data):
        if not source.budget.spend():
            return
        heads = _split(source.data, *found.span("heads"))
        lines = _ROW.finditer(source.data, *found.span("rows"))
        rows = [_split(source.data, *line.span("row")) for line in lines]
        yield [cell for _, cell in heads], iter(rows)
        for row in rows:
            if len(row) > 1 and not _is_password(heads[0][1]):
                yield [b"", row[0][1]], iter([row[:2]])


def _split(data: bytes, begin: int, end: int) -> list[Cell]:
    """Return the cells of a row of Markdown, without what marks them up."""
    cells: list[Cell] = []
    ends = [found.start() for found in _BAR.finditer(data, begin, end)]
    for stop in (*ends, end):
        bare = data[begin:stop].strip()
        for mark in (b"`", b"**"):
            if bare.startswith(mark) and bare.endswith(mark):
                bare = bare[len(mark) : -len(mark)]
        cells.append((data.find(bare, begin), bare))
        begin = stop + 1
    return cells


def _cells(
    data: bytes, at: int, end: int, form: re.Pattern[bytes]
) -> list[Cell]:
    """Return the cells of a row, each with where it starts."""
    cells: list[Cell] = []
    while found := form.match(data, at, end):
        group = next(
            each
            for each in ("double", "single", "bare")
            if found[each] is not None
        )
        cells.append((found.start(group), found[group]))
        if found["mark"] is None:
            break
        at = found.end()
    return cells


def _credible(secret: Secret) -> bool:
    return passwords.credible(secret.value, secret.name, bare=True)


def _is_password(head: bytes) -> bool:
    return names.says(names.plain(head)) is Says.PASSWORD
