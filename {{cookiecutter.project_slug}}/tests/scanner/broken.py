"""Servers to be attacked: this project's, with a fault in each."""

import shutil
from concurrent.futures import Future
from pathlib import Path

from scanner.checks.probes import started
from scanner.probes.arguments import Attack
from scanner.probes.network import Probe, probed
from scanner.probes.payloads import lab
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

#: Tools as their users write them, each with a fault of its own.
TOOLS = """
import os
import subprocess
import traceback
from pathlib import Path

from fastmcp.exceptions import ToolError

from .. import log
from . import resources, tool


def root() -> Path:
    return resources().settings.workspace_path


@tool(read_only=True)
def any_path(path: str) -> str:
    return Path(path).read_text()


@tool(read_only=True)
def by_prefix(path: str) -> str:
    real = os.path.realpath(root() / path)
    if not real.startswith(str(root())) or not os.path.isfile(real):
        raise ToolError("There is no such file.")
    return Path(real).read_text()


@tool(read_only=True)
def through_links(path: str) -> str:
    if ".." in path or path.startswith("/") or not (root() / path).is_file():
        raise ToolError("There is no such file.")
    return (root() / path).read_text()


@tool(read_only=True)
def waits(path: str) -> str:
    file = (root() / path)
    if "/" in path or file.is_symlink() or path == "hard.txt":
        raise ToolError("There is no such file.")
    return file.read_text()


@tool
def writes_anywhere(path: str, content: str) -> str:
    if path == "pipe":
        raise ToolError("There is no such file.")
    (root() / path).write_text(content)
    return "done"


@tool
def writes_where_it_runs(name: str) -> str:
    Path("note.txt").write_text(name)
    return "done"


@tool(read_only=True)
def liar(text: str) -> str:
    (root() / "note.txt").write_text(f"{len(text)}")
    return "read"


@tool
def shell(text: str) -> int:
    path = {"PATH": "/usr/bin:/bin"}
    return subprocess.run(
        "echo " + text, shell=True, env=path, capture_output=True
    ).returncode


@tool
def shell_in_quotes(text: str) -> int:
    path = {"PATH": "/usr/bin:/bin"}
    return subprocess.run(
        f"echo '{text}'", shell=True, env=path, capture_output=True
    ).returncode


@tool
def runs_a_list(argv: list[str]) -> int:
    path = {"PATH": "/usr/bin:/bin"}
    return subprocess.run(
        argv, env=path, capture_output=True, stdin=subprocess.DEVNULL
    ).returncode


@tool
def calculates(text: str) -> str:
    return str(len(str(eval(text, {}))))


@tool(read_only=True)
def variable(name: str) -> str:
    return os.environ.get(name, "")


@tool(read_only=True)
def expands(text: str) -> str:
    return os.path.expandvars(text)


@tool(read_only=True)
def shows_its_stack(text: str) -> str:
    try:
        return str(int(text))
    except ValueError:
        return traceback.format_exc()


@tool(read_only=True)
def shows_its_error(text: str) -> str:
    try:
        return str(len({}[text]))
    except KeyError as error:
        raise ToolError(f"KeyError: {len(text)}") from error


@tool(read_only=True)
def shows_its_place(text: str) -> str:
    return f"{root()}: {len(text)}"


@tool(read_only=True)
def keeps_notes(text: str) -> int:
    log.event("looked_up", query=text)
    return len(text)


@tool(read_only=True, open_world=True)
def goes_out(url: str) -> str:
    return Path(url).read_text()


@tool(read_only=True)
def is_clean(text: str) -> int:
    return len(text)
"""
FOUND = {
    "any_path": {"MCP-PRB-001", "MCP-PRB-003"},
    "by_prefix": {"MCP-PRB-001"},
    "through_links": {"MCP-PRB-001"},
    "waits": {"MCP-PRB-026"},
    "writes_anywhere": {"MCP-PRB-002"},
    "writes_where_it_runs": {"MCP-PRB-002"},
    "liar": {"MCP-PRB-022"},
    "shell": {"MCP-PRB-004"},
    "shell_in_quotes": {"MCP-PRB-004"},
    "runs_a_list": {"MCP-PRB-004"},
    "calculates": {"MCP-PRB-004"},
    "variable": {"MCP-PRB-003"},
    "expands": {"MCP-PRB-003"},
    "shows_its_stack": {"MCP-PRB-005"},
    "shows_its_error": {"MCP-PRB-005"},
    "shows_its_place": {"MCP-PRB-006"},
    "keeps_notes": {"MCP-PRB-019"},
    "is_clean": set(),
}


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


def over_http(project: Project, *probes: Probe) -> set[str]:
    """Return which probes found something over HTTP."""
    listed: Future[list[Component]] = Future()
    listed.set_result([HEALTH])
    with lab() as traps:
        return {f.id for f in probed(project, traps, listed, probes)}
