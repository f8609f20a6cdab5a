"""The packages that the project's lock names, one by one."""

import datetime as dt
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from ..project import Project
from . import requirements
from .packages import Malformed, Package
from .requirements import MAX_LOCK

UV_LOCK = "uv.lock"
NAMES = (UV_LOCK, "requirements.lock", "requirements.txt")
OTHERS = (
    r"(?:.*/)?(?:requirements[^/]*\.(?:txt|lock)|pylock(?:\.[^/]+)?\.toml"
    r"|(?:uv|poetry|pdm|Pipfile)\.lock)"
)
_OWN = frozenset({"virtual", "editable", "directory"})
_FORCED = {
    "constraints": "constraint-dependencies",
    "overrides": "override-dependencies",
}
_STRONG = ("sha256:", "sha384:", "sha512:")


# Each wish as group ("" for none), name and bounds.
Wishes = frozenset[tuple[str, str, frozenset[str]]]


@dataclass(frozen=True, slots=True)
class Lock:
    """What will be installed: each package by name and version.

    Attributes:
        made_for: What the project asked for when the lock was made; None
            where the lock does not tell.
        python: The Python that it was made for; empty where it is silent.
        needs: The packages that the project itself asks for.
        others: Other files that name packages, which were not read.
    """

    path: str
    packages: tuple[Package, ...]
    made_for: Wishes | None = None
    python: str = ""
    needs: frozenset[str] = frozenset()
    others: tuple[str, ...] = ()

    @property
    def audited(self) -> dict[tuple[str, str], Package]:
        """The packages of which an index, and so an advisory, can know."""
        return {p.key: p for p in self.packages if p.source == "registry"}


def read_lock(project: Project) -> Lock | None:
    """Read the first lock there is; None without one.

    Raises:
        Malformed: It is there and cannot be read.
        Unreadable: As ``Project.read``.
    """
    for name in NAMES:
        if project.exists(name):
            return _read(project, name)
    return None


def _read(project: Project, name: str) -> Lock:
    if name == UV_LOCK:
        lock = _uv(project.text(name, MAX_LOCK), _members(project))
        if lock.made_for is None and project.table("project"):
            raise Malformed(f"{UV_LOCK} was not made for this project")
        read = frozenset({name})
    else:
        packages, read = requirements.read(project, name)
        lock = Lock(name, tuple(packages))
    others = [path for path in project.named(OTHERS) if path not in read]
    return replace(lock, others=tuple(others))


def _members(project: Project) -> list[str]:
    """Return the patterns of the folders that are the project's own too."""
    members = project.table("tool", "uv", "workspace").get("members")
    return [*map(str, members)] if isinstance(members, list) else []


def _is_own(where: object, members: list[str]) -> bool:
    """Tell whether a folder is the project's, or a member of it."""
    parts = PurePosixPath(str(where)).parts
    return not parts or any(
        len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))
        for wanted in (PurePosixPath(member).parts for member in members)
        if ".." not in parts
    )


def wishes(project: Project) -> Wishes:
    """Return what pyproject.toml asks for, as ``Lock.made_for`` has it."""
    table = project.table("project")
    lists: list[tuple[str, Any]] = [("", table.get("dependencies"))]
    extras = project.table("project", "optional-dependencies")
    lists += [("", wanted) for wanted in extras.values()]
    groups = project.table("dependency-groups")
    lists += [(name, _flat(groups, name)) for name in groups]
    uv = project.table("tool", "uv")
    lists += [("dev", uv.get("dev-dependencies"))]
    lists += [(kind, uv.get(key)) for kind, key in _FORCED.items()]
    return frozenset(
        _wish(group, requirement.name, str(requirement.specifier))
        for group, wanted in lists
        for text in (wanted if isinstance(wanted, list) else ())
        if (requirement := _parsed(text)) is not None
    )


def _uv(text: str, members: list[str]) -> Lock:
    """Read uv.lock; the project itself is no package of it."""
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("name = "):
            lines.setdefault(line[8:-1], number)
    packages = []
    made_for = None
    needs: set[str] = set()
    own: set[str] = set()
    try:
        table = tomllib.loads(text)
        for entry in table["package"]:
            source, where = next(iter(entry["source"].items()))
            if source not in _OWN or not _is_own(where, members):
                line_of = lines.get(entry["name"])
                packages.append(_package(entry, source, line_of))
                continue
            own.add(entry["name"])
            needs |= _needs(entry)
            if where == ".":
                made_for = frozenset(
                    [
                        *_made_for(entry.get("metadata", {})),
                        *_forced(table.get("manifest", {})),
                    ]
                )
        python = str(table.get("requires-python", ""))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise Malformed(f"{UV_LOCK} is not of a known form") from error
    asked = frozenset(needs - own)
    return Lock(UV_LOCK, tuple(packages), made_for, python, asked)


def _needs(entry: Mapping[str, Any]) -> set[str]:
    """Collect the names of what an entry asks for, whatever the occasion."""
    lists = [entry.get("dependencies", [])]
    for key in ("optional-dependencies", "dev-dependencies"):
        lists += entry.get(key, {}).values()
    return {item["name"] for items in lists for item in items}


def _forced(
    manifest: Mapping[str, Any],
) -> Iterator[tuple[str, str, frozenset[str]]]:
    for kind in _FORCED:
        for item in manifest.get(kind, ()):
            if isinstance(item, dict):  # else a constraint of one's own
                yield _wish(kind, item["name"], item.get("specifier", ""))


def _made_for(
    metadata: Mapping[str, Any],
) -> Iterator[tuple[str, str, frozenset[str]]]:
    groups = [("", metadata.get("requires-dist", ()))]
    groups += [*metadata.get("requires-dev", {}).items()]
    for group, wanted in groups:
        for item in wanted:
            yield _wish(group, item["name"], item.get("specifier", ""))


def _wish(
    group: str, name: str, bounds: str
) -> tuple[str, str, frozenset[str]]:
    specifiers = frozenset(map(str, SpecifierSet(bounds)))
    return group, canonicalize_name(name), specifiers


def _flat(groups: Mapping[str, Any], name: str) -> list[Any]:
    """Return a group's requirements, and those of the groups it includes."""
    found: list[Any] = []
    seen = {name}
    waiting = [name]
    while waiting:
        wanted = groups.get(waiting.pop())
        for item in wanted if isinstance(wanted, list) else ():
            included = isinstance(item, dict) and item.get("include-group")
            if included and included not in seen:
                seen.add(included)
                waiting.append(included)
            found.append(item)
    return found


def _parsed(text: Any) -> Requirement | None:
    try:
        return Requirement(text) if isinstance(text, str) else None
    except InvalidRequirement:
        return None


def _package(
    entry: Mapping[str, Any], source: str, line: int | None
) -> Package:
    files = [*entry.get("wheels", ())]
    files += [entry["sdist"]] if "sdist" in entry else []
    times = [file["upload-time"] for file in files if "upload-time" in file]
    return Package(
        name=entry["name"],
        version=entry.get("version", ""),
        source=source,
        where=_address(str(entry["source"][source])),
        hashed=bool(files)
        and all(file.get("hash", "").startswith(_STRONG) for file in files),
        wheel="wheels" in entry,
        uploaded=max(map(dt.datetime.fromisoformat, times), default=None),
        line=line,
        files=tuple(_address(file["url"]) for file in files if "url" in file),
        needs=frozenset(_needs(entry)),
    )


def _address(text: str) -> str:
    """Return an address that can be taken apart.

    Raises:
        ValueError: It is none.
    """
    return urlsplit(text).geturl()
