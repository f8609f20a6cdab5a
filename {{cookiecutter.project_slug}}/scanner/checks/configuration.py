"""How the server, and what stands around it, is set up."""

from collections.abc import Callable, Iterator
from typing import Protocol

from ..model import CheckResult, Coverage, Finding, Options, State
from ..project import Project, Unreadable
from ..rules import rules_for
from . import (
    alert_rules,
    client_rules,
    lint_rules,
    proxy_rules,
    script_rules,
    setup_rules,
    transport_rules,
    unit_rules,
)
from .clients import clients
from .proxy import proxies
from .setup import setups

# Imported, so that they are registered.
_RULES = (alert_rules, client_rules, lint_rules, proxy_rules, setup_rules)


class Subject(Protocol):
    """A file, as the rules of one kind look at it."""

    @property
    def path(self) -> str:
        """The file's path in the project."""


# What the rules of each kind look at, file by file; the error in place of a
# file that cannot be read.
SUBJECTS: dict[str, Callable[[Project], Iterator[Subject | Unreadable]]] = {
    "": setups,
    "client": clients,
    "proxy": proxies,
    "script": script_rules.scripts,
    "transport": transport_rules.settings,
    "unit": unit_rules.units,
}


def check(project: Project, options: Options) -> CheckResult:
    """Look at the settings in .env, compose, Kubernetes, image and code.

    And at those of the proxy, the unit and the clients around the server.
    """
    findings: list[Finding] = []
    for rule in rules_for("MCP-CFG-", on="project"):
        findings += rule.findings(project, options)
    files: set[str] = set()
    problems: dict[str, None] = {}  # one that two kinds cannot read: once
    for kind, subjects in SUBJECTS.items():
        try:
            for subject in subjects(project):
                if isinstance(subject, Unreadable):
                    problems[str(subject)] = None
                    continue
                files.add(subject.path)
                for rule in rules_for("MCP-CFG-", on=kind):
                    findings += rule.findings(subject)
        except Unreadable as error:
            problems[str(error)] = None
    return CheckResult(
        name="configuration",
        state=State.ERROR if problems else State.PASSED,
        reason="; ".join(problems),
        coverage=Coverage(
            unit="files",
            covered=len(files),
            total=len(files) + len(problems),
        ),
        findings=tuple(findings),
    )
