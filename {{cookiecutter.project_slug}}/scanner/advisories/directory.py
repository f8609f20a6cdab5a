"""Advisories from a directory or an archive of OSV records, offline."""

import datetime as dt
import json
import os
import re
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from .. import documents
from ..model import State
from ..tools import ToolError
from .lock import Lock
from .records import Advisory, advisory, concerns

MAX_RECORD = 2**20  # bytes of one record
MAX_RECORDS = 1_000_000  # of all ecosystems together
_NAME = re.compile(r"\bname[\"']?\s*:\s*[\"']?([\w.-]+)")
_MODIFIED = re.compile(r"\bmodified[\"']?\s*:\s*[\"']?(\d{4}-\d\d-\d\d)")
_PYPI = re.compile(r"(?i)\becosystem[\"']?\s*:\s*[\"']?pypi\b")
_SUFFIXES = (".json", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Local:
    """What a directory says of a lock.

    Attributes:
        records: Those of packages on PyPI.
        newest: The day on which the newest of them was last changed.
    """

    advisories: tuple[Advisory, ...]
    records: int
    newest: dt.date


def search(place: Path, lock: Lock, today: dt.date) -> Local:
    """Match every package of the lock with every record there.

    A record from the future, or of another ecosystem, does not make a copy
    fresh.

    Raises:
        ToolError: There is nothing there, or a record cannot be read.
    """
    names = {name for name, _ in lock.audited}
    found: list[Advisory] = []
    days: list[dt.date] = []
    for number, (path, text) in enumerate(_texts(place)):
        if number >= MAX_RECORDS:
            raise ToolError(f"{place} holds more than {MAX_RECORDS} records")
        if not _PYPI.search(text):
            continue
        days += _days(text, today)
        if names & {canonicalize_name(n) for n in _NAME.findall(text)}:
            found += _matches(_record(path, text), lock)
    if not days:
        reason = f"{place} holds no OSV record of PyPI"
        raise ToolError(reason, State.NOT_RUN)
    return Local(tuple(found), len(days), max(days))


def _days(text: str, today: dt.date) -> list[dt.date]:
    """Return the day of a record's last change; none for no such day."""
    try:
        days = [*map(dt.date.fromisoformat, _MODIFIED.findall(text))]
    except ValueError:
        return []
    return [max(days)] if days and max(days) <= today else []


def _matches(record: Any, lock: Lock) -> Iterator[Advisory]:
    if isinstance(record, dict) and isinstance(record.get("id"), str):
        for name, version in lock.audited:
            if concerns(record, name, version):
                yield advisory(record, name, version)


def _record(path: str, text: str) -> Any:
    try:
        if path.endswith(".json"):
            return json.loads(text)
        return (documents.load(text) or [None])[0]
    except (ValueError, RecursionError, documents.Malformed):
        raise ToolError(f"{path} is no OSV record") from None


def _texts(place: Path) -> Iterator[tuple[str, str]]:
    """Yield every record's path and text; nothing is unpacked to disk."""
    try:
        if place.is_dir():
            yield from _files(place)
        elif zipfile.is_zipfile(place):
            yield from _zipped(place)
        else:
            yield from _tarred(place)
    except (OSError, tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise ToolError(f"{place} cannot be read ({error})") from None


def _files(place: Path) -> Iterator[tuple[str, str]]:
    for folder, _, names in os.walk(place):
        for name in sorted(names):
            path = Path(folder, name)
            if name.endswith(_SUFFIXES) and path.is_file():
                with path.open("rb") as stream:
                    yield str(path), _text(stream.read(MAX_RECORD))


def _zipped(place: Path) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(place) as archive:
        for name in archive.namelist():
            if name.endswith(_SUFFIXES):
                with archive.open(name) as stream:
                    yield name, _text(stream.read(MAX_RECORD))


def _tarred(place: Path) -> Iterator[tuple[str, str]]:
    with tarfile.open(place) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream and member.name.endswith(_SUFFIXES):
                yield member.name, _text(stream.read(MAX_RECORD))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
