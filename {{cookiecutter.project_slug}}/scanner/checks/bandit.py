"""Bandit, run over named files and judged by what it says it parsed."""

import ast
import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..model import Finding, Severity
from ..rules import RULES, Rule, anchored
from ..ruletable import registered
from ..tools import ToolError, find_tool, require, run_tool

NAME = "bandit"
ENOUGH = 100_000 if os.name == "posix" else 20_000  # characters of arguments
AT_ONCE = 2  # processes
LONGEST = 20  # lines of a statement; a block is known by its first
MANY = 200  # files; fewer are done while our own rules read them
PASSWORDS = frozenset({"MCP-CODE-B105", "MCP-CODE-B106", "MCP-CODE-B107"})
_FOUND = """\
Bandit finds this, by the test whose number the rule bears.

See https://bandit.readthedocs.io/en/latest/plugins/
"""
STATEMENT = "MCP-CODE-B608"
_ARTICLE = r"(?:an?|each|its?|my|our|that|the|their|these|this|those|your)\b"
# "Select one from the list": no table has an article before its name.
_PROSE = re.compile(rf"(?i)\b(?:from|into|update)\s+{_ARTICLE}")
_CLAUSE = re.compile(rf"(?i)\b(?:from|into|update)\s+(?!{_ARTICLE})")
# What a secret is of, not the secret.
_KIND = (
    r"(?i)(?:token|password|secret)\w*_(?:claim|endpoint|env|field|file"
    r"|format|header|key|kind|name|param|path|prefix|scheme|type|ur[il]|var)"
    r"['\"]?\s*(?:[!=]?=|:(?:\s*\w+\s*=)?)\s*['\"]"
)
_NAME = re.compile(r"[A-Za-z_./{}-]*")
# What a lexer asks of the words that it has cut a text into.
_LEXED = re.compile(r"\b\w*(?:token|tok)(?:\.\w+|\[[^]]*\])?\s*(?:[!=]=|in)\s")
_LEXEME = 8  # characters
_ADDRESS = re.compile(r"[a-z][a-z+.-]*://[^@\s'\"]*")


@dataclass(frozen=True, slots=True)
class BanditRun:
    """What Bandit printed, and by which version."""

    version: str
    reports: list[Any]


@dataclass(frozen=True, slots=True)
class BanditReport:
    """What Bandit found, where it looked, and how much it was told to skip.

    Attributes:
        silenced: Lines with a ``# nosec``, in each of its runs.
    """

    parsed: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    silenced: list[int] = field(default_factory=list)


def run_bandit(
    root: Path,
    paths: Sequence[str],
    timeout: float,
    copies: Path | None = None,
) -> BanditRun:
    """Run Bandit with every test, whatever the project's settings say.

    Files are named one by one: in a folder it would read a ``.bandit`` file,
    which can switch it off.

    Args:
        root: Where the project lies, and its programs.
        paths: The files, relative to the project.
        timeout: Seconds that each process may take.
        copies: Where the files lie if it is elsewhere.

    Raises:
        ToolError: It is missing, or did not come to an end.
    """
    path = find_tool(NAME, root)
    options = ["--quiet", "--format", "json", "--exclude", ""]

    def scan(some: list[str]) -> Any:
        argv = [path or NAME, *options, *some]
        run = run_tool(argv, name=NAME, cwd=copies or root, timeout=timeout)
        return run.expect(0, 1).json()

    with ThreadPoolExecutor(max_workers=3) as pool:
        known = pool.submit(
            require, NAME, root, at_least=(1, 9), below=(2,), timeout=timeout
        )
        scans = [pool.submit(scan, some) for some in portions(paths)]
        version = known.result().version  # its failure is the one to tell
        return BanditRun(version, [each.result() for each in scans])


def read_report(run: BanditRun, lines: dict[str, list[str]]) -> BanditReport:
    """Return what was found, and what was parsed.

    Raises:
        ToolError: What it printed is no report, or it parsed nothing.
    """
    report = BanditReport()
    for data in run.reports:
        _read(data, lines, report)
    if any(map(any, lines.values())) and not report.parsed:
        raise ToolError("bandit parsed nothing")
    report.findings.sort(key=lambda found: (found.path or "", found.line or 0))
    return report


