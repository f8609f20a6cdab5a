"""Python code: Bandit, our own rules, and Semgrep where it is installed."""

import contextlib
import re
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ..model import (
    CheckResult,
    Coverage,
    Finding,
    Options,
    State,
)
from ..project import Project, Unreadable
from ..rules import rules_for
from ..text import visible
from ..tools import ToolError
from . import (
    bypass_rules,
    code_rules,
    credential_rules,
    disclosure_rules,
    essentials,
    library_rules,
    promise_rules,
    redirect_rules,
    sharing_rules,
    suppressions,
    tool_rules,
    trust_rules,
    weakness_rules,
    wiring_rules,
)
from .bandit import NAME as BANDIT
from .bandit import BanditRun, read_report, run_bandit
from .harmless import Place, harmless
from .python_files import MODULES, NOTEBOOK, python_files, read_python
from .reach import weighed
from .semgrep import run_semgrep
from .source import MAX_WORDS, Source, fits, parse
from .spread import Spread
from .wiring import Wiring

MAX_TOLD = 10  # files that a reason names
# Tests and the scanner run on every desk and in CI, and never ship: what runs
# other code counts there, an assertion or a made-up password does not. The
# words are those without which none of it can be.
AT_THE_DESK = frozenset({"scanner", "tests"})
COUNTS_THERE = suppressions.IDS | {
    *("MCP-CODE-003", "MCP-CODE-004", "MCP-CODE-B102", "MCP-CODE-B202"),
    *("MCP-CODE-B301", "MCP-CODE-B302", "MCP-CODE-B307", "MCP-CODE-B506"),
    *("MCP-CODE-B601", "MCP-CODE-B602", "MCP-CODE-B605", "MCP-CODE-B613"),
    "MCP-CODE-B614",
}
_SUSPECT = re.compile(
    rb"\b(eval|exec|spawn|system|popen|getoutput|getstatusoutput)\s*\("
    rb"|\bshell\s*=|subprocess_shell|[Pp]ickle|\b(dill|shelve|marshal|joblib"
    rb"|extractall|paramiko|torch)\b"
    rb"|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]"  # bidirectional marks
)
_LOADS = re.compile(rb"\b(unsafe_)?load(_all)?\b")  # in what names YAML
# Imported, so that they are registered.
_RULES = (
    bypass_rules,
    code_rules,
    credential_rules,
    disclosure_rules,
    essentials,
    library_rules,
    promise_rules,
    redirect_rules,
    sharing_rules,
    suppressions,
    tool_rules,
    trust_rules,
    weakness_rules,
    wiring_rules,
)


