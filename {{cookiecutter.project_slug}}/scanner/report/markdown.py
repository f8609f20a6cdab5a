"""The report for a pull request's comments."""

import re
from collections.abc import Iterator

from ..model import CheckResult, Finding, Report, Standing
from ..text import visible

MAX_SIZE = 60_000  # characters; GitHub takes 65,536 in a comment


def render(report: Report) -> str:
    """Return the verdict first, then the findings, then the checks."""
    status = report.overall_status.replace("_", " ")
    numbers = ", ".join(f"{n} {kind}" for kind, n in report.counts.items())
    head = [
        f"## Security scan: {status}",
        "",
        f"**Grade: {report.grade or 'none'}** ({numbers})",
        "",
    ]
    tail = ["| check | state | seen | why |", "|---|---|---|---|"]
    tail += [_check(check) for check in report.checks]
    room = MAX_SIZE - sum(len(line) + 1 for line in (*head, *tail))
    return "\n".join([*head, *_findings(report, room), *tail]) + "\n"


def _findings(report: Report, room: int) -> Iterator[str]:
    """Yield a table of as many findings as there is room for."""
    if not report.findings:
        return
    yield "| severity | rule | where | what | remedy |"
    yield "|---|---|---|---|---|"
    left = len(report.findings)
    for finding in report.findings:
        row = _row(report, finding)
        room -= len(row) + 1
        if room < 200:
            break
        left -= 1
        yield row
    yield ""
    if left:
        yield f"… and {left} more."
        yield ""


def _row(report: Report, finding: Finding) -> str:
    line = f":{finding.line}" if finding.line else ""
    where = _code(f"{finding.path}{line}") if finding.path else "the project"
    what = _text(finding.told)
    standing = report.standing[finding]
    if standing is Standing.ACCEPTED:
        what += f" (accepted: {_text(report.accepted[finding].reason)})"
    elif standing is Standing.NEW:
        what += " **new**"
    cells = (finding.severity.value, _code(finding.id), where, what)
    return f"| {' | '.join(cells)} | {_text(finding.remediation)} |"


def _check(check: CheckResult) -> str:
    covered = str(check.coverage or "")
    state = check.state.value.replace("_", " ")
    return f"| {check.name} | {state} | {covered} | {_text(check.reason)} |"


def _text(text: str) -> str:
    """Escape what Markdown or GitHub would make something else of."""
    shown = visible(text).replace("&", "&amp;").replace("<", "&lt;")
    shown = re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", shown)
    return shown.replace("@", "&#64;").replace("://", ":&#47;/")


def _code(text: str) -> str:
    """Return a code span that no backtick or pipe in the text can end."""
    return f"`{visible(text).replace('`', chr(0x2CB)).replace('|', '¦')}`"
