"""What the workflows leave undone: a scan, and word of new releases."""

from collections.abc import Iterator, Sequence

from ..documents import tables
from ..model import Severity
from ..project import Project
from ..rules import Hit
from ..ruletable import ruled
from .model import DEPENDABOT, WORKFLOW, Workflow
from .scans import RUNS, SCAN

_CALLED = {"None", "workflow_call", "workflow_run"}  # who knows by what
_CHANGES = _CALLED | {"merge_group", "pull_request", "push"}
_TIMED = _CALLED | {"schedule"}
_RENOVATE = r"(\.github/|\.gitlab/)?(renovate\.json5?|\.renovaterc(\.json)?)"
# What asks for an ecosystem of Dependabot's, and which will do.
_KINDS = (
    (r"(.*/)?uv\.lock", ("uv", "pip")),
    (WORKFLOW.pattern, ("github-actions",)),
    (r"(.*/)?(Docker|Container)file", ("docker",)),
    (r"(.*/)?(docker-)?compose\.ya?ml", ("docker-compose",)),
)
upkeep = ruled(__file__, on="upkeep")


@upkeep("MCP-WF-015")
def no_scan(project: Project, flows: Sequence[Workflow]) -> Iterator[Hit]:
    """A fault that comes with the next change is found by nobody.

    Less bad is a scan that waits for a change: in a dependency a fault
    becomes known without one.
    """
    paths = [flow.path for flow in flows if WORKFLOW.fullmatch(flow.path)]
    scans = [flow for flow in flows if RUNS.search(flow.text)]
    starts = {trigger for flow in scans for trigger in flow.triggers}
    told, severity = "", None
    if not scans:
        told = f"no workflow runs {SCAN}"
    elif starts.isdisjoint(_CHANGES):
        told = "no change starts the scan"
    elif starts.isdisjoint(_TIMED):
        told, severity = "no schedule starts the scan", Severity.LOW
    if paths and told and project.exists(SCAN):
        path = scans[0].path if scans else paths[0]
        yield Hit(
            path=path, line=1, anchor=told, message=told, severity=severity
        )


@upkeep("MCP-WF-016")
def no_updates(project: Project, flows: Sequence[Workflow]) -> Iterator[Hit]:
    """What is pinned stays as it is, its faults too, until somebody moves it.

    Renovate does as well as Dependabot.
    """
    locked = any(project.named(_KINDS[0][0]))
    if not locked or any(project.named(_RENOVATE)):
        return
    given = [flow for flow in flows if DEPENDABOT.fullmatch(flow.path)]
    if not given and not any(project.named(DEPENDABOT.pattern)):
        message = "there is no .github/dependabot.yml"
        path = flows[0].path if flows else None
        yield Hit(path=path, line=1, anchor=message, message=message)
    for settings in given:
        updates = tables(settings.content, "updates")
        named = {str(each.get("package-ecosystem")) for each in updates}
        for paths, wanted in _KINDS:
            if named.isdisjoint(wanted) and any(project.named(paths)):
                message = f"nothing is said of {wanted[0]}"
                yield Hit(
                    path=settings.path,
                    line=1,
                    anchor=message,
                    message=message,
                )
