"""The report as SARIF 2.1.0, as code hosts take it."""

import json
import os
from collections import Counter
from typing import Any
from urllib.parse import quote

from ..model import CheckResult, Explained, Finding, Report, Severity, Standing
from ..text import visible

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
    "sarif-schema-2.1.0.json"
)
LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
SCORES = {  # what GitHub sorts by: the middle of each CVSS band
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
}
STATES = {Standing.NEW: "new"}
NO_PLACE = "pyproject.toml"  # code hosts drop what has no place


def render(report: Report) -> str:
    """Return one run, with what did not run among its notifications."""
    ids = list(report.rules)
    places: Counter[str] = Counter()
    results = []
    for finding in report.findings:
        places[finding.fingerprint] += 1
        number = places[finding.fingerprint]
        results.append(_result(report, finding, ids, number))
    run = {
        "tool": {
            "driver": {
                "name": "security_scan.py",
                "semanticVersion": "1.0.0",
                "rules": [_rule(report.rules[name]) for name in ids],
            }
        },
        "invocations": [_invocation(report)],
        "columnKind": "utf16CodeUnits",
        "results": results,
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _rule(rule: Explained) -> dict[str, Any]:
    tags = ["security", *filter(None, (rule.risk,))]
    if rule.cwe:
        tags.append(f"external/cwe/{rule.cwe.lower()}")
    return {
        "id": rule.id,
        "name": rule.title[:255],
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.explanation[:1000]},
        "help": {
            "text": f"{rule.explanation}\n\nRemedy: {rule.remedy}",
            "markdown": f"{rule.explanation}\n\n**Remedy:** {rule.remedy}",
        },
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "security-severity": SCORES[rule.severity],
            "precision": "high",
            "tags": tags,
        },
    }


def _result(
    report: Report, finding: Finding, ids: list[str], number: int
) -> dict[str, Any]:
    """Make one result; the number tells equal faults in a file apart."""
    standing = report.standing[finding]
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": ids.index(finding.id),
        "level": LEVELS[finding.severity],
        "message": {"text": visible(finding.told, 1000)},
        "locations": [_location(finding)],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{finding.fingerprint}:{number}",
        },
        "baselineState": STATES.get(standing, "unchanged"),
        "properties": {"severity": finding.severity.value},
    }
    if standing is Standing.ACCEPTED:
        reason = visible(report.accepted[finding].reason)
        result["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": reason,
            }
        ]
    return result


def _location(finding: Finding) -> dict[str, Any]:
    path = finding.path or NO_PLACE
    return {
        "physicalLocation": {
            "artifactLocation": {
                "uri": quote(os.fsencode(path)),
                "uriBaseId": "%SRCROOT%",
            },
            "region": {"startLine": max(finding.line or 1, 1)},
        }
    }


def _invocation(report: Report) -> dict[str, Any]:
    gaps = [check for check in report.checks if not check.complete]
    return {
        "executionSuccessful": not gaps,
        "toolExecutionNotifications": [_notification(gap) for gap in gaps],
    }


def _notification(gap: CheckResult) -> dict[str, Any]:
    reason = visible(gap.reason) or "it did not run in full"
    return {
        "level": "error" if gap.selected else "note",
        "message": {"text": f"{gap.name}: {reason}"},
    }
