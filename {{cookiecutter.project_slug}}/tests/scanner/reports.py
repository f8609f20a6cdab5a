"""Reports to render: one with everything in it, and a clean one."""

import dataclasses
import datetime as dt

from scanner import baseline
from scanner.checks import load_rules
from scanner.cli import assemble
from scanner.model import (
    CheckResult,
    Coverage,
    Finding,
    Known,
    Report,
    Severity,
    State,
)

NOW = dt.datetime(2026, 11, 21, 12, 0, 0, tzinfo=dt.UTC)
EVIL = "\x1b[31m<script>alert(1)</script>`|\n@all\u202e\udcff.py"


def finding(rule="MCP-CODE-B307", kind="high", path="a.py", line=1, **rest):
    given = {"title": "eval runs text", "message": "eval", **rest}
    return Finding(
        id=rule,
        severity=Severity(kind),
        path=path,
        line=line,
        remediation="Parse it.",
        cwe="CWE-95",
        anchor=f"eval {line}",
        **given,
    )


def report(*checks: CheckResult, accepted: str = "") -> Report:
    """Judge these checks beside a baseline that accepts one rule."""
    load_rules()
    held = None
    if accepted:
        first = baseline.compare(None, checks, NOW.date())
        made = baseline.updated(None, checks, first)
        held = baseline.Baseline(
            tuple(
                accept(entry) if entry.id == accepted else entry
                for entry in made.known
            )
        )
    compared = baseline.compare(held, checks, NOW.date())
    return assemble("small-server", NOW, checks, compared)


def accept(entry: Known) -> Known:
    """Accept an entry of the baseline, for a reason with markup in it."""
    reason = "ours <b>only</b>"
    return dataclasses.replace(entry, status="accepted", reason=reason)


def clean() -> Report:
    """A scan in which everything ran and nothing was found."""
    names = ("code", "secrets", "container")
    return report(*(CheckResult(name=n, state=State.PASSED) for n in names))


def full() -> Report:
    """A scan with findings of every kind, gaps, and hostile names."""
    code = CheckResult(
        name="code",
        state=State.FINDINGS,
        tool="bandit",
        tool_version="1.9.4",
        duration_seconds=0.5,
        coverage=Coverage(unit="files", covered=3, total=4),
        reason=f"{EVIL} does not parse",
        findings=(
            finding(line=1),
            finding(line=9),
            finding(path=EVIL, message=EVIL, title="Odd", kind="critical"),
            finding("MCP-CODE-B101", "low", line=None),
        ),
    )
    container = CheckResult(
        name="container",
        state=State.FINDINGS,
        findings=(finding("MCP-XXX-001", "medium", path=None, line=None),),
    )
    secrets = CheckResult(
        name="secrets", state=State.NOT_RUN, reason="it is not installed"
    )
    return report(code, secrets, container, accepted="MCP-CODE-B101")
