"""What a maintainer runs: nox --session tests, lint, docs, samples, fresh."""

import shutil
import sys
from pathlib import Path

import nox

HERE = Path(__file__).parent
GROUPS = nox.project.load_toml(HERE / "pyproject.toml")
BIN = Path(".venv", "Scripts" if sys.platform == "win32" else "bin")
PACKAGE = "mcp_server"
SAMPLES = {
    "default": (),
    "production": (
        *("transport=http", "auth=jwt", "deployment=kubernetes"),
        *("python_version=3.14", "license=MIT"),
    ),
    "smallest": ("license=Proprietary",),
}

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "tests"]


@nox.session
def tests(session: nox.Session) -> None:
    """Run the template's tests: hundreds of hostile answers, real servers.

    They wait for servers, packages and time limits for a third of the time,
    so three of them keep two cores busy.
    """
    _install(session, "test")
    session.run("pytest", "-n", "3", "--dist=worksteal", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the template's own code, workflows and dependencies."""
    _install(session, "test", "lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("zizmor", "--offline", "--pedantic", ".github")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a broken link is an error."""
    _install(session, "docs")
    quiet = {"NO_MKDOCS_2_WARNING": "1"}  # an advertisement
    session.run("mkdocs", "build", "--strict", *session.posargs, env=quiet)


@nox.session
def samples(session: nox.Session) -> None:
    """Generate and scan the sample projects, with an HTML report each."""
    _install(session, "generate")
    folder = _emptied(HERE / "build" / "samples")
    for name, answers in SAMPLES.items():
        project = _generate(session, folder / name, *answers)
        report = folder / f"{name}.html"
        _scan(session, project, "--format", "html", f"--output={report}")


@nox.session
def fresh(session: nox.Session) -> None:
    """Try the newest dependencies that the bounds of a project allow."""
    _install(session, "generate")
    folder = _emptied(HERE / "build" / "fresh")
    project = _generate(session, folder, *session.posargs)
    for line in (
        "pytest",
        f"mypy --strict {PACKAGE}/",
        f"flake8 --max-line-length=79 {PACKAGE}/",
        f"bandit --quiet --recursive {PACKAGE}/",
    ):
        program, *arguments = line.split()
        with session.chdir(project):
            session.run(str(BIN / program), *arguments, external=True)
    _scan(session, project)


def _install(session: nox.Session, *groups: str) -> None:
    session.install(*nox.project.dependency_groups(GROUPS, *groups))


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _generate(session: nox.Session, folder: Path, *answers: str) -> Path:
    """Generate a project with the hooks, so with its first scan."""
    options = ("--no-input", f"--output-dir={folder}")
    session.run("cookiecutter", *options, str(HERE), *answers)
    return folder / "mcp-server"


def _scan(session: nox.Session, project: Path, *options: str) -> None:
    with session.chdir(project):
        python = str(BIN / "python")
        session.run(python, "security_scan.py", *options, external=True)
