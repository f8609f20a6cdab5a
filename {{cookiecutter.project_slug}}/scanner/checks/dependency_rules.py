"""What is wrong with a lock, before any advisory is asked for."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ..advisories import requirements
from ..advisories.lock import UV_LOCK, Lock, Wishes, wishes
from ..advisories.packages import Malformed, Package
from ..advisories.pythons import same_pythons
from ..model import Severity
from ..project import Project, Unreadable
from ..rules import Hit, anchored
from ..ruletable import ruled

PYPROJECT = "pyproject.toml"
PROTOCOL = frozenset({"fastmcp", "mcp"})  # each major version is another API
STALE_AFTER = dt.timedelta(days=90)
_COMMIT_OR_TAG = re.compile(
    r"(?:@|\brev\W{1,4})(?:[0-9a-f]{7,40}|v?\d[\w.]*)\b|\btag\W"
)
_BOUNDS = frozenset({"<", "<=", "==", "===", "~="})
dependency_rule = ruled(__file__, on="")


@dataclass(frozen=True, slots=True)
class Subject:
    """What the rules look at.

    Attributes:
        yanked: Releases that were taken back, and why.
        adverse: Projects that are quarantined, archived or deprecated.
    """

    project: Project
    lock: Lock | None
    now: dt.datetime
    yanked: dict[tuple[str, str], str] = field(default_factory=dict)
    adverse: dict[str, str] = field(default_factory=dict)


def direct(project: Project) -> Iterator[Requirement]:
    """Yield what the project itself asks for when it runs."""
    yield from _read(project.table("project").get("dependencies"))


def every_wish(project: Project) -> Iterator[Requirement]:
    """Yield what the project asks for, extras and groups included."""
    yield from direct(project)
    extras = project.table("project", "optional-dependencies")
    groups = project.table("dependency-groups")
    for wanted in (*extras.values(), *groups.values()):
        yield from _read(wanted)


def _read(wanted: object) -> Iterator[Requirement]:
    for text in wanted if isinstance(wanted, list) else ():
        try:
            yield Requirement(str(text))
        except InvalidRequirement:
            continue  # uv refuses it: the lock cannot match


@dependency_rule("MCP-DEP-001")
def no_lock(subject: Subject) -> Iterator[Hit]:
    """Without a lock nobody knows what is installed: neither can be audited.

    Each installation takes the newest release that fits, from whoever may
    publish it that day.
    """
    if subject.lock is None:
        yield Hit(path=PYPROJECT, message=f"no {UV_LOCK} beside it")


@dependency_rule("MCP-DEP-002")
def mismatch(subject: Subject) -> Iterator[Hit]:
    """What is audited is not what will be installed.

    A dependency was added, removed or bounded otherwise, and the lock was
    not made anew.
    """
    if subject.lock is None or subject.lock.made_for is None:
        return
    outside = frozenset(_outside(subject.project))
    made_for = _without_bounds(subject.lock.made_for, outside)
    asked = _without_bounds(wishes(subject.project), outside)
    differs = made_for ^ asked
    python = str(subject.project.table("project").get("requires-python", ""))
    if not same_pythons(python, subject.lock.python):
        differs |= {("", "Python", frozenset())}
    if differs and "dependencies" not in _dynamic(subject.project):
        names = sorted({name for _, name, _ in differs})
        yield Hit(
            path=subject.lock.path,
            message=f"pyproject.toml asks otherwise for {', '.join(names)}",
            anchor=anchored("mismatch", *sorted(map(_plain, differs))),
        )


@dependency_rule("MCP-DEP-003")
def no_hash(subject: Subject) -> Iterator[Hit]:
    """Whoever can change a file on its way can change what is installed.

    With a hash in the lock another file under the same name is refused.
    """
    for package in _packages(subject):
        if not package.hashed and package.source in {"registry", "url"}:
            yield hit_at(subject, package, "has no hash")


@dependency_rule("MCP-DEP-004")
def unbounded_protocol(subject: Subject) -> Iterator[Hit]:
    """A new major version of the protocol's library is another server.

    Its defaults, and with them what the controls can rely on, change with
    the next lock, without a line of this project having changed.
    """
    for wanted in _unbounded(subject.project, among_protocol=True):
        yield Hit(
            path=PYPROJECT,
            line=line_of(subject.project, wanted.name),
            message=f"{wanted} has no upper bound",
            anchor=canonicalize_name(wanted.name),
        )


@dependency_rule("MCP-DEP-005")
def unbounded(subject: Subject) -> Iterator[Hit]:
    """A new major version comes in with the next lock, unasked for.

    All of them are one finding: what is locked changes with a lock alone.
    """
    found = _unbounded(subject.project, among_protocol=False)
    if found:
        told = "has" if len(found) == 1 else "have"
        yield Hit(
            path=PYPROJECT,
            line=line_of(subject.project, found[0].name),
            message=f"{', '.join(map(str, found))} {told} no upper bound",
            anchor=" ".join(sorted(canonicalize_name(w.name) for w in found)),
        )


@dependency_rule("MCP-DEP-006")
def no_index(subject: Subject) -> Iterator[Hit]:
    """No advisory is published for a commit, an address or a folder.

    What is there can be replaced without a new version to tell of it; a
    branch of git's is, by whoever may push to it.
    """
    for package in _packages(subject):
        if package.source != "registry":
            what = f"comes from {package.source}"
            hit = hit_at(subject, package, what, package.where)
            yield _weighed(hit, package.source, package.where)
    outside = {p.key[0] for p in _packages(subject) if p.source != "registry"}
    for name, (kind, where) in _outside(subject.project).items():
        if kind not in {"workspace", "http"} and name not in outside:
            message = f"{name} is to come from {kind}"
            anchor = anchored(message, where)
            hit = Hit(path=PYPROJECT, message=message, anchor=anchor)
            yield _weighed(hit, kind, where)
    for path in subject.lock.others if subject.lock else ():
        for package in _beside(subject.project, path):
            if "://" in package.where:
                message = f"{package.name} is to come from {package.where}"
                yield Hit(
                    path=path,
                    line=package.line,
                    message=re.sub(r"//[^/\s]*@", "//", message),
                    anchor=anchored("outside", package.where),
                )


@dependency_rule("MCP-DEP-007")
def plain_http(subject: Subject) -> Iterator[Hit]:
    """Whoever sits on the way can answer in the index's place."""
    for package in _packages(subject):
        for place in (package.where, *package.files):
            parts = urlsplit(place)
            if parts.scheme == "http" and parts.hostname:
                what = f"comes from http://{parts.hostname}"
                yield hit_at(subject, package, what)
                break
    for name, (kind, _) in _outside(subject.project).items():
        if kind == "http":
            message = f"{name} is to come over http://"
            line = line_of(subject.project, name)
            yield Hit(path=PYPROJECT, line=line, message=message, anchor=name)


