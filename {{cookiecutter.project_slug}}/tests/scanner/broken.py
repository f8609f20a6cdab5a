"""Servers to be attacked: this project's, with a fault in each."""

import shutil
from concurrent.futures import Future
from pathlib import Path

from scanner.checks.probes import started
from scanner.probes.arguments import Attack
from scanner.probes.lab import lab
from scanner.probes.network import probed
from scanner.probes.target import Probe
from scanner.project import Project
from scanner.surface.components import Component, offered

ROOT = Path(__file__).parents[2]
PACKAGE = Project(ROOT).package

Edit = tuple[str, str, str]

#: The tool that the limits are counted with.
HEALTH = Component(
    "tool",
    "health_check",
    {"annotations": {"readOnlyHint": True}, "inputSchema": {}},
)


def copy(folder: Path, *edits: Edit, tools: str = "") -> Project:
    """Copy this project's server, with texts replaced and tools added.

    Args:
        folder: Where to.
        edits: A module, what stands in it, and what is to stand there.
        tools: A module of tools.
    """
    root = folder / "project"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / PACKAGE, root / PACKAGE, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", root)
    for name, old, new in edits:
        module = root / PACKAGE / name
        text = module.read_text("utf-8")
        assert old in text, f"{name} has changed; plant the fault anew"
        module.write_text(text.replace(old, new), "utf-8")
    if tools:
        (root / PACKAGE / "tools" / "planted.py").write_text(tools, "utf-8")
    return Project(root)


def attacked(project: Project, *names: str) -> Attack:
    """Attack the tools of these names, over pipes."""
    with lab() as traps:
        attack = Attack(traps, str(project.root))
        with started(project, traps) as server:
            there = [c for c in offered(server, project) if c.name in names]
            attack.plan(there, "", open_world=False)
            attack.on(server)
        while attack.waiting:
            with started(project, traps) as server:
                attack.on(server)
    return attack


def by_tool(attack: Attack) -> dict[str, set[str]]:
    """Return which probes found something, for each component."""
    found: dict[str, set[str]] = {}
    for finding in attack.findings:
        name = finding.message.partition(":")[0].rpartition(" ")[2]
        found.setdefault(name, set()).add(finding.id)
    return found


def over_http(
    project: Project, *probes: Probe, there: list[Component] | None = None
) -> set[str]:
    """Return which probes found something over HTTP."""
    listed: Future[list[Component]] = Future()
    listed.set_result(there or [HEALTH])
    with lab() as traps:
        return {f.id for f in probed(project, traps, listed, probes)}
