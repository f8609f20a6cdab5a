"""What zizmor does not see in workflows, or weighs less."""

import re
from collections.abc import Iterator
from dataclasses import replace

from ..container.engine import SHARED, contained, opened
from ..container.image_rules import TRUSTS_ALL
from ..documents import Items, Table, table, tables
from ..downloads import BRANCH, Downloads, unchecked
from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from ..runners import unlocked, unversioned
from ..shell import commands
from ..text import gives_reason
from .model import Workflow

_COMMIT = re.compile(r"[^@]+@[0-9a-f]{40}")
_TRUSTED = frozenset({"issue_comment", "pull_request_target", "workflow_run"})
_OPEN = _TRUSTED | {"pull_request"}
_STRANGERS = re.compile(
    r"github\.head_ref|github\.event\.(?:pull_request\.(?:head|number)"
    r"|workflow_run\.(?:head|pull_requests)|number|issue\.number)"
    r"|refs/pull/|\bpull/\S{1,80}/(?:head|merge)"
)
_IGNORE = re.compile(r"(?m)#[ \t]*zizmor:[ \t]*ignore\[[^\]\n]*\](.*)")
_SETTING_UP = re.compile(
    r"actions/(?:cache|checkout|download-artifact|setup-[\w-]+"
    r"|upload-artifact)(?:/.*)?@.*|astral-sh/setup-uv@.*"
)
_USES_RIGHTS = re.compile(
    r"\bgh\b|\bgit\s+(?:-\S+\s+)*push\b|token|api\.github\.com|\bpush\b"
    r"|\bcosign\b|\btwine\b|\bpublish\b|semantic-release|mkdocs|mike\b",
    re.IGNORECASE,
)
_SECRET = re.compile(r"\$\{\{[^}]*\bsecrets(?:\.|\[)")
_ON_INPUT = re.compile(
    r"\b(?:echo|printf)\b[^|\n]{1,400}\|[^|\n]{1,400}"
    r"--(?:password-stdin|passphrase-fd|with-token)\b"
)
workflow = ruled(__file__, on="workflow")


@workflow("MCP-WF-001")
def unpinned(flow: Workflow) -> Iterator[Hit]:
    """A tag is moved by whoever holds the action's repository.

    So it was with tj-actions/changed-files in March 2025: 23,000
    repositories ran the thief's code. A commit cannot be moved.
    """
    for where in (*_every_job(flow), *_steps(flow)):
        uses = where.get("uses")
        if not isinstance(uses, str) or uses.startswith(("./", "docker:")):
            continue
        if not _COMMIT.fullmatch(uses):
            yield flow.hit(where, "uses", f"{uses[:100]} is no commit")


@workflow("MCP-WF-002")
def strangers_code(flow: Workflow) -> Iterator[Hit]:
    """These triggers run with the project's secrets, whoever set them off.

    Checking out the pull request, and so building or testing it, hands them
    to its author.
    """
    if not flow.triggers & _TRUSTED:
        return
    for step in _steps(flow):
        given = table(step, "with")
        taken = f"{given.get('ref')} {given.get('repository')}"
        checkout = str(step.get("uses")).startswith("actions/checkout@")
        script = str(step.get("run") or "")
        by_hand = re.search(r"gh pr checkout|git (?:fetch|checkout)", script)
        if checkout and _STRANGERS.search(taken):
            yield flow.hit(step, "uses", "the pull request is checked out")
        elif "gh pr checkout" in script or (
            by_hand and _STRANGERS.search(script)
        ):
            yield flow.hit(step, "run", "the pull request is checked out")


@workflow("MCP-WF-003")
def fetched_program(flow: Workflow) -> Iterator[Hit]:
    """``curl … | sh`` runs whatever the other side sends that day.

    It has the job's token and secrets, as the steps before and after it.
    """
    followers: dict[str, Downloads] = {}
    for job, step in flow.steps():
        script = step.get("run")
        if not isinstance(script, str) or step.get("shell") == "python":
            continue
        follower = followers.setdefault(job, Downloads())
        for command in list(follower.executed(commands(script)))[:1]:
            below = command.line + 1 if "\n" in script else 0
            message = f"{command.name} executes what was fetched unverified"
            yield flow.hit(step, "run", message, below)


