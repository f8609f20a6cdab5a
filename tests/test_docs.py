"""The site: what its pages name is there, and what is there they name."""

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import SecretStr

from template import PROJECT_FOLDER, TEMPLATE, load_module

DOCS = TEMPLATE / "docs"
PACKAGE = PROJECT_FOLDER / "{{cookiecutter.__package_name}}"
ROW = re.compile(r"^\| ([^|]+) \| (yes|in part|no) \|(.*)\|$", re.MULTILINE)
NAMED = re.compile(
    r"`((?:mcp_server|tests|scanner|deploy|\.github)/[\w./-]*(?:::\w+)?)`"
)
#: The standards, and how many items of each stand on the page.
STANDARDS = {
    "OWASP Top 10 (2025)": 10,
    "OWASP MCP Top 10 (2025)": 10,
    "CIS Docker Benchmark, section 4": 12,
    "CIS Docker Benchmark, section 5": 17,
    "NIST CSF 2.0": 22,
    "SOC 2, common criteria": 20,
}


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def hook(name: str) -> ModuleType:
    return load_module(DOCS / "hooks" / f"{name}.py")


def place(path: str) -> Path:
    """Return where a path of a generated project stands in the template."""
    if path.startswith("mcp_server/"):
        return PACKAGE / path.removeprefix("mcp_server/")
    return PROJECT_FOLDER / path


