"""GitHub's workflows, composite actions and Dependabot's settings."""

from .. import documents
from ..model import CheckResult, Coverage, Finding, Options, State
from ..project import Project, Unreadable
from ..rules import rules_for
from ..text import visible
from ..tools import ToolError
from ..workflows import gates, rules, scans, upkeep
from ..workflows.model import ACTION, DEPENDABOT, WORKFLOW, Workflow
from ..workflows.zizmor import ZizmorReport, run_zizmor

MAX_FINDINGS = 1000  # of our rules, in one file
MAX_TOTAL = 32 * 2**20  # characters in all files together
_RULES = (gates, rules, scans, upkeep)  # imported: so they are registered


def check(project: Project, options: Options) -> CheckResult:
    """Judge what GitHub runs, by zizmor's audits and our rules."""
    flows, problems = _flows(project)
    total = len(flows) + len(problems)
    if not total:
        reason = "no workflow, action or Dependabot settings"
        state = State.NOT_APPLICABLE
        return CheckResult(name="workflows", state=state, reason=reason)
    state, reasons = State.PASSED, []
    report = ZizmorReport("")
    texts = {flow.path: flow.text for flow in flows}
    try:
        if texts:
            report = run_zizmor(project.root, texts, options.timeout)
    except ToolError as error:
        state = error.state
        reasons.append(error.reason)
    else:
        for path in sorted(texts.keys() - report.seen):
            problems[path] = "zizmor did not complete it"
    ours = [found for flow in flows for found in _judged(flow, problems)]
    for rule in rules_for("MCP-WF-", on="upkeep"):
        ours += rule.findings(project, flows)
    shown = list(problems.items())[:3]
    reasons += [f"{visible(p, 100)}: {visible(why)}" for p, why in shown]
    if len(problems) > len(shown):
        reasons.append(f"and {len(problems) - len(shown)} more files")
    return CheckResult(
        name="workflows",
        state=state,
        reason="; ".join(reasons),
        tool="zizmor",
        tool_version=report.version or None,
        coverage=Coverage(
            unit="files", covered=total - len(problems), total=total
        ),
        findings=(*merged(ours, report),),
    )


def merged(ours: list[Finding], report: ZizmorReport) -> list[Finding]:
    """Join both, one finding for a fault; a reasoned ignore holds for both."""
    unreasoned = {
        (found.path, found.line) for found in ours if found.id == "MCP-WF-005"
    }
    silenced = {
        ("MCP-WF-001", path, line)
        for ident, path, line in report.ignored
        if ident == "unpinned-uses" and (path, line) not in unreasoned
    }
    kept = [f for f in ours if (f.id, f.path, f.line) not in silenced]
    said: set[tuple[object, ...]] = {(f.id, f.path, f.line) for f in kept}
    said |= {(f.id, f.path) for f in kept}
    for finding in report.findings:
        fault = _fault(finding)
        if fault not in said:
            said.add(fault)
            kept.append(finding)
    return kept


def _fault(finding: Finding) -> tuple[object, ...]:
    """Name the fault behind one of zizmor's findings, as ours name it."""
    name = finding.id.removeprefix("MCP-WF-")
    if name == "UNPINNED-USES":
        return "MCP-WF-001", finding.path, finding.line
    if name == "DANGEROUS-TRIGGERS":
        return "MCP-WF-002", finding.path
    if name == "EXCESSIVE-PERMISSIONS" and "write-all" in finding.message:
        return "MCP-WF-006", finding.path
    if finding.message.startswith("default permissions"):
        return name, finding.path  # not once for each of the file's jobs
    return name, finding.path, finding.line, finding.anchor


def _flows(project: Project) -> tuple[list[Workflow], dict[str, str]]:
    """Read the files; say of the others why not."""
    flows: list[Workflow] = []
    problems: dict[str, str] = {}
    room, left = documents.Room(), MAX_TOTAL
    for path in project.files:
        ours = WORKFLOW.fullmatch(path) or DEPENDABOT.fullmatch(path)
        if not ours and not ACTION.fullmatch(path):
            continue
        try:
            data = project.read(path, documents.MAX_BYTES)
            text = data.decode("utf-8-sig")
            left -= len(text)
            if left < 0:
                raise documents.Malformed("too much YAML in all")
            contents = documents.load(text, room)
        except (Unreadable, documents.Malformed) as error:
            problems[path] = str(error)
        except UnicodeDecodeError:
            problems[path] = "no UTF-8"
        else:
            content = documents.table(contents[0] if contents else None)
            if ours or "runs" in content:
                flows.append(Workflow(path, content, text))
    return flows, problems


def _judged(flow: Workflow, problems: dict[str, str]) -> list[Finding]:
    found: list[Finding] = []
    for rule in rules_for("MCP-WF-", on="workflow"):
        try:
            found += rule.findings(flow)
        except ValueError as error:  # a script that is too long
            problems[flow.path] = str(error)
    if len(found) > MAX_FINDINGS:
        problems[flow.path] = f"more than {MAX_FINDINGS} findings"
    return found[:MAX_FINDINGS]
