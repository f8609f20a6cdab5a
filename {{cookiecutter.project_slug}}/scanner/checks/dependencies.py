"""What is known against the packages in the lock."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..advisories import auditors, directory, service
from ..advisories.auditors import Audit, Key, Question, Unreached
from ..advisories.lock import Lock, read_lock
from ..advisories.packages import Malformed
from ..advisories.records import Advisory, merge, severity
from ..model import CheckResult, Coverage, Finding, Options, Severity, State
from ..project import Project, Unreadable
from ..rules import Rule, register, rules_for
from ..text import visible
from ..tools import ToolError, installed
from . import index_rules, lock_rules, name_rules
from .dependency_rules import Subject, direct

# Imported, so that they are registered.
_RULES = (index_rules, lock_rules, name_rules)
MAX_AGE = dt.timedelta(days=14)  # of older advisories too many are missing
_FAMILY = register(
    Rule(
        id="MCP-DEP-*",
        severity=Severity.HIGH,
        title="A locked package has a known vulnerability",
        cwe="CWE-1395",
        owasp="MCP04",
        remedy="Upgrade it: uv lock --upgrade-package NAME",
        explanation="An advisory concerns the locked version of the package."
        " Its weight is that of the advisory's CVSS vector, or what its"
        " database says; where nobody tells, it counts as high.",
    )
)
_UNFIXED = (
    "No release has a fix yet: take another package, or accept the finding in"
    " the baseline, with a reason and a date"
)


@dataclass(slots=True)
class _Seen:
    """What was found out about the lock, and what could not be.

    Attributes:
        tools: Who was asked, and in which version.
        answers: For how many packages each had an answer.
        stale: The advisories were not fetched in this run.
    """

    tools: dict[str, str] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)
    advisories: list[Advisory] = field(default_factory=list)
    adverse: dict[str, str] = field(default_factory=dict)
    yanked: dict[Key, str] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)
    state: State = State.PASSED
    stale: bool = False

    def fail(self, error: ToolError) -> None:
        """Note what was not found out; an error is worse than an absence."""
        self.gaps.append(error.reason)
        if self.state is not State.ERROR:
            self.state = error.state

    def add(self, audit: Audit, total: int) -> None:
        """Take in what one program says, and of how much it says it."""
        self.tools[audit.tool] = audit.version
        self.answers.append(audit.audited)
        self.advisories += audit.advisories
        self.adverse.update(audit.adverse)
        if audit.audited < total:
            said = f"answered for {audit.audited} of {total} packages"
            self.gaps.append(f"{audit.tool} {said}")


def check(project: Project, options: Options) -> CheckResult:
    """Judge the lock by our rules, and every package in it by advisories."""
    try:
        lock = read_lock(project)
    except (Malformed, Unreadable) as error:
        reason = visible(str(error))
        return CheckResult(
            name="dependencies", state=State.ERROR, reason=reason
        )
    seen = _Seen()
    if lock is None:
        seen.fail(ToolError("there is no lock to audit", State.NOT_RUN))
    else:
        _ask(project, lock, options, seen)
        if lock.others:
            seen.gaps.append(f"not audited: {_few(lock.others)}")
    subject = Subject(project, lock, options.now, seen.yanked, seen.adverse)
    rules = rules_for("MCP-DEP-")
    findings = [found for rule in rules for found in rule.findings(subject)]
    findings += [_finding(a, lock) for a in merge(seen.advisories)]
    total = len(lock.audited) if lock else 0
    if not total:  # or 0 of 0 would pass
        total = len([*direct(project)])
        if lock and total:
            reason = f"{lock.path} names none of {total} packages"
            seen.fail(ToolError(reason, State.NOT_RUN))
    covered = min([*seen.answers, total]) if seen.answers else 0
    return CheckResult(
        name="dependencies",
        state=seen.state,
        reason="; ".join(seen.gaps),
        tool=", ".join(seen.tools) or None,
        tool_version=", ".join(seen.tools.values()) or None,
        coverage=Coverage(unit="packages", covered=covered, total=total),
        findings=tuple(findings),
        stale=seen.stale,
    )


def _ask(project: Project, lock: Lock, options: Options, seen: _Seen) -> None:
    """Ask whom the user named, or the public service."""
    place = options.advisories
    try:
        if place and "://" not in place:
            _ask_here(Path(place), lock, options, seen)
        else:
            url = service.service_url(place or service.DEFAULT)
            if options.offline and not service.is_local(url):
                raise ToolError(
                    "offline; give it a directory of OSV records:"
                    " --advisories DIR",
                    State.NOT_RUN,
                )
            _ask_service(project, lock, url, options, seen)
    except ToolError as error:
        seen.fail(error)


def _ask_here(place: Path, lock: Lock, options: Options, seen: _Seen) -> None:
    """Match the lock with records on this machine, and tell their age."""
    local = directory.search(place, lock, options.now.date())
    seen.answers.append(len(lock.audited))
    seen.advisories += local.advisories
    seen.stale = True
    age = options.now.date() - local.newest
    seen.gaps.append(
        f"{local.records} OSV records, the newest of {local.newest},"
        f" {age.days} days ago"
    )
    if age > MAX_AGE:
        too_old = f"advisories older than {MAX_AGE.days} days say too little"
        seen.fail(ToolError(too_old, State.NOT_RUN))


def _ask_service(
    project: Project, lock: Lock, url: str, options: Options, seen: _Seen
) -> None:
    """Ask the service through every program there is for it.

    A program that finds nobody there is not followed by the next, which
    would wait for the same silence; but all have to be there.
    """
    asked = Question(project.root, lock, url, options.timeout)
    with ThreadPoolExecutor(max_workers=1) as pool:
        taken_back = pool.submit(
            auditors.yanked, asked, offline=options.offline
        )
        reached = True
        for auditor in auditors.wanted(asked):
            try:
                if reached:
                    seen.add(auditor.audit(asked), len(lock.audited))
                else:
                    installed(auditor.name, asked.root)
            except ToolError as error:
                seen.fail(error)
                reached = reached and not isinstance(error, Unreached)
        try:
            seen.yanked = taken_back.result()
        except ToolError as error:
            _not_looked_for(error, options, seen)
    seen.advisories = [*_rated(seen.advisories, url)]


def _not_looked_for(error: ToolError, options: Options, seen: _Seen) -> None:
    """Note that yanks are not known: no whole audit, where one could be."""
    reason = f"yanked releases were not looked for: {error.reason}"
    if options.offline:
        seen.gaps.append(reason)
        seen.stale = True
    else:
        seen.fail(ToolError(reason, error.state))


def _few(paths: Sequence[str]) -> str:
    """Name some of the files, and how many more there are."""
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return visible(", ".join(paths[:3]) + more)


def _rated(advisories: Iterable[Advisory], url: str) -> Iterator[Advisory]:
    """Add the weight, which the programs leave out, from the records."""
    merged = merge(advisories)
    records = service.records(url, (n for a in merged for n in a.ids))
    for one in merged:
        told = [severity(records[n]) for n in one.ids if n in records]
        known = [each for each in (*told, one.severity) if each is not None]
        worst = min(known, key=lambda each: each.rank, default=None)
        yield replace(one, severity=worst)


def _finding(advisory: Advisory, lock: Lock | None) -> Finding:
    package = (
        lock.audited.get((advisory.name, advisory.version)) if lock else None
    )
    others = ", ".join(sorted(advisory.ids - {advisory.id}))
    named = f"{advisory.name} {advisory.version}"
    fixed = " or ".join(sorted(advisory.fixed))
    upgrade = _FAMILY.remedy.replace("NAME", advisory.name)
    return Finding(
        id=f"MCP-DEP-{advisory.id}",
        severity=advisory.severity or _FAMILY.severity,
        title=_FAMILY.title,
        path=lock.path if lock else None,
        line=package.line if package else None,
        message=visible(
            f"{named}: {advisory.summary}" + (f" ({others})" if others else "")
        ),
        remediation=f"{upgrade}; fixed in {fixed}" if fixed else _UNFIXED,
        cwe=_FAMILY.cwe,
        anchor=named,
    )
