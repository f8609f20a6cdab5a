"""The generated project passes its own checks, word for word."""

import re
from collections.abc import Callable

import pytest

from conftest import Project

pytestmark = pytest.mark.slow
whole_suite = pytest.mark.timeout(2000)  # seconds; minutes where it is quiet

COMMANDS = (
    "bandit -r mcp_server/",
    "bandit -r scanner/ security_scan.py",
    "mypy --strict mcp_server/",
    "mypy --strict mcp_server/ scanner/ security_scan.py",
    "flake8 --max-line-length=79 mcp_server/",
    "ruff check .",
    "ruff format --check .",
)
# A representative dozen: each choice once, the security options in pairs.
# Those that take longest stand first.
LAYOUTS: dict[str, dict[str, str]] = {
    "http-jwt-kubernetes": {
        "transport": "http",
        "auth": "jwt",
        "deployment": "kubernetes",
        "python_version": "3.14",
    },
    "smallest": {"license": "Proprietary", "rate_limit": "off"},
    "http-none": {"transport": "http"},
    "http-bearer": {"transport": "http", "auth": "bearer"},
    "sse-bearer": {
        "transport": "sse",
        "auth": "bearer",
        "python_version": "3.11",
        "license": "MIT",
    },
    "sse-jwt-report": {
        "transport": "sse",
        "auth": "jwt",
        "security_gate": "report",
        "license": "BSD-3-Clause",
    },
    "stdio-jwt": {"auth": "jwt", "python_version": "3.12"},
    "hostile": {
        "project_slug": "mcp-server",
        "project_name": 'Ümlaut & Co\'s "Server" {x} \\ <b>',
        "description": "Reads {a} \\ 'b' <c> # d: [e] 🔒 `$(id)` ${HOME}",
        "author_name": "Zoë O'Brien-Müller",
        "author_email": "zoe+mcp@example.com",
    },
}
# What no answer changes is tried with the default answers alone; what only
# the settings' defaults could change, with the answers furthest from them.
UNANSWERED = (
    *("attacks", "commands", "scanner", "workspace", "test_location.py"),
    *("controls/test_redis.py", "deploy/test_alerting.py"),
    *("deploy/test_monitoring.py", "deploy/test_proxy.py"),
    "deploy/test_rules.py",
)
BY_LIMIT = ("controls",)
BY_TRANSPORT = ("auth", "serving", "tools", "test_main.py")
FURTHEST: dict[str, tuple[str, ...]] = {
    "http-jwt-kubernetes": (),
    "smallest": BY_TRANSPORT,
}


@pytest.mark.parametrize("command", COMMANDS)
def test_command_has_nothing_to_report(
    generated: Project, command: str
) -> None:
    cache = {"MYPY_CACHE_DIR": str(generated.path.parent / "mypy")}
    run = generated.run(*command.split(), env=cache)
    assert run.returncode == 0, run.stdout + run.stderr
    if command.startswith("bandit"):
        assert "No issues identified." in run.stdout
        assert "Files skipped (0):" in run.stdout


@whole_suite
@pytest.mark.parametrize("part", ["the scanner's", "the others"])
def test_own_tests_pass(generated: Project, part: str) -> None:
    """In halves, so that neither keeps the other waiting for its end."""
    scanner = "tests/scanner"
    others = part == "the others"
    chosen = f"--ignore={scanner}" if others else scanner
    assert_own_tests_pass(generated, chosen)


@whole_suite
@pytest.mark.parametrize("layout", LAYOUTS)
def test_own_tests_pass_whatever_was_answered(
    make_project: Callable[..., Project], layout: str
) -> None:
    paths = UNANSWERED + FURTHEST.get(layout, BY_LIMIT + BY_TRANSPORT)
    left_out = (f"--ignore=tests/{path}" for path in paths)
    assert_own_tests_pass(make_project(**LAYOUTS[layout]), *left_out)


def assert_own_tests_pass(project: Project, *chosen: str) -> None:
    command = ("pytest", "-q", "-p", "no:cacheprovider", *chosen)
    run = project.run(*command, timeout=1800)
    why = run.stdout.partition("= FAILURES =")[2] or run.stdout
    assert run.returncode == 0, why[:4000] + run.stdout[-2000:] + run.stderr
    assert re.search(r"\d+ passed(, \d+ skipped)? in ", run.stdout)
