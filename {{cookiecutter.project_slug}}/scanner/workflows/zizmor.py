"""zizmor, run over copies and judged by the files that it completed."""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..model import Finding, Severity
from ..rules import Rule, register
from ..tools import ToolError, ToolRun, require, run_tool

NAME = "zizmor"
# The regular persona: the others report style, and what may be no fault.
OPTIONS = ("--offline", "--format=json-v1", "--persona=regular")
# With --no-ignores it tells of what a comment silences, and that it does.
PLAIN = ("--config=settings", "--no-ignores", "--no-progress", "--color=never")
_TASTE = frozenset({"self-repository", "superfluous-actions"})
_COMPLETED = re.compile(rb"completed (?:\./)?(\d+/[\w.-]+)")
_SEVERITIES = {
    "High": Severity.HIGH,
    "Medium": Severity.MEDIUM,
    "Low": Severity.LOW,
    "Unknown": Severity.HIGH,
}
register(
    Rule(
        id="MCP-WF-*",
        severity=Severity.HIGH,
        title="zizmor reports a fault in a workflow",
        cwe="CWE-829",
        owasp="MCP04",
        remedy="See https://docs.zizmor.sh/audits/",
        explanation="What zizmor's regular persona reports, with the weight"
        " that it gives it. A workflow runs with rights to the repository,"
        " and often to what is released from it.",
    )
)


@dataclass(slots=True)
class ZizmorReport:
    """What zizmor found, and which files it completed.

    Attributes:
        ignored: Audits that a comment silences: their names and places.
    """

    version: str
    seen: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    ignored: set[tuple[str, str, int]] = field(default_factory=set)


def run_zizmor(
    root: Path, files: Mapping[str, str], timeout: float
) -> ZizmorReport:
    """Run zizmor without a network and without the project's settings.

    Args:
        root: The project, in whose ``.venv`` it may be.
        files: The texts by path; it is shown copies of them.
        timeout: Seconds.

    Raises:
        ToolError: It is missing or did not do its work.
    """
    tool = require(NAME, root, at_least=(1, 32), below=(2,), timeout=timeout)
    report = ZizmorReport(tool.version)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "settings").write_text("rules: {}\n")
        names: dict[str, str] = {}
        for number, path in enumerate(files):
            name = f"{number}/{_plain(path)}"
            names[name] = path
            place = Path(folder, name)
            place.parent.mkdir()
            place.write_text(files[path], "utf-8", newline="")
        run = run_tool(
            [tool.path, *OPTIONS, *PLAIN, *names],
            name=NAME,
            cwd=Path(folder),
            timeout=timeout,
            env={"RUST_LOG": ""},  # "off" would hide what it completed
        )
    _read(run, names, report)
    return report


def _plain(path: str) -> str:
    """Return the file's name, which tells zizmor the kind, made harmless."""
    name = path.rpartition("/")[2]
    known = {"action.yml", "action.yaml", "dependabot.yml", "dependabot.yaml"}
    return name if name in known else "workflow.yml"


def _read(
    run: ToolRun, names: Mapping[str, str], report: ZizmorReport
) -> None:
    """Take in its report, of which every part must be known."""
    if run.exit_code == 3:
        raise ToolError("zizmor audited nothing")
    data = run.expect(0, 11, 12, 13, 14).json()
    for found in _COMPLETED.finditer(run.stderr):
        report.seen.add(names.get(found[1].decode(), ""))
    try:
        for item in data:
            _take(item, names, report)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise ToolError("zizmor's report is not of a known form") from None


def _take(
    item: dict[str, Any], names: Mapping[str, str], report: ZizmorReport
) -> None:
    ident, determined = str(item["ident"]), item["determinations"]
    primary = next(
        place
        for place in item["locations"]
        if place["symbolic"]["kind"] == "Primary"
    )
    given = primary["symbolic"]["key"]["Local"]["verbatim_path"]
    path = names[given.removeprefix("./")]
    line = int(primary["concrete"]["location"]["start_point"]["row"]) + 1
    if item["ignored"]:
        report.ignored.add((ident, path, line))
        return
    if ident in _TASTE or determined["severity"] == "Informational":
        return
    report.findings.append(
        Finding(
            id=f"MCP-WF-{ident.upper()}",
            severity=_SEVERITIES[determined["severity"]],
            title=str(item["desc"]),
            path=path,
            line=line,
            message=str(primary["symbolic"]["annotation"]),
            remediation=f"See {item['url']}",
            cwe=_CWE.get(ident, "CWE-829"),
            anchor=str(primary["concrete"]["feature"]).partition("\n")[0],
        )
    )


_CWE = {
    "artipacked": "CWE-522",
    "cache-poisoning": "CWE-349",
    "excessive-permissions": "CWE-250",
    "github-env": "CWE-94",
    "hardcoded-container-credentials": "CWE-798",
    "insecure-commands": "CWE-94",
    "secrets-inherit": "CWE-200",
    "template-injection": "CWE-94",
    "unredacted-secrets": "CWE-532",
    "use-trusted-publishing": "CWE-522",
}
