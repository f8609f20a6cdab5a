"""What a scan finds and reports; every other module speaks in these."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from . import owasp


class Severity(StrEnum):
    """How bad a finding is, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the worst, so that severities sort as people read them."""
        return list(Severity).index(self)


class State(StrEnum):
    """How a check ended; only ``PASSED`` is a pass."""

    PASSED = "passed"
    FINDINGS = "findings"
    NOT_RUN = "not_run"
    NOT_APPLICABLE = "not_applicable"
    ERROR = "error"


class Standing(StrEnum):
    """What the baseline says of a finding; only ``ACCEPTED`` is let off."""

    NEW = "new"
    OPEN = "open"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What a rule looks for, why it matters and what to do about it.

    Attributes:
        owasp: The number of an item of the OWASP MCP Top 10, such as MCP05;
            empty where none fits.
    """

    id: str
    severity: Severity
    title: str
    cwe: str | None
    owasp: str
    remedy: str
    explanation: str

    @property
    def risk(self) -> str:
        """The item's number and name."""
        return owasp.named(self.owasp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault, at one place.

    Attributes:
        id: The rule's id (``MCP-…``).
        path: Relative to the project, with ``/``; None for the whole project.
        line: Counted from 1.
        anchor: What names the place when lines move, such as the line's text
            without its indentation. Never a secret's value.
    """

    id: str
    severity: Severity
    title: str
    message: str
    remediation: str
    path: str | None = None
    line: int | None = None
    cwe: str | None = None
    anchor: str = ""

    @property
    def told(self) -> str:
        """The fault in a sentence: of what kind it is, and what is there."""
        if self.message == self.title:
            return self.title
        return f"{self.title}: {self.message}"

    @property
    def fingerprint(self) -> str:
        """The same for the same fault, wherever its lines have moved."""
        parts = (self.id, self.path or "", self.anchor or self.message)
        text = "\0".join(parts).encode("utf-8", "surrogateescape")
        return hashlib.sha256(text).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of what there is was looked at."""

    unit: str
    covered: int
    total: int

    def __str__(self) -> str:
        """As reports say it."""
        return f"{self.covered} of {self.total} {self.unit}"

    @property
    def partial(self) -> bool:
        """True when something was left out."""
        return self.covered < self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What one check says; it may have findings and be incomplete as well.

    Attributes:
        reason: Why it did not run, failed or covered only a part.
        components: Fingerprints that the baseline keeps, such as one for
            each tool that the server offers (``surface:read_file``).
        stale: What it knows may be out of date, such as advisories that were
            not fetched in this run: no A+.
        selected: False when ``--only`` or ``--skip`` left it out.
    """

    name: str
    state: State
    reason: str = ""
    tool: str | None = None
    tool_version: str | None = None
    duration_seconds: float = 0
    coverage: Coverage | None = None
    findings: tuple[Finding, ...] = ()
    components: Mapping[str, str] = field(default_factory=dict)
    stale: bool = False
    selected: bool = True

    @property
    def complete(self) -> bool:
        """True when it ran, and over all there is."""
        if self.state in {State.NOT_RUN, State.ERROR}:
            return False
        return self.coverage is None or not self.coverage.partial


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked of the checks.

    Attributes:
        offline: Contact nothing beyond this machine.
        advisories: A URL of an OSV service or a directory of OSV records.
        timeout: Seconds that one outside program may take.
        components: What the baseline holds of ``CheckResult.components``;
            None when there is no baseline.
        now: The moment against which ages are counted.
    """

    offline: bool = False
    advisories: str | None = None
    history: bool = False
    probe: bool = True
    probe_open_world: bool = False
    timeout: float = 60.0
    components: Mapping[str, str] | None = None
    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the baseline holds about one fault, at one or more places.

    Attributes:
        severity: The worst that was accepted; a worse one counts again.
        count: At how many places with the same fingerprint.
        status: ``open``, or ``accepted`` by a person, who says why.
        until: An ISO date on which it counts again; empty for none.
    """

    fingerprint: str
    check: str
    id: str
    severity: str
    title: str
    path: str | None = None
    count: int = 1
    status: str = "open"
    reason: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One scan, judged, as every format shows it.

    Attributes:
        project: The distribution's name.
        grade: A letter, with ``(incomplete)`` where something was not seen;
            None when there is none to give.
        counts: The findings that count, by severity.
        standing: What the baseline says of each finding.
        accepted: Why the accepted ones were accepted.
        fixed: What the baseline held and this scan no longer finds.
        rules: The rules behind the findings, by id.
    """

    project: str
    timestamp: dt.datetime
    checks: tuple[CheckResult, ...]
    overall_status: str
    grade: str | None
    counts: Mapping[Severity, int]
    standing: Mapping[Finding, Standing]
    accepted: Mapping[Finding, Known]
    fixed: tuple[Known, ...]
    rules: Mapping[str, Explained]

    @property
    def findings(self) -> list[Finding]:
        """Every finding, accepted ones too, the worst first."""
        return worst_first(f for check in self.checks for f in check.findings)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings as people want to read them."""
    return sorted(
        findings,
        key=lambda f: (f.severity.rank, f.path or "", f.line or 0, f.id),
    )
