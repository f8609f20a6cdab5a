"""How the server and its checks are set up, wherever that is written."""

from ..model import CheckResult, Coverage, Finding, Options, State
from ..project import Project, Unreadable
from ..rules import rules_for
from . import lint_rules, setup_rules
from .setup import setups

_RULES = (lint_rules, setup_rules)  # imported, so that they are registered


def check(project: Project, options: Options) -> CheckResult:
    """Look at the settings in .env, compose, Kubernetes, image and code."""
    findings: list[Finding] = []
    for rule in rules_for("MCP-CFG-", on="project"):
        findings += rule.findings(project, options)
    files, reason, state = 0, "", State.PASSED
    try:
        for setup in setups(project):
            files += 1
            for rule in rules_for("MCP-CFG-"):
                findings += rule.findings(setup)
    except Unreadable as error:
        reason, state = str(error), State.ERROR
    total = files + (1 if reason else 0)
    return CheckResult(
        name="configuration",
        state=state,
        reason=reason,
        coverage=Coverage(unit="files", covered=files, total=total),
        findings=tuple(findings),
    )
