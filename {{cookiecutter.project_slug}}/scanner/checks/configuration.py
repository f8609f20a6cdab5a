"""How the server, and what stands around it, is set up."""

from collections.abc import Callable, Iterator

from ..model import CheckResult, Coverage, Finding, Options, State
from ..project import Project, Unreadable
from ..rules import rules_for
from . import (
    client_rules,
    lint_rules,
    proxy_rules,
    setup_rules,
    unit_rules,
)
from .clients import clients
from .proxy import proxies
from .setup import setups
from .unit_rules import units

# Imported, so that they are registered.
_RULES = (client_rules, lint_rules, proxy_rules, setup_rules, unit_rules)
# What the rules of each kind look at, file by file.
SUBJECTS: dict[str, Callable[[Project], Iterator[object]]] = {
    "": setups,
    "client": clients,
    "proxy": proxies,
    "unit": units,
}


def check(project: Project, options: Options) -> CheckResult:
    """Look at the settings in .env, compose, Kubernetes, image and code.

    And at those of the proxy, the unit and the clients around the server.
    """
    findings: list[Finding] = []
    for rule in rules_for("MCP-CFG-", on="project"):
        findings += rule.findings(project, options)
    files, problems = 0, list[str]()
    for kind, subjects in SUBJECTS.items():
        try:
            for subject in subjects(project):
                files += 1
                for rule in rules_for("MCP-CFG-", on=kind):
                    findings += rule.findings(subject)
        except Unreadable as error:
            problems.append(str(error))
    return CheckResult(
        name="configuration",
        state=State.ERROR if problems else State.PASSED,
        reason="; ".join(problems),
        coverage=Coverage(
            unit="files", covered=files, total=files + len(problems)
        ),
        findings=tuple(findings),
    )