def names_of(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    text = text.replace("{{ cookiecutter.__package_name }}", "mcp_server")
    return {
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


def missing(named: str) -> bool:
    path, _, test = named.partition("::")
    if not place(path).exists() and not (TEMPLATE / path).exists():
        return True
    return bool(test) and test not in names_of(place(path))


@pytest.mark.parametrize("name", ["controls", "threats", "standards"])
def test_each_file_and_test_that_a_page_names_is_there(name: str) -> None:
    named = NAMED.findall(page(name))
    assert named
    assert [each for each in named if missing(each)] == []


@pytest.mark.parametrize("named", ["tests/x.py", "tests/conftest.py::test_x"])
def test_what_is_not_there_is_noticed(named: str) -> None:
    assert missing(named)


def test_every_standard_has_all_of_its_items() -> None:
    parts = re.split(r"^## (.+)$", page("standards"), flags=re.MULTILINE)[1:]
    counted = {
        title: len(ROW.findall(text))
        for title, text in zip(parts[::2], parts[1::2], strict=True)
    }
    assert counted == STANDARDS


@pytest.mark.parametrize(
    "row", ROW.findall(page("standards")), ids=lambda row: row[0]
)
def test_what_is_covered_names_its_file_and_its_test(
    row: tuple[str, str, str],
) -> None:
    item, covered, rest = row
    how, where, test = (cell.strip() for cell in rest.split("|"))
    assert how
    assert bool(re.findall(r"`[^`]+`", where)) is (covered != "no")
    assert bool(re.findall(r"`[^`]+::test_\w+`", test)) is (covered != "no")
    if covered == "in part":
        assert re.search(r"\. [A-Z]", how), "what is not, is said"
    for path in re.findall(r"`([^`]+)`", where):
        assert place(path).exists(), f"{item}: {path}"


def test_every_control_is_told_in_the_same_way() -> None:
    for control in page("controls").split("\n## ")[1:]:
        for part in (
            r"Stops?: ",
            r"How: ",
            r"\* Where: `",
            r"\* Tested by: `",
        ):
            assert len(re.findall(rf"^{part}", control, re.MULTILINE)) == 1
        assert re.search(r"^Do(es)? not stop: ", control, re.MULTILINE)


def test_every_control_of_the_server_is_told() -> None:
    shared = {"__init__.py", "call.py", "outcome.py", "window_storage.py"}
    for path in (PACKAGE / "controls").glob("*.py"):
        if path.name not in shared:
            assert f"mcp_server/controls/{path.name}" in page("controls")


def module_of_the_server(name: str) -> ModuleType:
    """Import a module that others of its package are imported by."""
    package = ModuleType("unrendered")
    package.__path__ = [str(PACKAGE)]
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.modules[package.__name__] = package
    try:
        return importlib.import_module(f"{package.__name__}.{name}")
    finally:
        sys.dont_write_bytecode = before
        for known in [*sys.modules]:
            if known.partition(".")[0] == package.__name__:
                del sys.modules[known]


def test_every_variable_is_told_with_its_default() -> None:
    fields = module_of_the_server("settings").Settings.model_fields
    table = dict(
        re.findall(r"^\| `([A-Z_]+)` \|(.*?)\|", page("variables"), re.M)
    )
    assert set(table) == {field.alias for field in fields.values()}
    for field in fields.values():
        told = table[str(field.alias)].strip()
        if field.is_required():
            assert told == "the answer", field.alias
        else:
            assert plain(told) == shown(field.default), field.alias


def plain(told: str) -> str:
    size = re.fullmatch(r"`(\d+)MiB`", told)
    return str(int(size[1]) * 2**20) if size else told.strip("`")


def shown(default: object) -> str:
    if default in (None, (), {}):
        return ""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    return str(default).removesuffix(".0")


class TestRules:
    """The pages of the rules are made of the scanner's own."""

    def test_every_rule_is_on_the_page_of_its_check(self) -> None:
        rules = hook("rules")
        pages = {
            prefix: rules.page(check, rules.rules(prefix))
            for prefix, check in rules.CHECKS.items()
        }
        for rule in rules.rules():
            prefix = next(p for p in pages if rule.id.startswith(p))
            assert f"{rule.id}" in pages[prefix]
            assert f"{rules.prose(rule.title)}" in pages[prefix]

    def test_no_rule_that_is_written_down_is_left_out(self) -> None:
        known = {rule.id for rule in hook("rules").rules()}
        written = {
            found
            for path in (PROJECT_FOLDER / "scanner").rglob("*")
            if path.suffix in {".py", ".toml"}
            for found in re.findall(
                r"^(?:@\w+\(\s*\"|)(MCP-[A-Z]+-\d{3})(?:\"| = )",
                path.read_text(encoding="utf-8"),
                re.MULTILINE,
            )
        }
        assert len(written) > 100
        assert written <= known

    def test_a_check_whose_library_is_missing_stops_the_build(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in [n for n in sys.modules if n.startswith("scanner")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "cvss", None)
        with pytest.raises(ImportError):
            hook("rules").rules()

    def test_the_session_brings_every_library(self) -> None:
        ours = [TEMPLATE / "local_extensions.py", *DOCS.rglob("*.py")]
        ours += (PROJECT_FOLDER / "scanner").rglob("*.py")
        imported = {
            name
            for path in ours
            for name in re.findall(
                r"^(?:from|import) (\w+)",
                path.read_text(encoding="utf-8"),
                re.MULTILINE,
            )
        }
        makers = metadata.packages_distributions()
        there = installed_with("docs")
        for name in imported - sys.stdlib_module_names:
            assert there & {*map(canonicalize_name, makers[name])}, name


def installed_with(group: str) -> set[str]:
    """Return what a dependency group installs, with all that it needs."""
    text = (TEMPLATE / "pyproject.toml").read_text(encoding="utf-8")
    wanted = list(tomllib.loads(text)["dependency-groups"][group])
    there: set[str] = set()
    while wanted:
        asked = Requirement(wanted.pop())
        name = canonicalize_name(asked.name)
        needed = not asked.marker or asked.marker.evaluate({"extra": ""})
        if needed and name not in there:
            there.add(name)
            wanted += metadata.requires(name) or ()
    return there


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build as nox does; with --quiet no warning would count as one."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict"],
        cwd=folder,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=300,
    )


@pytest.mark.slow
class TestSite:
    """The site is built strictly, from a copy so that nothing is left."""

    @pytest.fixture
    def copy(self, tmp_path: Path) -> Path:
        for name in ("docs", "hooks", PROJECT_FOLDER.name):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(TEMPLATE / name, tmp_path / name, ignore=ignored)
        for name in ("mkdocs.yml", "cookiecutter.json", "local_extensions.py"):
            shutil.copy(TEMPLATE / name, tmp_path)
        return tmp_path

    def test_it_is_built_without_a_warning(self, copy: Path) -> None:
        run = build(copy)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "WARNING" not in run.stderr
        for made in ("rules/probes", "project/deploying", "standards"):
            assert (copy / "site" / made / "index.html").is_file()

    @pytest.mark.parametrize(
        "link",
        ["[x](nowhere.md)", "[x](controls.md#nothing)", "![x](images/no.png)"],
    )
    def test_a_broken_link_fails(self, copy: Path, link: str) -> None:
        with (copy / "docs" / "index.md").open("a") as index:
            index.write(f"\n{link}\n")
        run = build(copy)
        assert run.returncode == 1
        assert "WARNING" in run.stderr

    def test_nothing_is_fetched_from_elsewhere(self, copy: Path) -> None:
        assert build(copy).returncode == 0
        for path in copy.glob("site/**/*.html"):
            text = path.read_text(encoding="utf-8")
            sources = re.findall(
                r'<(?:script|img|iframe)[^>]* src="?([^"\s>]+)'
                r'|<link[^>]* href="?([^"\s>]+)[^>]*rel="?stylesheet',
                text,
            )
            for source in filter(None, sum(sources, ())):
                assert not re.match(r"(https?:)?//", source), path
