"""The report as one page that asks for nothing but itself."""

import base64
import hashlib
from html import escape
from pathlib import Path
from string import Template

from ..model import CheckResult, Finding, Report, Severity, Standing, State
from ..text import visible

HERE = Path(__file__).parent
MAX_FINDINGS = 5000  # more than a browser shows without a pause


def render(report: Report) -> str:
    """Return a page whose policy runs its own script and loads nothing.

    Everything that is not ours is escaped; should that fail somewhere, the
    Content-Security-Policy still runs no other script (CWE-79).
    """
    style = (HERE / "page.css").read_text("utf-8")
    script = (HERE / "page.js").read_text("utf-8")
    page = Template((HERE / "page.html").read_text("utf-8"))
    names = {finding: c.name for c in report.checks for finding in c.findings}
    shown = report.findings[:MAX_FINDINGS]
    return page.substitute(
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        project=_text(report.project),
        timestamp=report.timestamp.isoformat(timespec="seconds"),
        status=report.overall_status,
        status_shown=report.overall_status.replace("_", " "),
        grade=report.grade or "none",
        counts="".join(_count(kind, n) for kind, n in report.counts.items()),
        checks="".join(map(_check, report.checks)),
        severities=_options([kind.value for kind in Severity]),
        names=_options([check.name for check in report.checks]),
        standings=_options([kind.value for kind in Standing]),
        total=len(report.findings),
        left=_left(len(report.findings) - len(shown)),
        findings="".join(_finding(report, f, names[f]) for f in shown),
    )


def _finding(report: Report, finding: Finding, check: str) -> str:
    rule = report.rules[finding.id]
    standing = report.standing[finding]
    line = f":{finding.line}" if finding.line else ""
    where = f"{_text(finding.path or 'the project')}{line}"
    facts = " · ".join(_text(x) for x in (finding.cwe, rule.risk) if x)
    why = message = ""
    if finding.message != finding.title:
        message = f"<p>{_text(finding.message)}</p>"
    if standing is Standing.ACCEPTED:
        entry = report.accepted[finding]
        until = f" (until {_text(entry.until)})" if entry.until else ""
        why = f"<p>Accepted: {_text(entry.reason)}{until}</p>"
    explanation = escape(rule.explanation).replace("\n\n", "</p><p>")
    return (
        f'<li data-severity="{finding.severity}" data-check="{_text(check)}"'
        f' data-standing="{standing}"><h3><b class="{finding.severity}">'
        f"{finding.severity}</b> {_text(finding.title)}</h3>"
        f"<p class=where><code>{where}</code> <code>{_text(finding.id)}</code>"
        f" {standing}</p>{message}{why}"
        f"<p><b>Remedy:</b> {_text(finding.remediation)}</p>"
        f"<details><summary>Why it matters</summary><p>{explanation}</p>"
        f"<p class=where>{facts}</p></details></li>\n"
    )


def _check(check: CheckResult) -> str:
    covered = str(check.coverage or "")
    tool = f"{check.tool} {check.tool_version or ''}" if check.tool else ""
    state = check.state.value.replace("_", " ")
    good = check.complete and check.state is not State.FINDINGS
    return (
        f"<tr><th scope=row>{_text(check.name)}</th>"
        f'<td class="{"good" if good else "bad"}">{state}</td>'
        f"<td>{_text(covered)}</td><td>{_text(tool)}</td>"
        f"<td>{_text(check.reason)}</td></tr>\n"
    )


def _count(kind: Severity, number: int) -> str:
    return f'<li><b class="{kind}">{number}</b> {kind}</li>'


def _options(values: list[str]) -> str:
    return "".join(f"<option>{_text(value)}</option>" for value in values)


def _left(number: int) -> str:
    return f"<p>… and {number} more, not shown.</p>" if number else ""


def _text(text: str) -> str:
    return escape(visible(text), quote=True)


def _hash(text: str) -> str:
    """Name a script or style to the policy (CSP level 2, hashes)."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
