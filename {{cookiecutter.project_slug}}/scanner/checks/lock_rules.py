"""What no resolver writes into a lock."""

import re
from collections import Counter
from collections.abc import Iterator
from posixpath import basename
from urllib.parse import unquote, urlsplit

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, canonicalize_version
from packaging.version import InvalidVersion
from pip._internal.models.index import PyPI

from ..advisories.lock import UV_LOCK
from ..advisories.packages import Package, host_of
from ..project import Project
from ..rules import Hit
from ..ruletable import ruled
from .dependency_rules import Subject, direct, hit_at
from .index_rules import named_hosts

_SUFFIX = re.compile(r"\.(?:tar\.\w+|tgz|zip)$")
PUBLIC = frozenset({PyPI.netloc, PyPI.file_storage_domain})
dependency_rule = ruled(__file__, on="")


@dependency_rule("MCP-DEP-013")
def by_hand(subject: Subject) -> Iterator[Hit]:
    """What is installed is not what a resolver chose and an index offers.

    A package that is asked for is missing, or one is there that nobody asks
    for; a version is outside of its bounds; a file belongs to another package
    or release. Whoever reviews a lock reads over such a line.
    """
    if subject.lock is None or subject.lock.path != UV_LOCK:
        return
    packages = subject.lock.packages
    asked = subject.lock.needs.union(*(each.needs for each in packages))
    for name in sorted(asked - {package.name for package in packages}):
        message = f"{name} is asked for, and not in it"
        yield Hit(path=subject.lock.path, message=message, anchor=message)
    bounds = _bounds(subject.project)
    for package in packages:
        wanted = bounds.get(package.key[0])
        if package.name not in asked:
            yield hit_at(subject, package, "is asked for by nobody")
        elif wanted and not _lets_in(wanted, package.version):
            yield hit_at(subject, package, f"is outside of {wanted}")
        elif strange := [f for f in package.files if not _is_of(f, package)]:
            file = basename(urlsplit(strange[0]).path)[:80]
            yield hit_at(subject, package, f"has a file of another, {file}")


@dependency_rule("MCP-DEP-014")
def elsewhere(subject: Subject) -> Iterator[Hit]:
    """An index that no setting names, or a host of files that is not usual.

    Settings are those of the project, and of uv and pip on this machine.

    The hash beside such an address is that of whoever wrote the address.
    """
    if subject.lock is None or subject.lock.path != UV_LOCK:
        return
    named = named_hosts(subject.project)
    packages = [p for p in subject.lock.packages if p.source == "registry"]
    files: dict[str, list[str]] = {}
    for package in packages:
        files.setdefault(package.host, []).extend(map(host_of, package.files))
    usually = {index: _usual(files[index]) for index in named & {*files}}
    usually.pop(PyPI.netloc, None)
    for package in packages:
        fine = named | PUBLIC | {usually.get(package.host, "")}
        if package.host not in named | {PyPI.netloc}:
            yield hit_at(subject, package, f"comes from {package.host}")
        elif others := {*map(host_of, package.files)} - fine:
            yield hit_at(subject, package, f"has a file at {min(others)}")


def _bounds(project: Project) -> dict[str, SpecifierSet]:
    """Return what the project says of versions, whatever the machine."""
    overridden = project.table("tool", "uv").get("override-dependencies")
    return {
        canonicalize_name(wanted.name): wanted.specifier
        for wanted in direct(project)
        if wanted.marker is None and not wanted.url and not overridden
    }


def _lets_in(bounds: SpecifierSet, version: str) -> bool:
    try:
        return bounds.contains(version, prereleases=True)
    except InvalidVersion:
        return False


def _is_of(address: str, package: Package) -> bool:
    """Tell whether a file's name is that of the release (PEP 427, 625)."""
    file = unquote(basename(urlsplit(address).path))
    if file.endswith(".whl"):
        name, version = f"{file}-".split("-")[:2]
    else:
        name, _, version = _SUFFIX.sub("", file).rpartition("-")
    release = canonicalize_name(name), canonicalize_version(version)
    return release == (package.key[0], canonicalize_version(package.version))


def _usual(places: list[str]) -> str:
    return Counter(places).most_common(1)[0][0] if places else ""
