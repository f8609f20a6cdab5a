"""Semgrep, where it is installed, with the rules that lie beside this."""

from collections.abc import Sequence
from pathlib import Path
from posixpath import normpath
from typing import Any

from ..model import Finding, Severity, State
from ..tools import ToolError, find_tool, require, run_tool
from .bandit import portions

NAME = "semgrep"
RULES_FILE = Path(__file__).with_name("semgrep.yaml")
_SEVERITIES = {
    "ERROR": Severity.HIGH,
    "WARNING": Severity.MEDIUM,
    "INFO": Severity.LOW,
}


def run_semgrep(
    root: Path, paths: Sequence[str], timeout: float
) -> list[Finding]:
    """Run our rules and no others, without a word to any other machine.

    Raises:
        ToolError: ``NOT_RUN`` when it is not installed, which costs nothing;
            else it did not do its work.
    """
    if find_tool(NAME, root) is None:
        raise ToolError("semgrep is not installed (optional)", State.NOT_RUN)
    tool = require(NAME, root, at_least=(1, 60), timeout=timeout)
    options = ["scan", "--config", str(RULES_FILE), "--json", "--quiet"]
    options += ["--metrics", "off", "--disable-version-check"]
    options += ["--no-git-ignore", "--"]
    found: list[Finding] = []
    for some in portions(paths):
        argv: list[str | Path] = [tool.path, *options, *some]
        run = run_tool(argv, name=NAME, cwd=root, timeout=timeout)
        wanted = {normpath(path) for path in some}
        found += _read(run.expect(0, 1).json(), wanted)
    return found


def _read(data: Any, wanted: set[str]) -> list[Finding]:
    """Take in its report; files that it left out are said to be."""
    try:
        scanned = {normpath(path) for path in data["paths"]["scanned"]}
        errors = [e for e in data["errors"] if e.get("level") == "error"]
        findings = [_finding(item) for item in data["results"]]
    except (LookupError, TypeError, ValueError, AttributeError):
        raise ToolError("semgrep's report is not of a known form") from None
    if errors or wanted - scanned:
        raise ToolError(
            f"semgrep saw {len(wanted & scanned)} of {len(wanted)} files"
        )
    return findings


def _finding(item: dict[str, Any]) -> Finding:
    extra = item["extra"]
    return Finding(
        id=item["check_id"].rpartition(".")[2],
        severity=_SEVERITIES[extra["severity"]],
        title=extra["metadata"]["title"],
        path=normpath(item["path"]),
        line=int(item["start"]["line"]),
        message=extra["message"],
        remediation=extra["metadata"]["remedy"],
        cwe=extra["metadata"]["cwe"],
    )