@dependency_rule("MCP-DEP-008")
def old_lock(subject: Subject) -> Iterator[Hit]:
    """Nothing in it is of the last 90 days: fixes since then are missing.

    The age is that of the newest file that the lock names.
    """
    times = [p.uploaded for p in _packages(subject) if p.uploaded]
    age = subject.now - max(times, default=subject.now)
    if subject.lock and age > STALE_AFTER:
        message = f"its newest package was published {age.days} days ago"
        anchor = "age"
        yield Hit(path=subject.lock.path, message=message, anchor=anchor)


@dependency_rule("MCP-DEP-009")
def taken_back(subject: Subject) -> Iterator[Hit]:
    """Its authors yanked it (PEP 592): it is broken, or worse.

    An installer takes it only where it is pinned, as a lock pins it.
    """
    for package in _packages(subject):
        if package.key in subject.yanked:
            why = subject.yanked[package.key] or "no reason is given"
            yield hit_at(subject, package, f"was yanked ({why})")


@dependency_rule("MCP-DEP-010")
def adverse(subject: Subject) -> Iterator[Hit]:
    """Its index marks the project (PEP 792).

    Archived and deprecated projects get no fixes; a quarantined one is
    suspected of being malicious: that is critical.
    """
    for package in _packages(subject):
        status = subject.adverse.get(package.key[0])
        if status:
            bad = status.lower() == "quarantined"
            hit = hit_at(subject, package, f"is {status}")
            severity = Severity.CRITICAL if bad else None
            yield Hit(
                path=hit.path,
                line=hit.line,
                message=hit.message,
                anchor=hit.anchor,
                severity=severity,
            )


@dependency_rule("MCP-DEP-011")
def unpinned(subject: Subject) -> Iterator[Hit]:
    """A version that is not named cannot be audited, nor installed twice.

    In a file of requirements beside the lock as well: somebody installs it.
    """
    for package in _packages(subject):
        if not package.version and package.source == "registry":
            yield hit_at(subject, package, "has no version")
    for path in subject.lock.others if subject.lock else ():
        loose = [
            package
            for package in _beside(subject.project, path)
            if not package.version and package.source == "registry"
        ]
        if loose:
            names = ", ".join(package.name for package in loose[:3])
            more = f" and {len(loose) - 3} more" if len(loose) > 3 else ""
            yield Hit(
                path=path,
                line=loose[0].line,
                message=f"{names}{more} without a version",
                anchor=anchored("unpinned", *(p.key[0] for p in loose)),
                severity=Severity.MEDIUM,
            )


