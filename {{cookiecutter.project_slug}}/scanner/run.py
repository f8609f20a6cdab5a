"""Runs the checks side by side; whatever happens to one, it has a result."""

import dataclasses
import queue
import threading
import time
from collections.abc import Callable, Collection, Sequence

from . import checks, processes
from .model import CheckResult, Finding, Options, State
from .project import Project
from .text import visible
from .tools import ToolError

DEADLINE = 900.0  # seconds that a check may take, with all its programs
# Bandit takes longest of the outside programs. It has a processor for itself
# as soon as `code` has named its files, which is late among all the others.
FIRST = "code"
HEAD_START = 0.5  # seconds

# A password in a file is one fault: what `secrets` says of a line is better
# (it knows the kind), so what others say of the same line is dropped. That a
# suppression has no reason is another one.
_UNREASONED = "MCP-SEC-010"
_SAME_AS_SECRET = frozenset(
    {"MCP-CODE-B105", "MCP-CODE-B106", "MCP-CODE-B107", "MCP-CON-010"}
    | {"MCP-CON-014", "MCP-CON-113", "MCP-CON-217", "MCP-CON-218"}
)


def run(
    project: Project,
    options: Options,
    selected: Collection[str],
    on_done: Callable[[CheckResult], None],
) -> tuple[CheckResult, ...]:
    """Run the selected checks and return a result for every check there is.

    Args:
        project: What to look at.
        options: What the user asked for.
        selected: Names out of ``checks.CHECKS``.
        on_done: Told of each check as it ends.
    """
    done: queue.Queue[list[CheckResult]] = queue.Queue()
    for name in sorted(selected, key=lambda name: name != FIRST):
        work = (name, project, options, done)
        thread = threading.Thread(target=_work, args=work, daemon=True)
        thread.start()
        if name == FIRST and len(selected) > 1:
            thread.join(HEAD_START)
    results = {name: _left_out(name) for name in checks.CHECKS}
    waiting = set(selected)
    until = time.monotonic() + DEADLINE
    while waiting:
        try:
            ended = done.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            ended = [_failed(name, "did not end in time") for name in waiting]
        for result in ended:
            waiting.discard(result.name)
            results[result.name] = result
            on_done(result)
    processes.forget(project)
    return tuple(_once(list(results.values())))


def _work(
    name: str,
    project: Project,
    options: Options,
    done: "queue.Queue[list[CheckResult]]",
) -> None:
    """Run one check; an error in it is its result, and no one else's."""
    start = time.monotonic()
    try:
        outcome = checks.load(name)(project, options)
        results = [outcome] if isinstance(outcome, CheckResult) else outcome
        ended = [_whole(result) for result in results]
    except ToolError as error:
        ended = [_failed(name, error.reason, error.state)]
    except ModuleNotFoundError as error:
        reason = f"it needs {error.name}, which is not there; run: uv sync"
        ended = [_failed(name, reason, State.NOT_RUN)]
    except Exception as error:  # no check may end the scan
        reason = f"failed: {type(error).__name__}: {error}"
        ended = [_failed(name, visible(reason))]
    took = round(time.monotonic() - start, 3)
    done.put([dataclasses.replace(r, duration_seconds=took) for r in ended])


def _whole(result: CheckResult) -> CheckResult:
    """Make the state follow from the findings, and name each of them once."""
    findings = tuple(dict.fromkeys(result.findings))
    state = result.state
    if findings and state is State.PASSED:
        state = State.FINDINGS
    return dataclasses.replace(result, findings=findings, state=state)


def _left_out(name: str) -> CheckResult:
    return CheckResult(
        name=name,
        state=State.NOT_RUN,
        reason="left out by the command line",
        selected=False,
    )


def _failed(name: str, reason: str, state: State = State.ERROR) -> CheckResult:
    return CheckResult(name=name, state=state, reason=reason)


def _once(results: Sequence[CheckResult]) -> list[CheckResult]:
    """Report a fault that two checks see by the one that knows it best."""
    secrets = {
        (finding.path, finding.line)
        for result in results
        if result.name == "secrets"
        for finding in result.findings
        if finding.id != _UNREASONED
    }

    def kept(finding: Finding) -> bool:
        place = (finding.path, finding.line)
        return finding.id not in _SAME_AS_SECRET or place not in secrets

    return [_only(result, kept) for result in results]


def _only(result: CheckResult, kept: Callable[[Finding], bool]) -> CheckResult:
    findings = tuple(filter(kept, result.findings))
    if len(findings) == len(result.findings):
        return result
    emptied = result.state is State.FINDINGS and not findings
    state = State.PASSED if emptied else result.state
    return dataclasses.replace(result, findings=findings, state=state)
