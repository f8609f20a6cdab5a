"""What the documents say, beside what there is."""

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastmcp import Client

from {{ cookiecutter.__package_name }} import tools
from {{ cookiecutter.__package_name }}.controls.metrics import Metrics
from {{ cookiecutter.__package_name }}.environment import ENV_FILE, KNOWN
from tests.conftest import MakeServer
from tests.deploy.running import PACKAGE, PROJECT

OURS = {".github", ".vscode", ".cursor"}
PAGES = [
    *sorted(PROJECT.glob("*.md")),
    *sorted((PROJECT / "docs").glob("*.md")),
]
READERS = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": lambda text: list(yaml.safe_load_all(text)),
    ".yml": yaml.safe_load,
}
README = (PROJECT / "README.md").read_text("utf-8")
EVENTS = (PROJECT / "docs/events.md").read_text("utf-8")
SECURITY = (PROJECT / "SECURITY.md").read_text("utf-8")
#: Where an event is named in the code.
NAMED = {"event", "on_event", "_on_event"}


def project_files() -> Iterator[Path]:
    """Yield what is committed, of folders that are not made by a tool."""
    for path in sorted(PROJECT.iterdir()):
        if path.is_file():
            yield path
        elif path.name in OURS or not path.name.startswith("."):
            yield from path.rglob("*")


@pytest.mark.parametrize(
    "path",
    [p for p in project_files() if p.suffix in READERS],
    ids=lambda path: str(path.relative_to(PROJECT)),
)
def test_a_file_of_data_can_be_read(path: Path) -> None:
    assert READERS[path.suffix](path.read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]*)(#[^)\s]*)?\)", _prose(page))

    for target, anchor in links:
        if re.match(r"[a-z]+:", target):
            continue
        there = (page.parent / target) if target else page
        assert there.exists() or target == ".security", target
        if anchor:
            assert anchor[1:] in _anchors(there), anchor


def test_the_readme_and_the_example_name_every_variable() -> None:
    example = (PROJECT / ".env.example").read_text("utf-8")
    known = KNOWN - {ENV_FILE}

    assert set(re.findall(r"^# ([A-Z_]+)=", example, re.MULTILINE)) == known
    rows = [line for line in README.splitlines() if line.startswith("| `")]
    named = {n for row in rows for n in re.findall(r"`([A-Z_]{5,})`", row)}
    assert known <= named
    assert {n for n in named if n.startswith("MCP_")} <= known


def test_the_readme_says_what_every_file_is_for() -> None:
    rows = README[README.index("## What is here") :]

    for path in PROJECT.iterdir():
        name = path.name
        if path.is_dir() and name.startswith(".") and name not in OURS:
            continue
        if _ignored(path) or name == "__pycache__":
            continue
        assert f"`{name}`" in rows or f"`{name}/" in rows, name


def test_the_readme_names_every_tool_and_its_scope() -> None:
    for spec in tools.discover():
        if spec.function.__module__.endswith((".files", ".run", ".health")):
            row = (
                rf"\| `{spec.name}` \|.*\| {spec.scope and f'`{spec.scope}`'}"
            )
            assert re.search(row, README), spec.name


@pytest.mark.parametrize(
    ("page", "block", "call", "said"),
    [
        ("README.md", 0, ("count_words", {"text": "a b c"}), "3"),
        ("docs/tools.md", 0, ("count_words", {"text": "a b"}), "2"),
        (
            *("docs/tools.md", 1, ("read_note", {"name": "shopping"})),
            "There is no note shopping.",
        ),
    ],
)
async def test_a_tool_of_a_page_works_as_it_stands(
    tmp_path: Path,
    make_server: MakeServer,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    block: int,
    call: tuple[str, dict[str, Any]],
    said: str,
) -> None:
    text = (PROJECT / page).read_text("utf-8")
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[block]
    (tmp_path / "page_tool.py").write_text(code, "utf-8")
    monkeypatch.setattr(tools, "__path__", [*tools.__path__, str(tmp_path)])

    try:
        async with Client(make_server()) as client:
            answer = await client.call_tool(*call, raise_on_error=False)
    finally:
        sys.modules.pop(f"{tools.__name__}.page_tool", None)

    assert answer.content[0].text == said


def test_the_security_policy_names_files_that_there_are() -> None:
    named = re.findall(r"`([\w./-]+/[\w./-]*)`", SECURITY)

    for name in named:
        if name.split("/")[0] in {PACKAGE, "tests", "scanner", "deploy"}:
            assert (PROJECT / name).exists(), name


def test_every_event_is_explained() -> None:
    explained = set(re.findall(r"`([a-z_]+)`", EVENTS))

    for path in (PROJECT / PACKAGE).rglob("*.py"):
        for name in _events(ast.parse(path.read_text("utf-8"))):
            assert name in explained, f"{name} of {path.name}"


async def test_every_metric_is_explained(
    make_server: MakeServer, metrics: list[Metrics]
) -> None:
    async with Client(make_server()) as client:
        await client.list_tools()

    for family in metrics[0].registry.collect():
        if family.name.startswith("mcp_"):
            assert f"`{family.name}" in EVENTS, family.name


def _prose(page: Path) -> str:
    return re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return {title.strip().replace(" ", "-") for title in plain}


def _ignored(path: Path) -> bool:
    rules = (PROJECT / ".gitignore").read_text("utf-8").splitlines()
    return any(path.match(rule.strip("/")) for rule in rules if rule)


def _events(tree: ast.AST) -> Iterator[str]:
    """Yield the names of the events that a module can write."""
    for node in ast.walk(tree):
        value: ast.AST | None = None
        if isinstance(node, ast.Call) and _name(node.func) in NAMED:
            value = node.args[0] if node.args else None
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = getattr(node, "target", None) or node.targets[0]
            value = node.value if _name(target) == "event" else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


def _name(node: ast.AST) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))
