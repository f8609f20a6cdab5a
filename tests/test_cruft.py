"""A project that was made with cruft takes over later releases."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import BIN, Project, clean_environment
from template import TEMPLATE, clone

pytestmark = pytest.mark.slow

PROJECT = "{{cookiecutter.project_slug}}"
PACKAGE = f"{PROJECT}/{{{{cookiecutter.__package_name}}}}"
IDENTITY = {
    "GIT_AUTHOR_NAME": "Tests",
    "GIT_AUTHOR_EMAIL": "tests@example.com",
    "GIT_COMMITTER_NAME": "Tests",
    "GIT_COMMITTER_EMAIL": "tests@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
}
OWN_TOOL = '''"""A tool of the user's own."""

from . import tool


@tool(read_only=True)
def shout(text: str) -> str:
    """Return text in capitals."""
    return text.upper()
'''


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**clean_environment(), **IDENTITY},
        capture_output=True,
        check=False,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cruft(folder: Path, *arguments: str) -> str:
    return run(folder, sys.executable, "-m", "cruft", *arguments)


def commit(repository: Path, message: str) -> None:
    run(repository, "git", "add", "--all")
    run(repository, "git", "commit", "--quiet", "--message", message)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return the template in git: today's, after an older release.

    The older one has a file in another place, a line less in one file and a
    line more in another.
    """
    repository = clone(tmp_path / "template")
    package, project = repository / PACKAGE, repository / PROJECT
    edited = {
        path: path.read_bytes()
        for path in (package / "log.py", project / "Dockerfile")
    }
    moved = (package / "errors.py", package / "failures.py")
    run(tmp_path, "git", "init", "--quiet", str(repository))
    moved[0].rename(moved[1])
    for path, content in edited.items():
        path.write_bytes(content + b"\n# of an older release\n")
    commit(repository, "feat: be an older release")
    run(repository, "git", "tag", "v0.0.1")
    moved[1].rename(moved[0])
    for path, content in edited.items():
        path.write_bytes(content)
    commit(repository, "feat: be today's release")
    return repository


@pytest.fixture
def project(repository: Path, tmp_path: Path) -> Path:
    """Return a project of the older release, in git."""
    configuration = tmp_path / "cookiecutter.json"
    folders = {"replay_dir": str(tmp_path), "cookiecutters_dir": str(tmp_path)}
    configuration.write_text(json.dumps(folders))
    cruft(
        tmp_path,
        *("create", "--no-input", "--config-file", str(configuration)),
        *("--checkout", "v0.0.1", str(repository)),
    )
    project = tmp_path / "mcp-server"
    recorded = json.loads((project / ".cruft.json").read_text())
    recorded["checkout"] = None  # a release was wanted once, not for ever
    (project / ".cruft.json").write_text(json.dumps(recorded, indent=2))
    run(tmp_path, "git", "init", "--quiet", str(project))
    commit(project, "feat: start from the template")
    return project


def test_only_what_is_rendered_is_made(project: Path) -> None:
    assert not (project / ".venv").exists()
    assert not (project / "uv.lock").exists()
    assert not (project / "deploy" / "kubernetes").exists()


def test_update_keeps_what_the_user_wrote(
    project: Path, generated: Project
) -> None:
    (project / "mcp_server" / "tools" / "shout.py").write_text(OWN_TOOL)
    edits = {
        "README.md": "\n## Ours\n\nWritten by us.\n",
        "mcp_server/log.py": None,
        "pyproject.toml": "\n[tool.ours]\nkey = 1\n",
    }
    for name, text in edits.items():
        path = project / name
        before = path.read_text(encoding="utf-8")
        ours = before + text if text else '"""Ours."""\n' + before
        path.write_text(ours, encoding="utf-8")
    commit(project, "feat: make it ours")

    cruft(project, "update", "--skip-apply-ask")

    assert not list(project.rglob("*.rej"))
    changed = run(
        project, "git", "status", "--porcelain", "--no-renames"
    ).splitlines()
    assert {line[3:] for line in changed} == {
        ".cruft.json",
        "Dockerfile",
        "mcp_server/log.py",
        "mcp_server/errors.py",
        "mcp_server/failures.py",
    }
    assert not (project / "mcp_server" / "failures.py").exists()
    log = (project / "mcp_server" / "log.py").read_text(encoding="utf-8")
    assert log.startswith('"""Ours."""\n')
    assert "of an older release" not in log
    assert "Written by us." in (project / "README.md").read_text("utf-8")
    commit(project, "build: update from the template")
    assert "up to date" in cruft(project, "check")
    assert_tools_work(project, generated)


def assert_tools_work(project: Path, generated: Project) -> None:
    """Run tests of the updated project, in the generated one's environment."""
    run(
        project,
        *(str(generated.path / BIN / "python"), "-m", "pytest", "-q"),
        *("-p", "no:cacheprovider", "tests/tools"),
    )


def test_line_that_both_changed_is_left_to_the_user(project: Path) -> None:
    path = project / "Dockerfile"
    before = path.read_text(encoding="utf-8")
    assert before.endswith("# of an older release\n")
    path.write_text(before.replace("an older", "our own"), encoding="utf-8")
    commit(project, "feat: make it ours")

    cruft(project, "update", "--skip-apply-ask")

    changed = run(project, "git", "status", "--porcelain").splitlines()
    assert "UU Dockerfile" in changed
    assert "# of our own release\n" in path.read_text(encoding="utf-8")
    assert "<<<<<<< ours\n" in path.read_text(encoding="utf-8")


def test_page_on_updates_says_what_is_tried_here() -> None:
    page = (TEMPLATE / "docs" / "updating.md").read_text(encoding="utf-8")
    lines = re.findall(r"^cruft (\w+)(.*?)(?: #|$)", page, re.MULTILINE)
    assert [name for name, _ in lines] == ["create", "check", "update", "link"]
    assert lines[2][1].split() == ["--skip-apply-ask"]
    assert lines[3][1].split()[1:] == ["--checkout", "v0.1.0"]


def test_lock_and_baseline_stay_out_of_the_way(project: Path) -> None:
    (project / "uv.lock").write_text("version = 1\n")
    (project / ".security").mkdir()
    (project / ".security" / "baseline.json").write_text("{}\n")
    commit(project, "build: lock and scan")
    cruft(project, "update", "--skip-apply-ask")
    assert (project / "uv.lock").read_text() == "version = 1\n"
    assert (project / ".security" / "baseline.json").read_text() == "{}\n"
    assert not list(project.rglob("*.rej"))


def test_project_without_cruft_can_be_linked(
    project: Path, repository: Path
) -> None:
    (project / ".cruft.json").unlink()
    commit(project, "feat: be made without cruft")
    options = ("--no-input", "--checkout", "v0.0.1")
    cruft(project, "link", *options, str(repository))
    assert (project / ".cruft.json").exists()


def test_newer_release_is_noticed(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cruft", "check"],
        cwd=project,
        env={**clean_environment(), **IDENTITY},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"out of date" in done.stdout + done.stderr
