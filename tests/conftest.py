"""One generated project for all tests that need an environment."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from template import generate, render

BIN = Path(".venv", "Scripts" if os.name == "nt" else "bin")


@dataclass(frozen=True)
class Project:
    """A project with an environment, and what generating it printed."""

    path: Path
    log: str = ""

    def run(
        self,
        *command: str,
        env: dict[str, str] | None = None,
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the project's environment, in the project."""
        program, *arguments = command
        return subprocess.run(
            [str(self.path / BIN / program), *arguments],
            cwd=self.path,
            env={**clean_environment(), **(env or {})},
            capture_output=True,
            check=False,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            timeout=timeout,
        )


def clean_environment() -> dict[str, str]:
    """Return the variables without what the tests' environment adds."""
    ours = {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"}
    return {k: v for k, v in os.environ.items() if k not in ours}


@pytest.fixture(scope="session")
def generated(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Project:
    """Generate the default project with its hooks, once for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "generated"
    log = shared.with_suffix(".log")
    with FileLock(shared.with_suffix(".lock")):
        if not log.exists():
            run = generate(shared, "--keep-project-on-failure")
            printed = f"{run.stdout}{run.stderr}exit code {run.returncode}\n"
            log.write_text(printed, encoding="utf-8")
    return Project(shared / "mcp-server", log.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def make_project(
    generated: Project, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Project]:
    """Return a function that makes a project with an environment, fast.

    It takes the lock of the generated project, so nothing is resolved, and
    what that one downloaded, so nothing is fetched.
    """

    def make(**answers: str) -> Project:
        path = render(tmp_path_factory.mktemp("made"), **answers)
        assert path.name == generated.path.name  # it stands in the lock
        shutil.copy2(generated.path / "uv.lock", path)
        shutil.copytree(generated.path / ".security", path / ".security")
        subprocess.run(
            [
                *("uv", "sync", "--quiet", "--frozen", "--offline"),
                *("--python", str(generated.path / BIN / "python")),
            ],
            cwd=path,
            env=clean_environment(),
            check=True,
            timeout=300,
        )
        return Project(path)

    return make


@pytest.fixture(scope="session")
def _shared_project(make_project: Callable[..., Project]) -> Project:
    return make_project()


@pytest.fixture
def project(_shared_project: Project) -> Iterator[Project]:
    """Yield a default project that a test may change; it is put right again.

    Its environment is not: who changes that mends it.
    """
    root = _shared_project.path
    before = {path: _state(path) for path in _own_files(root)}
    yield _shared_project
    for path in _own_files(root) - before.keys():
        path.unlink()
    for path, (mode, content) in before.items():
        if not path.exists() or _state(path) != (mode, content):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(mode)


def _own_files(root: Path) -> set[Path]:
    found = set()
    for folder, folders, names in os.walk(root):
        folders[:] = set(folders) - {".venv"}
        found |= {Path(folder, name) for name in names}
    return {path for path in found if path.is_file()}


def _state(path: Path) -> tuple[int, bytes]:
    return stat.S_IMODE(path.stat().st_mode), path.read_bytes()


def pytest_configure() -> None:
    """Put the programs of the tests' environment first on PATH.

    Where nox has made it with uv, nox tells every uv to install into it: a
    project's own would end in here, in place of what the tests need.
    """
    for name in ("UV_PROJECT_ENVIRONMENT", "UV_PYTHON"):
        os.environ.pop(name, None)
    folder = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join((folder, os.environ["PATH"]))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest, one on each worker.

    A worker gets an even part of the list; who is done first takes from the
    end of another's.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    longest = [x for x in items if x.get_closest_marker("timeout")]
    others = [x for x in items if not x.get_closest_marker("timeout")]
    dealt: list[pytest.Item] = []
    for worker in range(workers):
        part = longest[worker::workers]
        size = (len(items) - len(dealt)) // (workers - worker)
        more = max(0, size - len(part))
        dealt += part + others[:more]
        del others[:more]
    items[:] = dealt


def pytest_report_header() -> str:
    """Say which programs decide what the tests can try."""
    found = {name: shutil.which(name) for name in ("uv", "git", "npm")}
    return f"python {sys.executable}, {found}"
