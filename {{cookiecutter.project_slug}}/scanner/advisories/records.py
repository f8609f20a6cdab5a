"""OSV records: which versions each concerns, and how bad it is.

https://ossf.github.io/osv-schema/
"""

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ..model import Severity

_LIBRARY: Any = importlib.import_module("cvss")  # it tells no types
_CVSS = {
    "CVSS_V2": _LIBRARY.CVSS2,
    "CVSS_V3": _LIBRARY.CVSS3,
    "CVSS_V4": _LIBRARY.CVSS4,
}
_FLOORS = (  # https://www.first.org/cvss/v3.1/specification-document, 5
    (9.0, Severity.CRITICAL),
    (7.0, Severity.HIGH),
    (4.0, Severity.MEDIUM),
    (0.0, Severity.LOW),
)
_WORDS = {
    "CRITICAL": Severity.CRITICAL,
    "HIGH": Severity.HIGH,
    "MODERATE": Severity.MEDIUM,
    "MEDIUM": Severity.MEDIUM,
    "LOW": Severity.LOW,
}
MAX_SCORE = 10.0
_FIRST = Version("0.dev0")  # what the schema calls 0
_BEGINS = re.compile(r"CVSS:([34])\.")
_PREFERRED = ("PYSEC-", "GHSA-", "CVE-")


@dataclass(frozen=True, slots=True)
class Advisory:
    """A known vulnerability of one version of one package.

    Attributes:
        ids: All its names: of OSV, GitHub, CVE …
        severity: None where no record tells.
    """

    name: str
    version: str
    ids: frozenset[str]
    summary: str = ""
    fixed: frozenset[str] = field(default_factory=frozenset)
    severity: Severity | None = None

    @property
    def id(self) -> str:
        """The name that is the same whichever source told of it."""
        return min(self.ids, key=_preference)


def merge(advisories: Iterable[Advisory]) -> list[Advisory]:
    """Make one of those that share a name: a fault is told of once."""
    merged: list[Advisory] = []
    for new in advisories:
        same = [a for a in merged if _same(a, new)]
        merged = [a for a in merged if a not in same]
        merged.append(_joined([*same, new]))
    return sorted(merged, key=lambda a: (a.name, a.version, a.id))


def severity(record: Mapping[str, Any]) -> Severity | None:
    """Return the worst that a record says of itself; None for nothing.

    What was published to do harm (``MAL-…``) is as bad as can be.
    """
    if str(record.get("id")).startswith("MAL-"):
        return Severity.CRITICAL
    affected = [a for a in _list(record, "affected") if isinstance(a, dict)]
    found = [
        rated
        for part in [record, *affected]
        for rated in (*_scores(part), *_said(part))
    ]
    return min(found, key=lambda each: each.rank, default=None)


def concerns(record: Mapping[str, Any], name: str, version: str) -> bool:
    """Tell whether a record concerns this version of a package on PyPI.

    One that names a package and no version of it leaves none out.
    """
    if record.get("withdrawn"):
        return False
    return any(
        _lists(affected, version)
        or any(_within(r, version) for r in _list(affected, "ranges"))
        or not (_list(affected, "versions") or _list(affected, "ranges"))
        for affected in _list(record, "affected")
        if _is_named(affected, name)
    )


def advisory(record: Mapping[str, Any], name: str, version: str) -> Advisory:
    """Say of this version what the record says."""
    ids = [record["id"], *_list(record, "aliases")]
    events = [
        event
        for affected in _list(record, "affected")
        if _is_named(affected, name)
        for r in _list(affected, "ranges")
        if r.get("type") != "GIT"
        for event in _list(r, "events")
    ]
    text = str(record.get("summary") or record.get("details") or "")
    return Advisory(
        name=name,
        version=version,
        ids=frozenset(map(str, ids)),
        summary=text.strip().partition("\n")[0],
        fixed=frozenset(str(e["fixed"]) for e in events if "fixed" in e),
        severity=severity(record),
    )


def _preference(name: str) -> tuple[int, str]:
    kinds = [name.startswith(prefix) for prefix in _PREFERRED]
    return (kinds.index(True) if any(kinds) else len(kinds)), name


def _same(one: Advisory, other: Advisory) -> bool:
    place = (one.name, one.version) == (other.name, other.version)
    return place and bool(one.ids & other.ids)


def _joined(parts: Sequence[Advisory]) -> Advisory:
    rated = [part.severity for part in parts if part.severity]
    return Advisory(
        name=parts[0].name,
        version=parts[0].version,
        ids=frozenset().union(*(part.ids for part in parts)),
        summary=max((part.summary for part in parts), key=len),
        fixed=frozenset().union(*(part.fixed for part in parts)),
        severity=min(rated, key=lambda s: s.rank, default=None),
    )


def _list(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def _scores(part: Mapping[str, Any]) -> Iterator[Severity]:
    """Rate the CVSS vectors, as FIRST's calculators do."""
    for item in _list(part, "severity"):
        try:
            score = _score(str(item["type"]), str(item["score"]))
        except (_LIBRARY.exceptions.CVSSError, LookupError, ValueError):
            continue
        if 0 <= score <= MAX_SCORE:
            yield next(s for floor, s in _FLOORS if score >= floor)


def _score(kind: str, text: str) -> float:
    """Read a vector by its own beginning, or the number that it came to.

    Raises:
        LookupError: It is of no kind that is known.
        ValueError: It is neither a vector nor a number.
    """
    begins = _BEGINS.match(text)
    known = _CVSS[f"CVSS_V{begins[1]}" if begins else kind]
    if "/" not in text:
        return float(text)
    return float(known(text).scores()[0])


def _said(part: Mapping[str, Any]) -> Iterator[Severity]:
    for key in ("database_specific", "ecosystem_specific"):
        said = part.get(key)
        word = said.get("severity") if isinstance(said, Mapping) else None
        if str(word).upper() in _WORDS:
            yield _WORDS[str(word).upper()]


def _is_named(affected: Any, name: str) -> bool:
    package = affected.get("package") if isinstance(affected, dict) else None
    return (
        isinstance(package, Mapping)
        and str(package.get("ecosystem")).partition(":")[0].lower() == "pypi"
        and canonicalize_name(str(package.get("name"))) == name
    )


def _lists(affected: Mapping[str, Any], version: str) -> bool:
    wanted = _version(version)
    return any(
        str(listed) == version or (wanted and _version(listed) == wanted)
        for listed in _list(affected, "versions")
    )


def _within(spread: Mapping[str, Any], version: str) -> bool:
    """Evaluate a range's events in their order (OSV schema, "evaluation").

    What cannot be compared ends nothing: then the version is concerned.
    """
    if spread.get("type") == "GIT":
        return False
    wanted = _version(version)
    if wanted is None:
        return True
    inside = False
    for at, kind in sorted(_events(spread)):
        if kind == "introduced" and wanted >= at:
            inside = True
        elif (kind == "fixed" and wanted >= at) or (
            kind == "last_affected" and wanted > at
        ):
            inside = False
    return inside


def _events(spread: Mapping[str, Any]) -> Iterator[tuple[Version, str]]:
    """Yield the events; it came no later than what is listed before it."""
    last = _FIRST
    for event in _list(spread, "events"):
        for kind, text in event.items():
            at = _FIRST if str(text) == "0" else _version(text)
            if at is None and kind == "introduced":
                at = last
            if at is not None:
                last = at
                yield at, kind


def _version(text: Any) -> Version | None:
    try:
        return Version(str(text))
    except InvalidVersion:
        return None
