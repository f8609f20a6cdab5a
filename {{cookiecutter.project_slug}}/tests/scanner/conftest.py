"""What the tests of the scanner share."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from scanner.checks import code, dependencies
from scanner.checks.bandit import BanditRun
from scanner.model import CheckResult, Options
from scanner.project import Project
from tests.scanner.faulty_tools import Bench
from tests.scanner.faulty_tools import bench as make_bench
from tests.scanner.small import SMALL
from tests.scanner.small_lock import LOCK, NOBODY, NOW, PYPROJECT

Make = Callable[..., Project]


@pytest.fixture
def make_project(tmp_path: Path) -> Make:
    """Makes a small and clean project, with these files in it too."""

    def make(**files: str | bytes) -> Project:
        root = tmp_path / "small-server"
        for name, content in {**SMALL, **files}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = content.encode() if isinstance(content, str) else content
            path.write_bytes(data)
            path.chmod(0o644)
        return Project(root)

    return make


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bench:
    """An empty place for programs; no other of the scan's is found."""
    return make_bench(monkeypatch, tmp_path / "bench")


@pytest.fixture
def without_bandit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bandit has seen every file and has found nothing.

    It takes a second to start, and what our own rules find is not its.
    """

    def run(_root: Path, paths: Sequence[str], *_: object) -> BanditRun:
        totals = {"loc": 1, "nosec": 0, "skipped_tests": 0}
        metrics = {"_totals": totals, **{path: {} for path in paths}}
        seen = {"errors": [], "results": [], "metrics": metrics}
        return BanditRun("1.9.4", [seen])

    monkeypatch.setattr(code, "run_bandit", run)


@pytest.fixture
def options() -> Options:
    """Offline, and with little patience."""
    return Options(offline=True, timeout=20.0)


@pytest.fixture
def scan_lock(make_project: Make, bench: Bench) -> Callable[..., CheckResult]:
    """Judges a lock, and what it was made of, where nobody else is asked."""
    assert bench

    def run(
        advisories: str | None = NOBODY,
        timeout: float = 2,
        *,
        offline: bool = True,
        **files: str,
    ) -> CheckResult:
        given = {"pyproject.toml": PYPROJECT, "uv.lock": LOCK, **files}
        project = make_project(**{k: v for k, v in given.items() if v})
        options = Options(
            advisories=advisories, offline=offline, timeout=timeout, now=NOW
        )
        return dependencies.check(project, options)

    return run
