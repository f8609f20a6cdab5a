"""Whether the server withstands attacks: it is started, and attacked."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack

from ..live_stdio import StdioServer, able
from ..model import CheckResult, Coverage, Finding, Options, State
from ..probes import witness
from ..probes.access import with_tokens
from ..probes.arguments import SETTINGS, Attack
from ..probes.causes import by_cause
from ..probes.controls import with_planted_tools
from ..probes.findings import found
from ..probes.lab import Lab, lab
from ..probes.network import without_tokens
from ..probes.sse import over_sse
from ..probes.traces import named_by_callers
from ..project import Project
from ..surface.components import Component, offered

Listed = Future[list[Component]]


def check(project: Project, options: Options) -> CheckResult:
    """Attack every tool, resource and prompt, and the way to them.

    The server runs with a workspace of its own, on pipes and on loopback.
    Tools that reach the outside world are not called unless asked for.
    """
    if not options.probe:
        return _not_run("left out by --no-probe", State.NOT_RUN)
    if os.name == "nt":
        reason = "probing needs links and signals; run it on Linux or macOS"
        return _not_run(reason, State.NOT_RUN)
    if not project.package:
        reason = "pyproject.toml names no server to start"
        return _not_run(reason, State.ERROR)
    listed: Listed = Future()
    with ExitStack() as stack:
        labs = [stack.enter_context(lab()) for _ in range(5)]
        pool = stack.enter_context(ThreadPoolExecutor(3))
        kind = "jwt" if project.defaults.get("MCP_AUTH") == "jwt" else "bearer"
        others = [
            pool.submit(without_tokens, project, labs[1], listed),
            pool.submit(with_tokens, project, labs[2], kind, listed),
            pool.submit(with_planted_tools, project, labs[3]),
        ]
        if project.defaults.get("MCP_TRANSPORT") == "sse":
            others.append(pool.submit(over_sse, project, labs[4], kind))
        attack = through(project, labs[0], options, listed)
        around = [finding for work in others for finding in work.result()]
    return _result(listed.result(), attack, around)


def through(
    project: Project, traps: Lab, options: Options, listed: Listed
) -> Attack:
    """Attack everything that the server offers, over its pipes.

    Args:
        project: Whose server it is.
        traps: Where it works.
        options: What may be called.
        listed: Is given what it offers, or why that is not known.

    Raises:
        ToolError: It does not start.
    """
    try:
        with started(project, traps) as server:
            components = offered(server, project)
            listed.set_result(components)
            attack = Attack(traps, str(project.root))
            ours = f"{project.package}/tools/run.py"  # it has our sandbox
            attack.plan(components, ours, options.probe_open_world)
            attack.findings += named_by_callers(server, traps)
            attack.on(server)
            if not attack.left:
                attack.findings += changed(server, project, components)
    except BaseException as error:
        if not listed.done():
            listed.set_exception(error)
        raise
    while attack.waiting:
        with started(project, traps) as server:
            attack.on(server)
    return attack


def changed(
    server: StdioServer, project: Project, before: list[Component]
) -> list[Finding]:
    """Ask once more what the server offers, now that it has been used."""
    known = {c.key: c.fingerprint for c in before}
    findings = []
    for component in offered(server, project):
        if known.pop(component.key, "") != component.fingerprint:
            said = "is not what it was before the attacks"
            findings.append(found("MCP-PRB-042", said, component))
    if known:
        said = f"gone after the attacks: {', '.join(sorted(known))}"
        findings.append(found("MCP-PRB-042", said))
    return findings


def started(
    project: Project, traps: Lab
) -> AbstractContextManager[StdioServer]:
    """Start the server with a witness of what its tools try to do."""
    through = [witness.__file__, str(traps.seen)]
    return able(project, traps.workspace, through=through, **SETTINGS)


def _result(
    components: list[Component], attack: Attack, around: list[Finding]
) -> CheckResult:
    there = [c for c in components if c.kind != "instructions"]
    left = (f"{name} {why}" for name, why in sorted(attack.left.items()))
    return CheckResult(
        name="probes",
        state=State.PASSED,
        reason="; ".join(left),
        coverage=Coverage(
            unit="components",
            covered=len(there) - len(attack.left),
            total=len(there),
        ),
        findings=tuple(by_cause([*attack.findings, *around], there)),
    )


def _not_run(reason: str, state: State) -> CheckResult:
    return CheckResult(name="probes", state=state, reason=reason)
