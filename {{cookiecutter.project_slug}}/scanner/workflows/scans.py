"""Scans whose word does not count: the project's own, and others'."""

import re
from collections.abc import Iterator
from dataclasses import replace

from ..documents import Table, table
from ..rules import Hit
from ..ruletable import ruled
from .model import Workflow

SCAN = "security_scan.py"
RUNS = re.compile(
    r"(?:\bpython[\d.]*\s+(?:-\S+\s+)*|\buv run\s+(?:-\S+\s+)*|\./)"
    r"security_scan\.py"
)
_SWALLOWED = re.compile(
    r"security_scan\.py[^\n|]*(?:\|\|[ \t]*(?:true\b|:|exit 0|echo\b)"
    r"|;[ \t]*(?:true\b|:|exit 0))"
)
_PIPED = re.compile(r"security_scan\.py[^\n|;]*\|(?!\|)")
_PIPEFAIL = re.compile(r"set\s+-\w*o\s+pipefail|-\w*o pipefail")
_GOES_ON = re.compile(r"(?m)^\s*set[ \t]+(?:\+e|\+o[ \t]+errexit)\b")
_TELLS = re.compile(r"\bexit[ \t]+\S*\$|\$\?")
_KEPT = re.compile(r"security_scan\.py[^\n|;]*\|\|[ \t]*(\w+)=\$\?")
_PART = re.compile(
    r"security_scan\.py[^\n|;]*[ \t](?:--only|--skip|--no-probe)\b"
)
_WORST = re.compile(r"security_scan\.py[^\n|;]*[ \t]--fail-on[ =]critical\b")
# Others that look for faults, as actions and as programs, and what keeps one
# of them from failing.
_SCANNERS = re.compile(
    r"(?i)[\w-]*/(?:[\w-]*(?:scan|trivy|grype|snyk|gitleaks|trufflehog|checkov"
    r"|hadolint|semgrep|bandit|pip-audit|zizmor|kics|sonar)[\w-]*)(?:/.*)?@.*"
)
_SILENCED = frozenset(
    {("exit-code", "0"), ("fail-build", "false"), ("no-fail", "true")}
    | {("soft_fail", "true"), ("fail", "false"), ("fail_on_error", "false")}
    | {("fail-on-findings", "false"), ("continue-on-error", "true")}
)
_AUDIT = (
    r"(?:bandit|checkov|cosign verify|gitleaks|grype|hadolint|osv-scanner"
    r"|pip-audit|pytest|safety|semgrep|snyk|trivy|trufflehog|uv audit|zizmor)"
)
_AUDITS = re.compile(rf"(?<![\w./=-]){_AUDIT}(?=\s|$)")
_UNHEARD_AUDIT = re.compile(
    rf"(?<![\w./=-]){_AUDIT}\s[^\n|;]{{0,400}}"
    r"(?:\|\|[ \t]*(?:true\b|:|exit 0|echo\b)"
    r"|;[ \t]*(?:true\b|exit 0)|--(?:exit-zero|soft-fail|no-fail)\b"
    r"|--exit-code[ =]0\b)"
)
_PUSHES = re.compile(r"\b(?:docker|podman|buildah|crane)\s+push\b")
_SIGNS = re.compile(
    r"cosign\s+(?:sign|attest)|actions/attest(?:-build-provenance)?@|notation\s"
)
_FAILS = re.compile(r"\bexit\b[^\n|;]*\|\|[ \t]*(?:true\b|:|exit 0)")
_MAY_FAIL = re.compile(r"\bexit\b(?![ \t]+0\b)")
workflow = ruled(__file__, on="workflow")


@workflow("MCP-WF-007")
def unheard_scan(flow: Workflow) -> Iterator[Hit]:
    """A scan that cannot fail a build is read by nobody.

    ``|| true`` and ``continue-on-error`` turn what it finds into a pass, and
    so does a pipe, unless its shell has ``pipefail``. One that runs a second
    time, for another report, may be so. A scan whose code is kept for later
    (``|| code=$?``) needs a step that fails with it.
    """
    unheard: list[Hit] = []
    for name, step in flow.steps():
        script = str(step.get("run") or "").replace("\\\n", " ")
        if not RUNS.search(script):
            continue
        job = dict(flow.jobs)[name]
        shell = _shell(flow, job, step)
        key, why = unasked(job, step) or ("run", _unheard(script, shell))
        where = step if key in step else job
        if not why:
            key, where, why = _late(flow, name, step)
        if not why:
            return
        unheard.append(flow.hit(where, key, f"what the scan finds {why}"))
    yield from unheard