@dependency_rule("MCP-DEP-015")
def unbounded_build(subject: Subject) -> Iterator[Hit]:
    """A build backend runs on every machine that builds, before any lock.

    Without an upper bound the next release runs there unasked for; from a
    commit or an address, whatever stands there that day.
    """
    wanted = subject.project.table("build-system").get("requires")
    for text in wanted if isinstance(wanted, list) else ():
        try:
            requirement = Requirement(str(text))
        except InvalidRequirement:
            continue
        outside = Severity.MEDIUM if requirement.url else None
        if outside or not bounded(requirement):
            told = "comes from outside any index" if outside else "unbounded"
            yield Hit(
                path=PYPROJECT,
                message=f"build-system.requires: {requirement.name} {told}",
                anchor=f"build {requirement.name}",
                severity=outside,
            )


def _beside(project: Project, path: str) -> list[Package]:
    """Return what a file beside the lock asks for."""
    if not path.endswith(".txt"):
        return []  # it is a lock, and has its own form
    try:
        return requirements.read(project, path)[0]
    except (Malformed, Unreadable):
        return []  # that it is not audited is said anyway


def _outside(project: Project) -> dict[str, tuple[str, str]]:
    """Return what is to come from no index: its kind of source, and where."""
    found: dict[str, tuple[str, str]] = {
        canonicalize_name(wanted.name): (_kind(wanted.url), wanted.url)
        for wanted in every_wish(project)
        if wanted.url
    }
    for name, wanted in project.table("tool", "uv", "sources").items():
        parts = wanted if isinstance(wanted, list) else [wanted]
        tables = [part for part in parts if isinstance(part, dict)]
        keys = {key for table in tables for key in table}
        if kinds := sorted(keys & {"git", "path", "url", "workspace"}):
            found[canonicalize_name(name)] = kinds[0], repr(tables)
    return found


def _weighed(hit: Hit, kind: str, where: str) -> Hit:
    """Make a hit worse where the source moves: a branch, or none named."""
    address = where.partition("#")[0]
    moves = kind == "git" and not _COMMIT_OR_TAG.search(address)
    return replace(hit, severity=Severity.HIGH) if moves else hit


def _kind(url: str) -> str:
    """Return what an address leads to, as uv's sources call it."""
    scheme = urlsplit(url).scheme.lower()
    first, _, rest = scheme.partition("+")
    if "http" in (scheme, rest):
        return "http"
    return first if rest else "url"


def _without_bounds(wanted: Wishes, names: frozenset[str]) -> Wishes:
    """Forget the bounds of what comes from no index, as a lock does."""
    return frozenset(
        (group, name, frozenset() if name in names else bounds)
        for group, name, bounds in wanted
    )


def _plain(wish: tuple[str, str, frozenset[str]]) -> str:
    group, name, bounds = wish
    return f"{group} {name} {','.join(sorted(bounds))}"


def _dynamic(project: Project) -> list[str]:
    dynamic = project.table("project").get("dynamic")
    return dynamic if isinstance(dynamic, list) else []


def _packages(subject: Subject) -> tuple[Package, ...]:
    return subject.lock.packages if subject.lock else ()


def bounded(wanted: Requirement) -> bool:
    """Tell whether a new major version does not come in by itself."""
    ends = any(each.operator in _BOUNDS for each in wanted.specifier)
    return ends or wanted.url is not None


def hit_at(
    subject: Subject, package: Package, what: str, value: str = ""
) -> Hit:
    """Return what a rule finds at a package's place in the lock.

    The value is what another fault of the kind would have otherwise, such
    as an address, and the message does not show.
    """
    named = f"{package.name} {package.version}".strip()
    return Hit(
        path=subject.lock.path if subject.lock else None,
        line=package.line,
        message=f"{named} {what}",
        anchor=anchored(f"{package.key[0]} {what}", value),
    )


def _unbounded(project: Project, *, among_protocol: bool) -> list[Requirement]:
    return [
        wanted
        for wanted in direct(project)
        if (canonicalize_name(wanted.name) in PROTOCOL) == among_protocol
        and not bounded(wanted)
    ]


def line_of(project: Project, name: str) -> int | None:
    """Return the line of pyproject.toml on which a package is asked for."""
    text: Any = project.text(PYPROJECT).splitlines()
    quoted = (f'"{name}', f"'{name}")
    lines = (
        n for n, line in enumerate(text, 1) if line.lstrip().startswith(quoted)
    )
    return next(lines, None)
