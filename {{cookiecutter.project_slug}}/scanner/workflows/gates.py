"""Jobs that speak for others: what a branch's protection asks for."""

import re
from collections.abc import Iterator

from ..documents import Items, Table, table, tables
from ..rules import Hit
from ..ruletable import ruled
from ..shell import commands
from .model import Workflow
from .scans import unasked

_RESULTS = re.compile(r"\bneeds\.(?:\*|[\w-]+)\.result\b")
_ALL = re.compile(r"toJSON\(\s*needs\s*\)", re.IGNORECASE)
_ALWAYS = re.compile(r"\balways\(\)|!\s*cancelled\(\)")
_FAILS = frozenset({"[", "[[", "exit", "false", "grep", "jq", "test"})
_TELLS = frozenset({"", ":", "cat", "echo", "printf", "true"})
_SWALLOWED = re.compile(r"\|\|[ \t]*(?:true\b|:(?=\s|$)|exit 0|echo\b)")
_EXITS = re.compile(r"\bexit[ \t]+[1-9]")
_TESTS = re.compile(
    r"(?<![\w./=-])(?:docker build|mypy|nox|pytest|tox|unittest)\b"
    r"|security_scan\.py"
)
workflow = ruled(__file__, on="workflow")


@workflow("MCP-WF-017")
def open_gate(flow: Workflow) -> Iterator[Hit]:
    """What waits for all other jobs is the one check that a merge needs.

    It has to run whatever they did (``if: always()``), as GitHub takes a
    check that is skipped for one that passed; it has to fail with them; and
    a job that it does not wait for, or whose failure counts as a success,
    fails unseen.
    """
    jobs = dict(flow.jobs)
    for name, job in flow.jobs:
        steps = tables(job, "steps")
        judges = [step for step in steps if _judges(step)]
        runs = _ALWAYS.search(str(job.get("if"))) is not None
        tells = runs and bool(steps) and all(map(_only_tells, steps))
        if "needs" not in job or not (judges or tells):
            continue
        if not runs:
            message = f"job {name[:60]} is skipped when another fails"
            yield flow.hit(job, "needs", message)
        if tells or all(map(_is_deaf, judges)):
            message = f"job {name[:60]} passes whatever the others did"
            yield flow.hit(steps[0], "run", message)
        waited = _before(jobs, name)
        for other, its in flow.jobs:
            late = other == name or name in _before(jobs, other)
            if other not in waited and not late and _only_tests(its):
                message = f"job {other[:60]} may fail unseen"
                yield flow.hit(job, "needs", message)
            elif other in waited and its.get("continue-on-error") is True:
                message = f"the failure of job {other[:60]} counts for nothing"
                yield flow.hit(its, "continue-on-error", message)


def _judges(step: Table) -> bool:
    """Tell whether a step is to fail with the jobs that it looks at."""
    env = map(str, table(step, "env").values())
    given = " ".join(map(str, table(step, "with").values()))
    if "uses" in step:
        return _ALL.search(given) is not None
    script = str(step.get("run") or "")
    told = " ".join((script, str(step.get("if")), *env))
    looks = _RESULTS.search(told) or _ALL.search(told)
    return looks is not None and any(
        each.name in _FAILS for each in commands(script)
    )


def _is_deaf(step: Table) -> bool:
    script = str(step.get("run") or "")
    swallowed = _SWALLOWED.search(script) and not _EXITS.search(script)
    return unasked(Table(), step) is not None or bool(swallowed)


def _only_tells(step: Table) -> bool:
    """Tell whether a step says something, to the log alone, and passes."""
    script = step.get("run")
    if not isinstance(script, str) or "uses" in step:
        return False
    return all(
        (each.name in _TELLS or each.program in {("exit",), ("exit", "0")})
        and not each.targets
        for each in commands(script)
    )


def _only_tests(job: Table) -> bool:
    """Tell a job that always tests, and changes nothing, from others."""
    rights = table(job, "permissions").values()
    acts = "environment" in job or "write" in rights or "if" in job
    told = (str(step.get("run")) for step in tables(job, "steps"))
    return not acts and any(map(_TESTS.search, told))


def _before(jobs: dict[str, Table], name: str) -> set[str]:
    """Return the jobs for which one waits, and they for others."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        needs = jobs.get(waiting.pop(), Table()).get("needs")
        named = {*map(str, needs if isinstance(needs, Items) else [needs])}
        waiting += named - found
        found |= named
    return found