@workflow("MCP-WF-004")
def own_machine(flow: Workflow) -> Iterator[Hit]:
    """A self-hosted runner keeps what one job leaves for the next.

    What a pull request from a fork brings stays there, inside your network.
    """
    started = sorted(flow.triggers & _OPEN)
    for name, job in flow.jobs if started else ():
        runner = job.get("runs-on")
        labels = table(runner).get("labels", runner)
        every = labels if isinstance(labels, Items) else [labels]
        if "self-hosted" in map(str, every):
            message = f"job {name[:60]} is self-hosted, on {started[0]}"
            yield flow.hit(job, "runs-on", message)


@workflow("MCP-WF-005")
def unreasoned_ignore(flow: Workflow) -> Iterator[Hit]:
    """What is ignored is ignored for everybody who scans after you."""
    for found in _IGNORE.finditer(flow.text):
        if not gives_reason(found[1]):
            yield Hit(
                path=flow.path,
                line=flow.text.count("\n", 0, found.start()) + 1,
                anchor=found[0].strip()[:200],
                message=f"{found[0].strip()[:100]} gives no reason",
            )


@workflow("MCP-WF-006")
def unbounded_token(flow: Workflow) -> Iterator[Hit]:
    """With ``write-all`` every step can push, release and approve.

    Whoever gets code into one of them, by an action or a dependency, has the
    repository. A right for the whole workflow is every job's, and that of the
    job that is added next.
    """
    for where in (flow.content, *_every_job(flow)):
        if where.get("permissions") == "write-all":
            yield flow.hit(where, "permissions", "the token may do all")
    rights = table(flow.content, "permissions")
    for name in rights if len(table(flow.content, "jobs")) == 1 else ():
        if rights[name] == "write":  # of several jobs zizmor says it
            hit = flow.hit(rights, name, f"every job may write {name[:60]}")
            yield replace(hit, severity=Severity.MEDIUM)


@workflow("MCP-WF-008")
def told_secret(flow: Workflow) -> Iterator[Hit]:
    """What stands in a script is in its file, its log and the process list.

    The log's mask knows the secret as it is, not in Base64 or cut in two.
    Hand it to the step in ``env``, and to the program on its input.
    """
    for job, step in flow.steps():
        script = _ON_INPUT.sub("", str(step.get("run") or ""))
        if _SECRET.search(script):
            yield flow.hit(step, "run", "a secret is written into the script")
            continue
        names = [*_secrets(step), *_secrets(dict(flow.jobs)[job])]
        if any(_printed(script, name) for name in names):
            yield flow.hit(step, "run", "a secret is printed")


@workflow("MCP-WF-009")
def unchecked_origin(flow: Workflow) -> Iterator[Hit]:
    """Without certificates and signatures, anybody on the way can answer.

    Such as ``curl -k``, ``pip --trusted-host``, or a package from a branch.
    """
    for where in (flow.content, *_every_job(flow), *_steps(flow)):
        env = table(where, "env")
        for name in env:
            if TRUSTS_ALL.fullmatch(f"{name}={env[name]}"):
                yield flow.hit(env, name, f"by {name[:60]}")
    for _job, step in flow.steps():
        script = step.get("run")
        if not isinstance(script, str) or step.get("shell") == "python":
            continue
        for command in commands(script):
            if loose := unchecked(command):
                message = f"{command.name} with {loose[:60]}"
                hit = flow.hit(step, "run", message)
                severity = Severity.MEDIUM if BRANCH in loose else None
                yield replace(hit, severity=severity)
                break