@dataclass(slots=True)
class _Seen:
    """What has been looked at so far, and what has not, and why.

    Attributes:
        unparsed: A sentence for each file that could not be looked at.
        right: Where what Bandit warns of is right, by file.
    """

    parsed: set[str] = field(default_factory=set)
    right: dict[str, frozenset[Place]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unparsed: list[str] = field(default_factory=list)
    state: State = State.PASSED
    version: str | None = None


def check(project: Project, options: Options) -> CheckResult:
    """Look at every Python file that git would take, tests included.

    Notebooks and scripts without a suffix are such files too.
    """
    paths = python_files(project)
    compiled = project.named(r"(?s).*\.(?:pyc|pyd|so)")
    seen = _Seen()
    seen.unparsed += [f"{path} is compiled code" for path in compiled]
    small = [path for path in paths if _fits(project, path, seen)]
    told = {path for path in small if _is_told(project, path)}
    whole = sorted(told)
    with ThreadPoolExecutor(max_workers=1) as pool:
        running = pool.submit(_run_bandit, project, whole, options.timeout)
        lines = _own(project, small, told, seen)
        _bandit(running, lines, seen)
    whole = [p for p in whole if p in seen.parsed and p.endswith(MODULES)]
    _semgrep(project, options, {path: lines[path] for path in whole}, seen)
    counted = [f for f in _once(seen.findings) if _counts(project, f)]
    findings = weighed(project, counted)
    if not any(path.startswith(f"{project.package}/") for path in paths):
        seen.notes.insert(0, "the server's package was not found")
        seen.state = State.ERROR
    return CheckResult(
        name="code",
        state=seen.state,
        reason=_reason(seen),
        tool=BANDIT if seen.version else None,
        tool_version=seen.version,
        coverage=Coverage(
            unit="files",
            covered=len(seen.parsed),
            total=len(paths) + len(compiled) + len(project.listing.unseen),
        ),
        findings=tuple(findings),
    )


def _run_bandit(
    project: Project, paths: Sequence[str], timeout: float
) -> BanditRun:
    """Run Bandit, over a copy of the Python in what is no file of it."""
    notebooks = [path for path in paths if path.endswith(NOTEBOOK)]
    plain = [path for path in paths if not path.endswith(NOTEBOOK)]
    run = run_bandit(project.root, plain, timeout)
    if not notebooks:
        return run
    with tempfile.TemporaryDirectory() as folder:
        for path in notebooks:
            copy = Path(folder, path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(Unreadable):  # it is a gap already
                copy.write_bytes(read_python(project, path))
        copies = run_bandit(project.root, notebooks, timeout, Path(folder))
    return BanditRun(run.version, [*run.reports, *copies.reports])


def _own(
    project: Project, paths: Sequence[str], told: set[str], seen: _Seen
) -> dict[str, list[str]]:
    """Run our own rules; return the lines of each file that was parsed."""
    rules = rules_for("MCP-CODE-")
    lines = {}
    wiring = Wiring()
    spread = Spread.of(project)
    for path in paths:
        try:
            data = read_python(project, path)
            source = parse(path, data, whole=path in told)
        except (Unreadable, ValueError) as error:
            seen.unparsed.append(f"{path} does not parse ({error})")
            continue
        seen.parsed.add(path)
        spread.into(source)
        if path in told:
            lines[path] = source.lines
            seen.right[path] = harmless(source)
        found = [f for rule in rules for f in rule.findings(source)]
        found += _in_package(project, source, wiring)
        seen.findings += [
            f for f in found if not suppressions.accepted(source.notes, f)
        ]
    for rule in rules_for("MCP-CODE-", on="package"):
        seen.findings += [
            f
            for f in rule.findings(wiring)
            if not suppressions.accepted(wiring.notes.get(f.path or "", {}), f)
        ]
    return lines


def _in_package(
    project: Project, source: Source, wiring: Wiring
) -> Iterable[Finding]:
    """Apply what is wrong only in the server: a control, or a tool."""
    if source.path.partition("/")[0] in project.packages:
        wiring.add(source)
        for kind in ("tool", "control"):
            for rule in rules_for("MCP-CODE-", on=kind):
                yield from rule.findings(source)


def _bandit(
    running: Future[BanditRun], lines: dict[str, list[str]], seen: _Seen
) -> None:
    """Add what Bandit finds; a file that it did not parse was not seen."""
    try:
        run = running.result()
        report = read_report(run, lines)
    except ToolError as error:
        seen.notes.append(error.reason)
        seen.state = error.state
        return
    seen.version = run.version
    seen.findings += [
        f
        for f in report.findings
        if (f.id, f.line or 0) not in seen.right.get(f.path or "", ())
    ]
    if silenced := sum(report.silenced):
        seen.notes.append(f"{silenced} of bandit's findings are silenced")
    for path in sorted(lines.keys() - report.parsed):
        seen.unparsed.append(f"bandit did not parse {path}")
        seen.parsed.discard(path)


def _semgrep(
    project: Project,
    options: Options,
    lines: dict[str, list[str]],
    seen: _Seen,
) -> None:
    """Add what Semgrep finds; it is not needed, but if there it must work."""
    try:
        found = run_semgrep(project.root, lines, options.timeout)
    except ToolError as error:
        seen.notes.append(error.reason)
        if error.state is not State.NOT_RUN:
            seen.state = State.ERROR
        return
    seen.findings += found


def _is_told(project: Project, path: str) -> bool:
    """Tell whether Bandit reads a file: of what never ships, it reads few."""
    if not _stays(project, path):
        return True
    try:
        data = read_python(project, path)
    except Unreadable:
        return True  # whoever reads it next says so
    yaml = b"yaml" in data and _LOADS.search(data)
    return bool(yaml or _SUSPECT.search(data))


def _reason(seen: _Seen) -> str:
    """Name some of the files that were not seen, and count the rest."""
    more = len(seen.unparsed) - MAX_TOLD
    told = [visible(text) for text in seen.unparsed[:MAX_TOLD]]
    told += [f"and {more} more"] if more > 0 else []
    return "; ".join([*told, *seen.notes])


def _fits(project: Project, path: str, seen: _Seen) -> bool:
    """Leave out what would take too much memory, and say so."""
    try:
        if project.status(path).st_size <= MAX_WORDS or fits(
            read_python(project, path)
        ):
            return True
        seen.unparsed.append(f"{path} is too large to parse")
    except Unreadable as error:
        seen.unparsed.append(str(error))
    return False


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """Give one finding for one fault, by whoever knows it best.

    Our rules win over the tools on the same line unless theirs is worse; of
    several by one tool on a line the worst stays; an import goes where what
    it is good for has been found in the same file.
    """
    best: dict[tuple[str | None, int | None, str | None], Finding] = {}
    own = {(f.path, f.line): f for f in findings if _is_own(f)}
    for finding in findings:
        mine = own.get((finding.path, finding.line))
        if mine and not _is_own(finding) and not _worse(finding, mine):
            continue
        own_kind = finding.id.removeprefix("MCP-CODE-").isdigit()
        kind = finding.id if own_kind else finding.cwe
        key = (finding.path, finding.line, kind)
        other = best.get(key)
        if other is None or _worse(finding, other):
            best[key] = finding
    kept = list(best.values())
    used = {(f.path, f.cwe) for f in kept if not _is_import(f)}
    return [f for f in kept if not (_is_import(f) and (f.path, f.cwe) in used)]


def _stays(project: Project, path: str) -> bool:
    """Tell whether a file never ships."""
    top = path.partition("/")[0]
    return top in AT_THE_DESK and top not in project.packages


def _counts(project: Project, finding: Finding) -> bool:
    """Leave out what runs nobody's code where nothing ships."""
    stays = _stays(project, finding.path or "")
    return not stays or finding.id in COUNTS_THERE


def _is_own(finding: Finding) -> bool:
    """Tell our rules from a tool's; a silenced fault is one of its own."""
    number = finding.id.removeprefix("MCP-CODE-")
    return number.isdigit() and finding.id not in suppressions.IDS


def _worse(finding: Finding, other: Finding) -> bool:
    return finding.severity.rank < other.severity.rank


def _is_import(finding: Finding) -> bool:
    return finding.id.startswith("MCP-CODE-B4")