def portions(paths: Sequence[str]) -> Iterator[list[str]]:
    """Split files among processes, and into command lines not too long.

    They are dealt like cards: the long ones lie in a few folders.
    """
    hands = AT_ONCE if len(paths) > MANY else 1
    for first in range(hands):
        some: list[str] = []
        size = 0
        for path in paths[first::hands]:
            if some and size + len(path) > ENOUGH:
                yield some
                some, size = [], 0
            some.append(f"./{path}")
            size += len(path) + 3
        if some:
            yield some


def _read(
    data: Any, lines: dict[str, list[str]], report: BanditReport
) -> None:
    """Take in one report, of which every part must be there."""
    try:
        failed = {_path(item["filename"]) for item in data["errors"]}
        metrics = data["metrics"]
        totals = metrics["_totals"]
        loc = int(totals["loc"])
        silenced = int(totals["nosec"]) + int(totals["skipped_tests"])
        files = {_path(name) for name in metrics if name != "_totals"}
        found = [_finding(item, lines) for item in data["results"]]
    except (LookupError, TypeError, ValueError, AttributeError):
        raise ToolError("bandit's report is not of a known form") from None
    if loc > 0 or not any(any(lines.get(path, ())) for path in files):
        report.parsed.update(files - failed)
    report.silenced.append(silenced)
    report.findings.extend(finding for finding in found if finding)


def _path(name: str) -> str:
    return posixpath.normpath(name.replace(os.sep, "/"))


def _finding(
    item: dict[str, Any], lines: dict[str, list[str]]
) -> Finding | None:
    """Turn one result into a finding; a password's value stays out of it."""
    path, number = _path(item["filename"]), int(item["line_number"])
    known = RULES.get(f"MCP-CODE-{item['test_id']}") or _unknown(item)
    code = lines.get(path, [])
    text = code[number - 1].strip() if code else ""
    message, severity = str(item["issue_text"]), known.severity
    if known.id == STATEMENT and _is_prose(_words(code, item)):
        return None
    if known.id in PASSWORDS:
        value = re.sub(r"(?s)^.*?: '(.*)'$", r"\1", message)
        if not value:
            return None
        line = text.partition("#")[0]
        if _ADDRESS.fullmatch(value):
            return None  # where secrets are had, not one
        if not re.search(r"\w", value):
            return None  # a bracket, a dash
        if len(value) < _LEXEME and _LEXED.search(line):
            return None
        kind = re.search(_KIND + re.escape(value), line)
        if kind and _NAME.fullmatch(value):
            return None
        if re.fullmatch(r"[a-z_-]*|[a-z]+:.*", value):
            severity = Severity.LOW  # a word, a name or a URL
        text = text.replace(value, "…")
        message = f"{known.title}; its value is not shown"
    return Finding(
        id=known.id,
        severity=severity,
        title=known.title,
        path=path,
        line=number,
        message=message,
        remediation=known.remedy,
        cwe=known.cwe or _cwe(item),
        anchor=text if known.id in PASSWORDS else _whole(item, code, text),
    )


def _is_prose(words: str) -> bool:
    return bool(_PROSE.search(words)) and not _CLAUSE.search(words)


def _words(code: list[str], item: dict[str, Any]) -> str:
    """Return the texts in a statement without what stands around them."""
    first, last = min(item["line_range"]), max(item["line_range"])
    try:
        tree = ast.parse("\n".join(code))
    except (ValueError, RecursionError):  # SyntaxError is one
        return ""
    return "".join(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if first <= node.lineno <= last
    )


def _whole(item: dict[str, Any], code: list[str], text: str) -> str:
    """Return what tells a statement of several lines from another."""
    numbers = sorted(map(int, item.get("line_range", ())))[:LONGEST]
    told = [code[n - 1].strip() for n in numbers if 0 < n <= len(code)]
    return anchored(text, *told) if len(told) > 1 else text


def _cwe(item: dict[str, Any]) -> str | None:
    number = item.get("issue_cwe", {}).get("id")
    return f"CWE-{number}" if number else None


def _unknown(item: dict[str, Any]) -> Rule:
    """Weigh a test that the table does not know as Bandit does."""
    return Rule(
        id=f"MCP-CODE-{item['test_id']}",
        severity=Severity(item["issue_severity"].lower()),
        title=str(item["test_name"]).replace("_", " "),
        cwe=_cwe(item),
        owasp="",
        remedy=f"See {item['more_info']}",
        explanation=str(item["issue_text"]),
    )


registered(Path(__file__).with_name("bandit.toml"), explanation=_FOUND)