@workflow("MCP-WF-011")
def unheard_audit(flow: Workflow) -> Iterator[Hit]:
    """A tool that looks for faults, and whose word does not count.

    ``fail-build: false``, ``exit-code: 0``, ``soft_fail``, ``|| true``: what
    it finds goes out with the release.
    """
    for name, step in flow.steps():
        uses, script = str(step.get("uses")), str(step.get("run") or "")
        script = script.replace("\\\n", " ")
        scans = _SCANNERS.fullmatch(uses)
        if RUNS.search(script) or not (scans or _AUDITS.search(script)):
            continue
        given = table(step, "with")
        for key in given if scans else ():
            if (key, str(given[key]).lower()) in _SILENCED:
                yield flow.hit(given, key, f"{key}: {given[key]}")
        told = unasked(dict(flow.jobs)[name], step)
        if told and told[0] in step:
            yield flow.hit(step, told[0], f"what it finds {told[1]}")
        elif _UNHEARD_AUDIT.search(script):
            yield flow.hit(step, "run", "what it finds is swallowed")


@workflow("MCP-WF-014")
def unscanned_push(flow: Workflow) -> Iterator[Hit]:
    """Who pulls the image gets the faults that its scan would have stopped.

    Less bad is one without a signature: whoever can push to the registry can
    then put another in its place.
    """
    scanned = signed = False
    pushed: list[Hit] = []
    for _job, step in flow.steps():
        uses, script = str(step.get("uses")), str(step.get("run") or "")
        given = table(step, "with")
        builds = uses.startswith("docker/build-push-action@")
        if builds and str(given.get("push")).lower() == "true":
            pushed.append(flow.hit(given, "push", "it is not scanned"))
        elif _PUSHES.search(script):
            pushed.append(flow.hit(step, "run", "it is not scanned"))
        scanned = scanned or bool(
            _SCANNERS.fullmatch(uses) or _AUDITS.search(script)
        )
        signed = signed or bool(_SIGNS.search(f"{uses} {script}"))
    for hit in pushed[:1]:
        if not scanned:
            yield hit
        elif not signed:
            message = "it is not signed"
            yield replace(hit, message=message, anchor=message)


def unasked(job: Table, step: Table) -> tuple[str, str] | None:
    """Return the key that keeps a step from failing or running, and how."""
    for where in (step, job):
        if str(where.get("continue-on-error")).lower() == "true":
            return "continue-on-error", "counts for nothing"
        said = str(where.get("if")).lower()
        if re.fullmatch(r"(?:\$\{\{)?\s*false\s*(?:\}\})?", said):
            return "if", "is never looked for"
    return None


def _late(flow: Workflow, name: str, scan: Table) -> tuple[str, Table, str]:
    """Judge the step that fails in the place of a scan that kept its code.

    That is ``… || code=$?``, where the script itself does not end with it.
    """
    script = str(scan.get("run") or "")
    kept = _KEPT.search(script)
    if kept is None or re.search(rf"\bexit[ \t]+\S*\${kept[1]}\b", script):
        return "run", scan, ""
    output = f"steps.{scan.get('id')}.outputs."
    for job, step in flow.steps():
        env = map(str, table(step, "env").values())
        told = [str(step.get("run") or ""), *env]
        if job != name or "exit" not in told[0]:
            continue
        if any(output in text for text in told):
            deaf = _FAILS.search(told[0]) or not _MAY_FAIL.search(told[0])
            lost = "is swallowed" if deaf else ""
            key, why = unasked(Table(), step) or ("run", lost)
            return key, step, why
    return "run", scan, "is kept, and fails nothing"


def _shell(flow: Workflow, job: Table, step: Table) -> str:
    """Return the shell that somebody named; GitHub's own has no pipefail."""
    defaults = [table(where, "defaults") for where in (job, flow.content)]
    named = [step, *(table(each, "run") for each in defaults)]
    return next((str(x["shell"]) for x in named if x.get("shell")), "")


def _unheard(script: str, shell: str) -> str:
    """Say how a script keeps each of its scans from failing it."""
    careful = shell == "bash" or "pipefail" in shell
    before, _, after = script.rpartition(SCAN)
    reasons = [
        _lost(line, careful or _PIPEFAIL.search(script) is not None)
        for line in script.splitlines()
        if SCAN in line
    ]
    if "" not in reasons:
        return reasons[0]
    goes_on = _GOES_ON.search(before) and after.partition("\n")[2].strip()
    return "is swallowed" if goes_on and not _TELLS.search(after) else ""


def _lost(line: str, careful: bool) -> str:
    """Say how a line keeps its scan from being heard; empty where not."""
    if _SWALLOWED.search(line):
        return "is swallowed"
    if _PIPED.search(line) and not careful:
        return "is lost in a pipe"
    if _WORST.search(line):
        return "counts for nothing short of critical"
    return "is of a part alone" if _PART.search(line) else ""
