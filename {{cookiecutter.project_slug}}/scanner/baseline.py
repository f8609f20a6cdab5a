"""What earlier scans found, and what a person has accepted, with a reason."""

import dataclasses
import datetime as dt
import json
import os
import tempfile
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .model import CheckResult, Finding, Known, Severity, Standing
from .text import gives_reason

SCHEMA_VERSION = 1
MAX_SIZE = 16 * 2**20  # bytes

_UNREADABLE = (
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)


class BaselineError(Exception):
    """A baseline that cannot be used, in one line with what to do."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The known faults, and the fingerprints that checks asked to keep."""

    known: tuple[Known, ...] = ()
    components: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A scan beside its baseline.

    Attributes:
        standing: What each finding is: new, open or accepted.
        match: The baseline's entry for each finding that it holds.
        fixed: Entries for which a check that ran in full finds less.
    """

    standing: Mapping[Finding, Standing]
    match: Mapping[Finding, Known]
    fixed: tuple[Known, ...]


def load(path: Path) -> Baseline | None:
    """Read a baseline; None when there is none yet.

    Raises:
        BaselineError: It is there and cannot be read as one.
    """
    try:
        if path.stat().st_size > MAX_SIZE:
            raise ValueError
        data = json.loads(path.read_text("utf-8"))
        if data["schema_version"] != SCHEMA_VERSION:
            raise ValueError
        components = {str(k): str(v) for k, v in data["components"].items()}
        known = _grouped(_known(entry) for entry in data["findings"])
    except FileNotFoundError:
        return None
    except _UNREADABLE:
        raise BaselineError(
            f"{path}: the baseline cannot be read; mend it, or remove it and"
            " run with --update-baseline"
        ) from None
    return Baseline(known, components)


def compare(
    baseline: Baseline | None,
    checks: Sequence[CheckResult],
    today: dt.date,
) -> Comparison:
    """Tell new, open, accepted and fixed apart.

    An entry answers for as many findings as it counts, so that a second
    copy of an accepted fault is new.
    """
    held = sorted(
        (baseline or Baseline()).known, key=lambda e: e.status != "accepted"
    )
    places: dict[str, deque[Known]] = defaultdict(deque)
    for entry in held:
        places[entry.fingerprint].extend([entry] * entry.count)
    match = {
        finding: places[finding.fingerprint].popleft()
        for finding in _in_order(checks)
        if places[finding.fingerprint]
    }
    standing = {
        finding: _standing(finding, match.get(finding), today)
        for check in checks
        for finding in check.findings
    }
    seen = Counter(match.values())
    complete = _complete(checks)
    fixed = (e for e in held if seen[e] < e.count and e.check in complete)
    return Comparison(standing, match, tuple(fixed))


def updated(
    baseline: Baseline | None,
    checks: Sequence[CheckResult],
    comparison: Comparison,
) -> Baseline:
    """Return the baseline as this scan leaves it.

    What a person accepted stays as they wrote it; what is new becomes open;
    what is fixed goes. Of a check that did not run in full, all stays. A
    component that changed stays as it was until a person accepts the finding
    that says so.
    """
    old = baseline or Baseline()
    complete = _complete(checks)
    seen = Counter(comparison.match.values())
    kept = [
        dataclasses.replace(entry, count=seen[entry])
        if entry.check in complete
        else entry
        for entry in old.known
    ]
    new = [
        _entry(check.name, finding)
        for check in checks
        for finding in check.findings
        if finding not in comparison.match
    ]
    components = {
        name: value
        for name, value in old.components.items()
        if name.partition(":")[0] not in complete
    }
    for check in checks:
        for name, value in check.components.items():
            held = old.components.get(name, value)
            agreed = held == value or _is_accepted(value, check, comparison)
            components[name] = value if agreed else held
    return Baseline(_grouped([*kept, *new]), components)


def _is_accepted(
    value: str, check: CheckResult, comparison: Comparison
) -> bool:
    """Tell whether a person accepted what a component has become."""
    return any(
        value in finding.anchor
        and comparison.standing[finding] is Standing.ACCEPTED
        for finding in check.findings
    )


def write(path: Path, baseline: Baseline) -> None:
    """Replace the baseline's file at once: the old or the new, never half.

    Raises:
        BaselineError: It cannot be written.
    """
    order = sorted(baseline.known, key=lambda e: (e.id, e.path or "", e.count))
    data = {
        "schema_version": SCHEMA_VERSION,
        "findings": [dataclasses.asdict(entry) for entry in order],
        "components": dict(sorted(baseline.components.items())),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, json.dumps(data, indent=2) + "\n")
    except OSError as error:
        raise BaselineError(
            f"{path}: the baseline cannot be written: {error.strerror}"
        ) from None


def _replace(path: Path, text: str) -> None:
    number, name = tempfile.mkstemp(dir=path.parent, prefix=".baseline-")
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(number)
        Path(name).chmod(0o644)  # it is committed, and holds no secret
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _standing(
    finding: Finding, entry: Known | None, today: dt.date
) -> Standing:
    """Let a finding off only for a reason, in time, and not for worse."""
    if entry is None:
        return Standing.NEW
    worse = finding.severity.rank < Severity(entry.severity).rank
    if worse or not _accepted(entry, today):
        return Standing.OPEN
    return Standing.ACCEPTED


def _accepted(entry: Known, today: dt.date) -> bool:
    if entry.status != "accepted" or not gives_reason(entry.reason):
        return False
    return not entry.until or today < dt.date.fromisoformat(entry.until)


def _known(data: dict[str, Any]) -> Known:
    """Build an entry; a misspelt or mistyped part of one is refused.

    Raises:
        TypeError: A part is unknown, missing or of another type.
        ValueError: A severity, a date or a count is none.
    """
    no_path = ("path", None)
    entry = Known(**data)
    for item in dataclasses.fields(Known):
        value = getattr(entry, item.name)
        kind = int if item.name == "count" else str
        if not isinstance(value, kind) and (item.name, value) != no_path:
            raise TypeError(item.name)
    Severity(entry.severity)
    if entry.until:
        dt.date.fromisoformat(entry.until)
    if not 0 < entry.count <= 100_000:
        raise ValueError(entry.count)
    return entry


def _entry(check: str, finding: Finding) -> Known:
    return Known(
        fingerprint=finding.fingerprint,
        check=check,
        id=finding.id,
        severity=finding.severity.value,
        title=finding.title,
        path=finding.path,
    )


def _grouped(entries: Iterable[Known]) -> tuple[Known, ...]:
    """Count equal entries together; what counts nothing goes."""
    total: Counter[Known] = Counter()
    for entry in entries:
        total[dataclasses.replace(entry, count=1)] += entry.count
    return tuple(
        dataclasses.replace(entry, count=count)
        for entry, count in total.items()
        if count
    )


def _complete(checks: Iterable[CheckResult]) -> set[str]:
    return {check.name for check in checks if check.complete}


def _in_order(checks: Iterable[CheckResult]) -> list[Finding]:
    """Walk findings from top to bottom, so that matches are stable."""
    findings = [finding for check in checks for finding in check.findings]
    return sorted(findings, key=lambda f: (f.path or "", f.line or 0, f.id))
