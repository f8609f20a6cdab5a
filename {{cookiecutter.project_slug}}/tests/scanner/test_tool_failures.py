"""Every outside tool in every way of failing: the scan never says SECURE."""

import json
import os

import pytest

from scanner import checks, grade
from scanner.checks import code, container, dependencies, workflows
from scanner.model import CheckResult, Options, Severity, State

from .dockerfile_cases import image
from .faulty_tools import FAILURES
from .test_code import partly
from .test_dependencies import LOCK, NOBODY, NOW, PYPROJECT, answer
from .test_dependencies import VERSIONS as AUDITORS
from .test_workflows import CI, FLOW

Verdict = tuple[str, str | None, int]
SECURE = ("SECURE", "A+", 0)
pytestmark = pytest.mark.skipif(os.name != "posix", reason="shell scripts")
PART = "part of the files"
PACKAGE = ["small_server/__init__.py", "small_server/settings.py"]
VERSIONS = {
    **AUDITORS,
    "bandit": "1.9.4",
    "semgrep": "1.185.0",
    "hadolint": "2.15.1",
    "zizmor": "1.32.0",
}
CHECKS = {
    **dict.fromkeys(AUDITORS, dependencies),
    "bandit": code,
    "semgrep": code,
    "hadolint": container,
    "zizmor": workflows,
}
FILES = {
    "pyproject.toml": PYPROJECT,
    "uv.lock": LOCK,
    "Dockerfile": image(""),
    "b.Dockerfile": image(""),
    CI: FLOW,
    ".github/workflows/z.yml": FLOW,
    "renovate.json": "{}",
}
OPTIONAL = {"semgrep", "safety"}  # their absence costs nothing
CELLS = [
    (name, failure)
    for name in VERSIONS
    for failure in (*FAILURES, PART)
    if failure != "absent" or name not in OPTIONAL
]


def works(name: str, *, part: bool = False) -> str:
    """Return what a tool does that sees every file of these, or the first."""
    paths = PACKAGE[: 1 if part else None]
    files = range(1 if part else 2)
    if name == "bandit":
        return partly([f"./{path}" for path in paths])
    if name == "semgrep":
        report = {"errors": [], "results": [], "paths": {"scanned": paths}}
        return f"echo '{json.dumps(report)}'"
    if name == "hadolint":
        told = {"line": 1, "level": "info", "code": "DL3049"}
        told["message"] = "Label `mcp-security-scan` is missing."
        report = [{"file": str(number), **told} for number in files]
        return f"echo '{json.dumps(report)}'; exit 1"
    if name == "zizmor":
        told = "".join(f"completed {n}/workflow.yml\n" for n in files)
        return f"echo '{told}' >&2; echo '[]'"
    said = json.dumps(answer(audited=len(files), skipped=part)[name])
    return f"case $1 in pip) ;; *) echo '{said}';; esac"


@pytest.fixture
def judged(bench, make_project):
    """Installs every tool, the one as told, and judges the one's check."""

    def run(name: str, failure: str | None) -> tuple[CheckResult, Verdict]:
        for each in VERSIONS:
            if each not in OPTIONAL or each == name:
                bench.install(each, works(each), VERSIONS[each])
        if failure == PART:
            bench.install(name, works(name, part=True), VERSIONS[name])
        elif failure is not None:
            (bench.folder / name).unlink()
            bench.fail(name, failure, VERSIONS[name])
        options = Options(
            advisories=NOBODY, offline=True, timeout=1.5, now=NOW
        )
        result = CHECKS[name].check(make_project(**FILES), options)
        others = [
            CheckResult(name=other, state=State.PASSED)
            for other in checks.CHECKS
            if other != result.name
        ]
        return result, _verdict([*others, result])

    return run


@pytest.mark.parametrize("name", VERSIONS)
def test_where_every_tool_works_nothing_is_left_open(judged, name):
    result, verdict = judged(name, None)

    assert result.complete, result.reason
    assert result.findings == ()
    assert verdict == SECURE


@pytest.mark.parametrize(("name", "failure"), CELLS)
def test_no_failure_of_a_tool_is_a_pass(judged, name, failure):
    result, verdict = judged(name, failure)
    failed = result.state is not State.PASSED
    none = failed and result.name in grade.ESSENTIAL

    assert verdict == ("INCOMPLETE", None if none else "B (incomplete)", 3)
    assert name in result.reason


@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_the_absence_of_what_is_optional_costs_nothing(judged, name):
    assert judged(name, "absent")[1] == SECURE


def _verdict(results: list[CheckResult]) -> Verdict:
    """Return the status, the grade and the exit code of these results."""
    counted = [finding for result in results for finding in result.findings]
    status = grade.overall_status(results, counted)
    ended = grade.exit_code(results, counted, Severity.LOW)
    return status, grade.grade(results, counted), ended
