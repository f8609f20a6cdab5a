"""What a model sees: the server is started, and asked what it offers."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from ..live_stdio import able
from ..model import CheckResult, Coverage, Finding, Options, State
from ..project import Project
from ..rules import Hit, rules_for
from ..ruletable import ruled
from ..surface import schema_rules, text_rules
from ..surface.components import Component, offered

_RULES = (schema_rules, text_rules)  # imported, so that they are registered
changed = ruled(schema_rules.__file__, on="changed")


@changed("MCP-SUR-017")
def change(component: Component, accepted: str | None) -> list[Hit]:
    """A tool that was harmless when it was looked at need not stay so.

    The baseline keeps a fingerprint of each description, schema and
    annotation; what differs is shown until it is accepted again.
    """
    if accepted is None or accepted == component.fingerprint:
        return []
    return [component.hit("is not what it was", component.fingerprint)]


def check(project: Project, options: Options) -> CheckResult:
    """Judge the tools, resources and prompts of the running server."""
    if not project.package:
        reason = "pyproject.toml names no server to start"
        return CheckResult(name="surface", state=State.ERROR, reason=reason)
    with tempfile.TemporaryDirectory(prefix="surface-") as folder:
        workspace = Path(folder).resolve() / "workspace"
        workspace.mkdir()
        with able(project, workspace) as server:
            found = offered(server, project)
    known = options.components or {}
    has_callers = project.defaults.get("MCP_AUTH", "none") != "none"
    kinds = ("text", "schema", "scope") if has_callers else ("text", "schema")
    findings = [f for c in found for f in judged(c, kinds)]
    findings += [
        finding
        for rule in rules_for("MCP-SUR-", on="changed")
        for component in found
        for finding in rule.findings(component, known.get(component.key))
    ]
    for rule in rules_for("MCP-SUR-", on="names"):
        findings += rule.findings(found)
    return CheckResult(
        name="surface",
        state=State.PASSED,
        coverage=Coverage(
            unit="components", covered=len(found), total=len(found)
        ),
        findings=tuple(findings),
        components={c.key: c.fingerprint for c in found},
    )


def judged(component: Component, kinds: Iterable[str]) -> list[Finding]:
    """Return what the rules of these kinds find wrong with a component."""
    return [
        finding
        for on in kinds
        for rule in rules_for("MCP-SUR-", on=on)
        for finding in rule.findings(component)
    ]
