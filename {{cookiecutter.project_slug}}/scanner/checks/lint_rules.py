"""What pyproject.toml and .gitignore say that weakens the checks."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from .. import ignore
from ..model import Options
from ..project import Project, Unreadable
from ..rules import Hit
from ..ruletable import ruled
from ..text import gives_reason

PYPROJECT = "pyproject.toml"
# When the last security fix for each version is due (PEP 569 and on).
END_OF_LIFE = {
    (3, 8): dt.date(2024, 10, 7),
    (3, 9): dt.date(2025, 10, 31),
    (3, 10): dt.date(2026, 10, 31),
    (3, 11): dt.date(2027, 10, 31),
    (3, 12): dt.date(2028, 10, 31),
    (3, 13): dt.date(2029, 10, 31),
    (3, 14): dt.date(2030, 10, 31),
}
MINORS = 100  # of Python 3, and releases of each, that are tried
_LOOSENED = (
    r"^(?:ignore_errors\s*=\s*true"
    r"|(?:check|disallow|strict|warn)_\w+\s*=\s*false)"
)
project_rule = ruled(__file__, on="project")


@project_rule("MCP-CFG-013")
def end_of_life(project: Project, options: Options) -> Iterator[Hit]:
    """Faults in such a Python stay, and are known to everybody.

    The dates are those of https://devguide.python.org/versions/.
    """
    wanted = str(project.table("project").get("requires-python", ""))
    if not wanted:
        if project.table("project"):
            yield _in_pyproject(project, "name", "no requires-python at all")
        return
    version = _lowest(wanted)
    end = END_OF_LIFE.get(version, dt.date(9999, 1, 1))
    if version < min(END_OF_LIFE) or end < options.now.date():
        told = f"Python 3.{version[1]}" if version[0] else "no Python"
        message = f"requires-python = {wanted!r} allows {told}"
        yield _in_pyproject(project, "requires-python", message)


@project_rule("MCP-CFG-014")
def unreasoned_ignore(project: Project, options: Options) -> Iterator[Hit]:
    """What the settings of Ruff or Bandit leave out is left out everywhere.

    That can be right; then a comment beside it says why. So is what they do
    not select: Ruff's security rules are those of S. (The scan itself
    runs Bandit with every test, whatever these settings say.) Tests need no
    reason to be left out, but for every warning that they would give. mypy
    sees a value of the wrong kind only where it is strict.
    """
    lint = project.table("tool", "ruff", "lint")
    for code in sorted(
        _ignored(lint) | _ignored(project.table("tool", "ruff"))
    ):
        if re.fullmatch(r"S\d*|ALL", code):
            yield from _unreasoned(project, rf"\"{code}\"|'{code}'", code)
    if lint.get("select") and not _selects_security(lint):
        message = "Ruff's security rules (S) are not selected"
        yield _in_pyproject(project, "select", message)
    bandit = project.table("tool", "bandit")
    for key in ("skips", "exclude_dirs", "tests"):
        if bandit.get(key) and not _leaves_tests_out(bandit[key]):
            yield from _unreasoned(project, rf"{key}\s*=", f"bandit's {key}")
    tests = project.table("tool", "pytest", "ini_options")
    if "ignore" in (tests.get("filterwarnings") or ()):
        yield from _unreasoned(project, r"[\"']ignore[\"']", "every warning")
    mypy = project.table("tool", "mypy")
    if mypy and mypy.get("strict") is not True:
        yield _in_pyproject(project, "[tool.mypy]", "mypy is not strict")
    yield from _unreasoned(project, _LOOSENED, "what mypy would see")
    if project.exists(".bandit"):
        yield Hit(
            path=".bandit",
            message="Bandit takes options from this file; keep them in"
            " pyproject.toml, each with its reason",
        )


@project_rule("MCP-CFG-015")
def env_in_git(project: Project, options: Options) -> Iterator[Hit]:
    """A .env that git takes is in every clone and for ever in the history."""
    for path in project.named(r"(.*/)?\.env(\.(local|prod|production))?"):
        yield Hit(path=path, message=".gitignore does not leave it out")


@project_rule("MCP-CFG-038")
def not_ignored(project: Project, options: Options) -> Iterator[Hit]:
    """What .gitignore does not name goes with the next ``git add``.

    A .env that is made tomorrow is then in the next commit.
    """
    path = ".gitignore"
    try:
        text = project.text(path) if project.exists(path) else ""
    except Unreadable:
        return  # whoever lists the files says so
    expected = project.exists(path) or project.exists(".env.example")
    patterns = ignore.parse(text, "")
    taken = not ignore.ignored(".env", patterns, folder=False)
    if expected and taken and not project.exists(".env"):
        yield Hit(path=path, message="it does not leave .env out")


def _leaves_tests_out(given: object) -> bool:
    folders = given if isinstance(given, list) else [given]
    return all(re.match(r"\W*tests?\b", str(x)) for x in folders)


def _selects_security(lint: Mapping[str, Any]) -> bool:
    chosen = [*(lint.get("select") or ()), *(lint.get("extend-select") or ())]
    return any(re.fullmatch(r"S\d*|ALL", str(code)) for code in chosen)


def _ignored(table: Mapping[str, Any]) -> set[str]:
    """Collect the codes that a Ruff table ignores anywhere."""
    lists = [table.get("ignore"), table.get("extend-ignore")]
    for key in ("per-file-ignores", "extend-per-file-ignores"):
        by_file = table.get(key)
        lists += by_file.values() if isinstance(by_file, Mapping) else []
    return {
        code
        for codes in lists
        if isinstance(codes, list)
        for code in codes
        if isinstance(code, str)
    }


def _unreasoned(project: Project, pattern: str, what: str) -> Iterator[Hit]:
    """Yield the lines with the pattern that have no comment, or one above."""
    lines = _lines(project)
    for number, line in enumerate(lines, 1):
        if not re.search(pattern, line) or line.lstrip().startswith("#"):
            continue
        above = lines[number - 2].lstrip() if number > 1 else ""
        comment = line.partition("#")[2] or (above if above[:1] == "#" else "")
        selected = re.match(r"\s*(extend-)?select\b", line)
        if not selected and not gives_reason(comment):
            yield Hit(
                path=PYPROJECT,
                line=number,
                anchor=f"{what} {line.strip()}",
                message=f"{what} is left out without a reason",
            )


def _lowest(wanted: str) -> tuple[int, int]:
    """Return the lowest Python 3 that is let in; (0, 0) for none."""
    try:
        bounds = SpecifierSet(wanted)
    except InvalidSpecifier:
        return 0, 0
    for minor in range(MINORS):
        releases = (f"3.{minor}.{patch}" for patch in range(MINORS))
        if any(bounds.contains(each) for each in releases):
            return 3, minor
    return 0, 0


def _in_pyproject(project: Project, key: str, message: str) -> Hit:
    lines = _lines(project)
    found = (n for n, x in enumerate(lines, 1) if x.startswith(key))
    return Hit(
        path=PYPROJECT, line=next(found, 1), anchor=key, message=message
    )


def _lines(project: Project) -> list[str]:
    try:
        return project.text(PYPROJECT).splitlines()
    except Unreadable:
        return []
