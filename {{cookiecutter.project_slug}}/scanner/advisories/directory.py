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
from ..tools import ToolError
from .lock import Lock
from .records import Advisory, advisory, concerns

MAX_RECORD = 2**20  # bytes of one record
MAX_RECORDS = 1_000_000
_NAME = re.compile(r"[\"']?\bname[\"']?:\s*[\"']?([\w.-]+)")
_MODIFIED = re.compile(r"[\"']?\bmodified[\"']?:\s*[\"']?(\d{4}-\d\d-\d\d)")
_SUFFIXES = (".json", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Local:
    """What a directory says of a lock.

    Attributes:
        newest: The day on which the newest record was last changed.
    """

    advisories: tuple[Advisory, ...]
    records: int
    newest: dt.date


def search(place: Path, lock: Lock) -> Local:
    """Match every package of the lock with every record there.

    Raises:
        ToolError: There is nothing there, or a record cannot be read.
    """
    names = {name for name, _ in lock.audited}
    found: list[Advisory] = []
    newest = ""
    count = 0
    for path, text in _texts(place):
        modified = max(_MODIFIED.findall(text), default="")
        newest = max(newest, modified)
        count += bool(modified)
        if names & {canonicalize_name(n) for n in _NAME.findall(text)}:
            found += _matches(_record(path, text), lock)
    if not count:
        raise ToolError(f"{place} holds no OSV record")
    return Local(tuple(found), count, dt.date.fromisoformat(newest))


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
