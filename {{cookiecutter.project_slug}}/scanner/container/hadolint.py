"""hadolint, run over copies and judged by the files that it answers for."""

import contextlib
import re
import tempfile
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..model import Finding, Severity
from ..project import Project, Unreadable
from ..rules import Rule, register
from ..tools import Tool, ToolError, require, run_tool

NAME = "hadolint"
MAX_SIZE = 64 * 2**10  # bytes; its time grows with the square of a file's size
_BATCH = 100  # files on one command line
# Every stage lacks this label. So each file that is judged is heard of, and
# one that is not heard of was not judged.
_CANARY = "mcp-security-scan"
# A RUN of 5,000 commands took it 4.5 GB.
_LIMITS = {"GHCRTS": "-M128m", "HADOLINT_IGNORE": ""}
# What our own rules judge, and better: one fault is one finding.
_OURS = frozenset(
    {"DL3002", "DL3004", "DL3006", "DL3007", "DL3013", "DL3015", "DL3016"}
    | {"DL3020", "DL3022", "DL3049", "DL3057", "DL3064", "DL1001"}
)
# Size, style and labels; and versions of system packages, which the
# distribution takes away: a pin breaks the build, and fixes nothing.
_TASTE = re.compile(
    r"DL3(?:003|008|010|014|018|019|027|029|03\d|04[0-25-9]|05\d|06[05])"
    r"|DL400[01]"
)
register(
    Rule(
        id="MCP-CON-DL*",
        severity=Severity.LOW,
        title="hadolint reports a fault",
        cwe="CWE-710",
        owasp="MCP04",
        remedy="See https://github.com/hadolint/hadolint/wiki",
        explanation="What hadolint calls an error or a warning, unless it is"
        " a matter of size or style: a Dockerfile that does not do what it"
        " seems to, such as a CMD that hears no SIGTERM.",
    )
)
register(
    Rule(
        id="MCP-CON-SC*",
        severity=Severity.LOW,
        title="ShellCheck reports a fault in a RUN",
        cwe="CWE-710",
        owasp="MCP04",
        remedy="See https://www.shellcheck.net/wiki",
        explanation="What ShellCheck, inside hadolint, calls an error or a"
        " warning: a command that does not do what it seems to.",
    )
)


@dataclass(slots=True)
class HadolintReport:
    """What hadolint found, and of which files it gave account.

    Attributes:
        problems: For files that it could not read: why.
    """

    version: str
    seen: set[str] = field(default_factory=set)
    problems: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def run_hadolint(
    project: Project, files: Mapping[str, Sequence[int]], timeout: float
) -> HadolintReport:
    """Run hadolint without the project's settings for it.

    Args:
        project: Of whose files it is shown copies, unless they are large.
        files: Each with the lines on which its here-documents end.
        timeout: Seconds, for all files together.

    Raises:
        ToolError: It is missing or did not do its work.
    """
    tool = require(
        NAME, project.root, at_least=(2, 12), below=(3,), timeout=timeout
    )
    report = HadolintReport(tool.version)
    until = time.monotonic() + timeout
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "settings").write_text("ignored: []\n")
        paths = list(files)
        for start in range(0, len(paths), _BATCH):
            some = {
                path: files[path] for path in paths[start : start + _BATCH]
            }
            names = _copied(project, some, folder)
            left = max(0.1, until - time.monotonic())
            if names:
                found = _run(tool, folder, list(names), left)
                _read(found, names, files, report)
    return report


def _copied(
    project: Project, files: Mapping[str, Sequence[int]], folder: str
) -> dict[str, str]:
    """Copy the files under harmless names; return their paths by these.

    hadolint understands no here-document but before an empty line.
    """
    names: dict[str, str] = {}
    for path, ends in files.items():
        with contextlib.suppress(Unreadable):
            lines = project.read(path, MAX_SIZE).split(b"\n")
            for end in ends:
                lines[end - 1] += b"\n"
            name = str(len(names))
            names[name] = path
            Path(folder, name).write_bytes(b"\n".join(lines))
    return names


def _original(line: int, ends: Sequence[int]) -> int:
    """Return the line in the project's file of one in its copy."""
    added = [end + number for number, end in enumerate(ends, 1)]
    return line - bisect_left(added, line)


def _run(tool: Tool, folder: str, names: list[str], timeout: float) -> Any:
    """Return what it prints; without a limit of memory where it takes none."""
    options = ["--config", "settings", "--format", "json", "--no-color"]
    options += ["--require-label", f"{_CANARY}:text"]
    for limits in (_LIMITS, {}):
        run = run_tool(
            [tool.path, *options, *names],
            name=NAME,
            cwd=Path(folder),
            timeout=timeout,
            env=limits,
        )
        if b"RTS options are disabled" not in run.stderr:
            break
    return run.expect(0, 1).json()


def _read(
    data: Any,
    names: Mapping[str, str],
    files: Mapping[str, Sequence[int]],
    report: HadolintReport,
) -> None:
    """Take in one report, of which every part must be known."""
    try:
        for item in data:
            path = names[item["file"]]
            line = _original(int(item["line"]), files[path])
            code, message = str(item["code"]), str(item["message"])
            if code == "DL3049" and _CANARY in message:
                report.seen.add(path)
            elif code == "DL1000":
                report.problems[path] = " ".join(
                    f"hadolint, line {line}: {message}".split()
                )
            elif wanted(code, str(item["level"])):
                report.findings.append(_finding(path, line, code, message))
    except (LookupError, TypeError, ValueError):
        raise ToolError("hadolint's report is not of a known form") from None


def wanted(code: str, level: str) -> bool:
    """Tell whether it is a fault of security, and not judged elsewhere."""
    taste = code in _OURS or _TASTE.fullmatch(code)
    return level in {"error", "warning"} and not taste


def _finding(path: str, line: int, code: str, message: str) -> Finding:
    page = f"https://github.com/hadolint/hadolint/wiki/{code}"
    if code.startswith("SC"):
        page = f"https://www.shellcheck.net/wiki/{code}"
    return Finding(
        id=f"MCP-CON-{code}",
        severity=Severity.LOW,
        title=f"hadolint reports {code}",
        path=path,
        line=line,
        message=message,
        remediation=f"See {page}",
        cwe="CWE-710",
    )
