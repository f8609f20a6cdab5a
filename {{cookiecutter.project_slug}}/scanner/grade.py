"""What a scan's findings and gaps come to: status, grade, exit code."""

from collections.abc import Iterable, Sequence

from .model import CheckResult, Finding, Severity, State

CLEAN, FINDINGS, USAGE, INCOMPLETE = range(4)  # exit codes

COST = {
    Severity.CRITICAL: 40,
    Severity.HIGH: 20,
    Severity.MEDIUM: 7,
    Severity.LOW: 2,
}
CAP = {Severity.CRITICAL: "F", Severity.HIGH: "C", Severity.MEDIUM: "B"}
STATUS = {
    Severity.CRITICAL: "CRITICAL",
    Severity.HIGH: "HIGH_RISK",
    Severity.MEDIUM: "MEDIUM_RISK",
    Severity.LOW: "LOW_RISK",
}
LETTERS = ("A+", "A", "B", "C", "D", "F")  # the best first
FLOORS = {"A": 90, "B": 80, "C": 70, "D": 60}  # points out of 100
ESSENTIAL = frozenset({"code", "secrets"})  # no grade without them
UNREASONED = frozenset(  # what is silenced without a reason: no A+
    {"MCP-CFG-014", "MCP-CODE-001", "MCP-CODE-002", "MCP-CON-023"}
    | {"MCP-SEC-010", "MCP-WF-005"}
)


def counts(counted: Iterable[Finding]) -> dict[Severity, int]:
    """Count findings by severity, each severity being there."""
    found = [finding.severity for finding in counted]
    return {severity: found.count(severity) for severity in Severity}


def overall_status(
    checks: Iterable[CheckResult], counted: Iterable[Finding]
) -> str:
    """Name the worst that counts; SECURE only when everything was seen."""
    found = {finding.severity for finding in counted}
    for severity in Severity:  # the worst first
        if severity in found:
            return STATUS[severity]
    return "SECURE" if all(c.complete for c in checks) else "INCOMPLETE"


def grade(
    checks: Sequence[CheckResult], counted: Sequence[Finding]
) -> str | None:
    """Return the grade by the points and caps above; None for no grade.

    Args:
        checks: Every check, with those that did not run.
        counted: The findings that the baseline does not accept.
    """
    if missing_essentials(checks):
        return None
    points = 100 - sum(COST[finding.severity] for finding in counted)
    caps = {CAP.get(finding.severity, "A+") for finding in counted}
    incomplete = not all(check.complete for check in checks)
    if incomplete:
        caps.add("B")
    if points < 100 or any(not _spotless(check) for check in checks):
        caps.add("A")
    letter = max({_letter(points), *caps}, key=LETTERS.index)
    return f"{letter} (incomplete)" if incomplete else letter


def missing_essentials(checks: Iterable[CheckResult]) -> list[str]:
    """Name the checks without which there is no grade."""
    ran = {c.name for c in checks if c.state not in _ABSENT}
    return sorted(ESSENTIAL - ran)


def exit_code(
    checks: Iterable[CheckResult],
    counted: Iterable[Finding],
    fail_on: Severity,
) -> int:
    """Judge the checks that were asked for, and every finding of theirs."""
    if any(f.severity.rank <= fail_on.rank for f in counted):
        return FINDINGS
    asked = [check for check in checks if check.selected]
    return CLEAN if all(check.complete for check in asked) else INCOMPLETE


_ABSENT = frozenset({State.NOT_RUN, State.ERROR, State.NOT_APPLICABLE})


def _letter(points: int) -> str:
    if points == 100:
        return "A+"
    return next((k for k, floor in FLOORS.items() if points >= floor), "F")


def _spotless(check: CheckResult) -> bool:
    """Tell whether nothing in a check, accepted or not, bars an A+."""
    unreasoned = any(finding.id in UNREASONED for finding in check.findings)
    return not check.stale and not unreasoned