@workflow("MCP-WF-010")
def opened_runner(flow: Workflow) -> Iterator[Hit]:
    """A container with the runner's rights reads what the job has.

    Its token, its secrets, and what the steps before have left.
    """
    scripts = [(step, "run", step.get("run")) for step in _steps(flow)]
    for _name, job in flow.jobs:
        inner = [table(job, "container"), *_inner(job, "services")]
        scripts += [
            (each, "options", f"docker run {each['options']}")
            for each in inner
            if each.get("options")
        ]
    for where, key, script in scripts:
        if not isinstance(script, str) or where.get("shell") == "python":
            continue
        for command in commands(script):
            for name, value in contained(command.program)[1]:
                if name not in SHARED and opened(name, value):
                    message = f"{name} {value}".strip()[:80]
                    yield flow.hit(where, key, message)


@workflow("MCP-WF-013")
def moving_program(flow: Workflow) -> Iterator[Hit]:
    """``npx`` and ``uvx`` fetch whatever was published last, and run it.

    It has the job's token and secrets, as the steps before and after it. So
    it is with ``pip install name``. Less bad is ``uv sync``, which goes by
    the lock for as long as pyproject.toml does not ask for more.
    """
    settled = re.search(r"UV_(?:FROZEN|LOCKED)", flow.text)
    for _job, step in flow.steps():
        script = step.get("run")
        if not isinstance(script, str) or step.get("shell") == "python":
            continue
        for command in commands(script):
            words = list(command.program)
            loose = unversioned(words) or unlocked(words)
            by_lock = loose == "uv sync"
            if loose and not (settled and by_lock):
                message = f"{loose[:80]} takes what is newest"
                hit = flow.hit(step, "run", message)
                yield replace(hit, severity=Severity.LOW if by_lock else None)
                break


@workflow("MCP-WF-012")
def unused_right(flow: Workflow) -> Iterator[Hit]:
    """A right that no step uses is there for whoever gets into one of them.

    A job that only checks out, sets up and runs commands, none of which
    speaks to GitHub, needs to read and no more.
    """
    for name, job in flow.jobs:
        steps = tables(job, "steps")
        others = [x for x in steps if _works_for(x)]
        rights = table(job, "permissions")
        for right in rights if steps and not others else ():
            if rights[right] == "write":
                message = f"job {name[:60]} writes {right[:40]} nowhere"
                yield flow.hit(rights, right, message)


def _works_for(step: Table) -> bool:
    """Tell whether a step may use the job's rights."""
    uses = step.get("uses")
    if isinstance(uses, str) and not _SETTING_UP.fullmatch(uses):
        return True
    kept = table(step, "with").get("persist-credentials") is not False
    pushes = isinstance(uses, str) and "checkout" in uses and kept
    env = map(str, table(step, "env").values())
    told = [str(step.get("run") or ""), *env]
    return pushes or any(map(_USES_RIGHTS.search, told))


def _inner(where: Table, key: str) -> list[Table]:
    return [table(each) for each in table(where, key).values()]


def _secrets(where: Table) -> Iterator[str]:
    """Yield the variables that hold a secret."""
    for name, value in table(where, "env").items():
        if _SECRET.search(str(value)):
            yield str(name)


def _printed(script: str, name: str) -> bool:
    """Tell whether a variable goes to the log, as it is or written otherwise.

    A pipe into a program that reads it, or a file, is the way to do it.
    """
    shown = re.compile(
        rf"\b(?:echo|printf)\b[^|>\n]{{0,200}}\$\{{?{re.escape(name)}\b"
        rf"[^|>\n]{{0,200}}(?:$|\|[ \t]*(?:base64|hexdump|od|rev|sed|tr|xxd)\b"
        rf"[^>\n|]*$)",
        re.MULTILINE,
    )
    return shown.search(script) is not None


def _every_job(flow: Workflow) -> list[Table]:
    return [job for _name, job in flow.jobs]


def _steps(flow: Workflow) -> list[Table]:
    return [step for _job, step in flow.steps()]
