"""The report for a terminal: the findings, then a summary on one screen."""

import re
import textwrap
from collections.abc import Iterator

from ..model import CheckResult, Explained, Finding, Report, Standing
from ..text import visible

WIDTH = 79
ROW = 39  # characters before what a check covered
MAX_FINDINGS = 200  # more than anybody reads on a terminal
WORDS = {
    "A+": "EXCEPTIONAL",
    "A": "EXCELLENT",
    "B": "GOOD",
    "C": "FAIR",
    "D": "POOR",
    "F": "FAILING",
}
_COLOURS = (
    (re.compile(r"^(CRITICAL|HIGH)(?= )", re.MULTILINE), "31"),
    (re.compile(r"^MEDIUM(?= )", re.MULTILINE), "33"),
    (re.compile(r"^LOW(?= )", re.MULTILINE), "36"),
    (re.compile(r"(?<=^  \S{13} )(findings|error)", re.MULTILINE), "31"),
    (re.compile(r"(?<=^  \S{13} )not run", re.MULTILINE), "33"),
    (re.compile(r"^(Overall Status|Security Grade): .*", re.MULTILINE), "1"),
)


def render(report: Report) -> str:
    """Return the findings, each with its remedy, and the summary last."""
    shown = report.findings[:MAX_FINDINGS]
    lines = [line for finding in shown for line in _finding(report, finding)]
    if len(report.findings) > len(shown):
        more = len(report.findings) - len(shown)
        lines += [f"... and {more} more; --format html shows all", ""]
    return "\n".join(lines) + "\n" * bool(lines) + summary(report)


def summary(report: Report) -> str:
    """Return what fits a screen: the checks, the status, the grade."""
    lines = [f"Security scan of {visible(report.project)}", ""]
    lines += [line for check in report.checks for line in _check(check)]
    lines += ["", *_standings(report), *_gaps(report)]
    numbers = ", ".join(f"{n} {kind}" for kind, n in report.counts.items())
    lines += [
        f"Overall Status: {report.overall_status} ({numbers})",
        f"Security Grade: {_grade(report)}",
    ]
    return "\n".join(lines) + "\n"


def explain(rule: Explained) -> str:
    """Return a rule as a page of text."""
    facts = [rule.severity.value, rule.cwe, rule.risk]
    return "\n".join(
        [
            f"{rule.id}: {rule.title}",
            " · ".join(fact for fact in facts if fact),
            "",
            rule.explanation,
            "",
            *textwrap.wrap(f"Remedy: {rule.remedy}", WIDTH),
            "",
        ]
    )


def paint(text: str) -> str:
    """Colour a report for a terminal that shows colours."""
    for pattern, colour in _COLOURS:
        text = pattern.sub(f"\x1b[{colour}m\\g<0>\x1b[0m", text)
    return text


def _finding(report: Report, finding: Finding) -> Iterator[str]:
    place = visible(finding.path or "the project")
    line = f":{finding.line}" if finding.line else ""
    standing = report.standing[finding]
    note = f" ({standing.value})" if _has_baseline(report) else ""
    head = f"{finding.severity.upper():8} {finding.id}  {place}{line}{note}"
    yield head
    yield from _wrapped(visible(finding.told))
    if standing is Standing.ACCEPTED:
        entry = report.accepted[finding]
        until = f" (until {entry.until})" if entry.until else ""
        yield from _wrapped(f"Accepted: {visible(entry.reason)}{until}")
    else:
        yield from _wrapped(f"Remedy: {visible(finding.remediation)}")
    yield ""


def _wrapped(text: str) -> list[str]:
    indent = " " * 9
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent
    )


def _check(check: CheckResult) -> Iterator[str]:
    state = check.state.value.replace("_", " ")
    if check.findings:
        state = f"{state} ({len(check.findings)})"
    covered = str(check.coverage or "")
    tool = f"{check.tool} {check.tool_version or ''}" if check.tool else ""
    took = f"{check.duration_seconds:.1f} s"
    told = f"{covered:20} {tool}" if covered or tool else ""
    reason = visible(check.reason)
    if not told and len(reason) < WIDTH - ROW:
        told, reason = reason, ""
    row = f"  {check.name:13} {state:14} {took:>6}  {told}"
    yield visible(row).rstrip()
    if reason:
        indent = " " * 16
        yield from textwrap.wrap(
            reason,
            WIDTH,
            initial_indent=indent,
            subsequent_indent=indent,
            max_lines=2,
        )


def _standings(report: Report) -> Iterator[str]:
    """Say what the baseline changes, where it changes something."""
    if not _has_baseline(report):
        return
    kinds = list(report.standing.values())
    parts = [
        f"{kinds.count(kind)} {kind.value}"
        for kind in Standing
        if kinds.count(kind)
    ]
    if report.fixed:
        parts.append(f"{sum(e.count for e in report.fixed)} fixed")
    yield f"Beside the baseline: {', '.join(parts)}"


def _has_baseline(report: Report) -> bool:
    """Tell whether there is one, or all would be new."""
    known = set(report.standing.values()) - {Standing.NEW}
    return bool(known or report.fixed)


def _gaps(report: Report) -> Iterator[str]:
    """Name what was not seen: it did not pass."""
    gaps = [check.name for check in report.checks if not check.complete]
    if gaps:
        yield from textwrap.wrap(f"Incomplete: {', '.join(gaps)}", WIDTH)


def _grade(report: Report) -> str:
    if report.grade is None:
        return "NONE (there is none without code and secrets)"
    letter, _, rest = report.grade.partition(" ")
    word = rest.strip("()")
    return f"{WORDS[letter]} ({letter}{', ' if word else ''}{word})"
