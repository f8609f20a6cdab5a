"""The report for programs: one JSON document with every check in it."""

import dataclasses
import json
from typing import Any

from ..model import CheckResult, Finding, Known, Report, Standing

SCHEMA_VERSION = "1.0"


def render(report: Report) -> str:
    """Return the report as JSON in ASCII, with every check in it."""
    data = {
        "schema_version": SCHEMA_VERSION,
        "timestamp": report.timestamp.isoformat(timespec="seconds"),
        "project": report.project,
        "overall_status": report.overall_status,
        "grade": report.grade,
        "counts": {kind.value: n for kind, n in report.counts.items()},
        "checks": [_check(check) for check in report.checks],
        "baseline": _baseline(report),
    }
    return json.dumps(data, indent=2) + "\n"


def _check(check: CheckResult) -> dict[str, Any]:
    seen = check.coverage
    return {
        "name": check.name,
        "state": check.state.value,
        "reason": _text(check.reason),
        "tool": check.tool,
        "tool_version": check.tool_version,
        "duration_seconds": check.duration_seconds,
        "coverage": dataclasses.asdict(seen) if seen else None,
        "findings": [_finding(finding) for finding in check.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "severity": finding.severity.value,
        "title": finding.title,
        "path": None if finding.path is None else _text(finding.path),
        "line": finding.line,
        "message": _text(finding.message),
        "remediation": finding.remediation,
        "cwe": finding.cwe,
        "fingerprint": finding.fingerprint,
    }


def _baseline(report: Report) -> dict[str, Any]:
    """Tell new, open, accepted and fixed apart, by fingerprint."""
    kinds: dict[str, list[Any]] = {kind.value: [] for kind in Standing}
    for finding, standing in report.standing.items():
        kinds[standing.value].append(finding.fingerprint)
    kinds["accepted"] = [_known(e) for e in report.accepted.values()]
    kinds["fixed"] = [_known(entry) for entry in report.fixed]
    return kinds


def _known(entry: Known) -> dict[str, Any]:
    return {
        "fingerprint": entry.fingerprint,
        "id": entry.id,
        "path": entry.path,
        "reason": entry.reason,
        "until": entry.until or None,
    }


def _text(text: str) -> str:
    """Replace what is no character: strict readers refuse it in JSON."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
