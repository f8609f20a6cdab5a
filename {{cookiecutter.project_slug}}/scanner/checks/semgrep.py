"""Semgrep, where it is installed, with the rules that lie beside this."""

from collections.abc import Mapping
from pathlib import Path
from posixpath import normpath
from typing import Any

from ..model import Finding, State
from ..rules import RULES, Hit
from ..tools import ToolError, find_tool, require, run_tool
from .bandit import portions

NAME = "semgrep"
RULES_FILE = Path(__file__).with_name("semgrep.yaml")


def run_semgrep(
    root: Path, lines: Mapping[str, list[str]], timeout: float
) -> list[Finding]:
    """Run our rules and no others, without a word to any other machine.

    Args:
        root: Where the project lies, and its programs.
        lines: The files, and what stands in them.
        timeout: Seconds that each process may take.

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
    for some in portions([*lines]):
        argv: list[str | Path] = [tool.path, *options, *some]
        run = run_tool(argv, name=NAME, cwd=root, timeout=timeout)
        wanted = {normpath(path) for path in some}
        found += _read(run.expect(0, 1).json(), wanted, lines)
    return found


def _read(
    data: Any, wanted: set[str], lines: Mapping[str, list[str]]
) -> list[Finding]:
    """Take in its report; files that it left out are said to be."""
    try:
        scanned = {normpath(path) for path in data["paths"]["scanned"]}
        errors = [e for e in data["errors"] if e.get("level") == "error"]
        findings = [_finding(item, lines) for item in data["results"]]
    except (LookupError, TypeError, ValueError, AttributeError):
        raise ToolError("semgrep's report is not of a known form") from None
    if errors or wanted - scanned:
        raise ToolError(
            f"semgrep saw {len(wanted & scanned)} of {len(wanted)} files"
        )
    return findings


def _finding(item: dict[str, Any], lines: Mapping[str, list[str]]) -> Finding:
    """Make the finding of the rule of ours that bears the same id."""
    path, number = normpath(item["path"]), int(item["start"]["line"])
    code = lines.get(path, [])
    return RULES[item["check_id"].rpartition(".")[2]].at(
        Hit(
            path=path,
            line=number,
            message=str(item["extra"]["message"]),
            anchor=code[number - 1].strip() if number <= len(code) else "",
        )
    )
