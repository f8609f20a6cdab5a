"""Pinned requirements, with those of the files that they include."""

import re
from collections.abc import Iterator
from posixpath import dirname, join, normpath
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement

from ..project import Project, Unreadable
from .packages import Malformed, Package

MAX_LOCK = 64 * 2**20  # bytes
_CONTINUED = re.compile(r"\\\r?\n")
_HASH = re.compile(r"--hash[= ](sha256|sha384|sha512):[0-9a-f]{64,128}")
_INCLUDED = re.compile(r"(?:-r|--requirement)[ \t=]*(?P<path>\S+)")
_EDITABLE = re.compile(r"(?:-e|--editable)[ \t=]*(?P<where>\S+)")
_EGG = re.compile(r"#(?:.*&)?egg=([\w.-]+)")


def read(project: Project, path: str) -> tuple[list[Package], frozenset[str]]:
    """Return the packages, and the files in which they stand.

    A line is told only of the file itself, which a finding then names.

    Raises:
        Malformed: One of the files has a line that is no requirement, or is
            not in the project.
        Unreadable: As ``Project.read``, of the file itself.
    """
    found: list[Package] = []
    seen: list[str] = [path]
    for each in seen:  # which grows by what each includes
        try:
            text = project.text(each, MAX_LOCK)
        except Unreadable as error:
            if each == path:
                raise
            raise Malformed(f"{path} includes what is not there") from error
        for number, content in _lines(text):
            if included := _INCLUDED.match(content):
                name = normpath(join(dirname(each), included["path"]))
                seen += [name] if name not in seen else []
            elif package := _package(content, number if each == path else 0):
                found.append(package)
    return found, frozenset(seen)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield what stands there without comments, and on which line."""
    number = 1
    for line in _CONTINUED.sub(lambda _: "\0", text).split("\n"):
        content = re.sub(r"(^|\s)#.*", "", line.replace("\0", " ")).strip()
        if content:
            yield number, content
        number += 1 + line.count("\0")


def _package(content: str, line: int) -> Package | None:
    """Read a line; None for an option that names no package."""
    if editable := _EDITABLE.match(content):
        where = editable["where"]
        egg = _EGG.search(where)
        name = egg[1] if egg else where
        return Package(name, "", "editable", where, line=line or None)
    return None if content.startswith("-") else _requirement(content, line)


def _requirement(content: str, line: int) -> Package:
    """Read a requirement; what is not pinned has no version."""
    try:
        wanted = Requirement(re.split(r"\s--", content)[0])
        urlsplit(wanted.url or "")
    except (InvalidRequirement, ValueError) as error:
        raise Malformed(f"line {line} is no requirement") from error
    pins = [s.version for s in wanted.specifier if s.operator in {"==", "==="}]
    return Package(
        name=wanted.name,
        version=pins[0] if pins else "",
        source="url" if wanted.url else "registry",
        where=wanted.url or "",
        hashed=_HASH.search(content) is not None,
        line=line or None,
    )
