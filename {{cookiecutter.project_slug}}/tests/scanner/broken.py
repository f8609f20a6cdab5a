"""Servers to be attacked: this project's, with a fault in each."""

import compileall
import shutil
import tempfile
import weakref
from concurrent.futures import Future
from functools import cache
from pathlib import Path

from scanner.checks.probes import started
from scanner.probes.arguments import Attack
from scanner.probes.lab import lab
from scanner.probes.network import without_tokens
from scanner.probes.target import Probe
from scanner.project import Project
from scanner.surface.components import Component, offered

ROOT = Path(__file__).parents[2]
PACKAGE = Project(ROOT).package
OURS = f"{PACKAGE}/tools/run.py"

Edit = tuple[str, str, str]

_changed: set[str] = set()

#: What the limits are counted with.
HEALTH = Component(
    "tool",
    "health_check",
    {"annotations": {"readOnlyHint": True}, "inputSchema": {}},
)
FILE = Component("template", "workspace://{path*}", {})
REVIEW = Component("prompt", "code_review", {"arguments": [{"name": "code"}]})


def copy(folder: Path) -> Project:
    """Copy this project's server."""
    root = folder / "project"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / PACKAGE, root / PACKAGE, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", root)
    return Project(root)


def broken(*edits: Edit, tools: str = "") -> Project:
    """Return a copy of this project's server with a fault in it.

    It is the same copy each time, put right before it is broken anew: so the
    libraries, which take most of a server's start, are imported once for all.

    Args:
        edits: A module, what stands in it, and what is to stand there.
        tools: A module of tools.
    """
    project = _bench()
    package = project.root / PACKAGE
    while _changed:
        name = _changed.pop()
        shutil.copy2(ROOT / PACKAGE / name, package / name)
    for name, old, new in edits:
        module = package / name
        text = module.read_text("utf-8")
        assert old in text, f"{name} has changed; plant the fault anew"
        _changed.add(name)
        module.write_text(text.replace(old, new), "utf-8")
    (package / "tools" / "planted.py").write_text(tools, "utf-8")
    return project


@cache
def _bench() -> Project:
    folder = tempfile.TemporaryDirectory(prefix="bench-")
    project = copy(Path(folder.name).resolve())
    (project.root / PACKAGE / "tools" / "planted.py").write_text("", "utf-8")
    # What is attacked writes no bytecode; without it, each server compiles
    # the whole package.
    compileall.compile_dir(project.root / PACKAGE, quiet=2)
    weakref.finalize(project, folder.cleanup)
    return project


def attacked(project: Project, *names: str) -> Attack:
    """Attack the tools of these names, over pipes."""
    with lab() as traps:
        attack = Attack(traps, str(project.root))
        with started(project, traps) as server:
            there = [c for c in offered(server, project) if c.name in names]
            attack.plan(there, OURS, open_world=False)
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
    listed.set_result(there or [HEALTH, FILE, REVIEW])
    with lab() as traps:
        findings = without_tokens(project, traps, listed, probes)
    return {finding.id for finding in findings}
