"""The server's processes: forked from one that has the libraries ready."""

import contextlib
import os
import select
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest

from scanner import live, processes
from scanner.forkserver import LIBRARIES
from scanner.processes import Forked, Process
from scanner.project import Project

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere each server starts afresh"
)

MAIN = """
import os, sys
print(sys.argv[1:], os.environ["GIVEN"], os.getcwd(), __name__, __package__)
print(sys.modules["__main__"].__spec__.name, os.getpid() == os.getsid(0))
print(sys.stdin.read(), sorted(os.listdir("/proc/self/fd"))[:3])
print("said", file=sys.stderr)
sys.exit(7)
"""
WAITS = "import time\nprint(flush=True)\ntime.sleep(60)\n"

Made = Callable[..., Process]


class Mute(live.Server):
    """A server that says nothing when it is there."""

    def _greet(self) -> None:
        assert self.alive


@pytest.fixture
def log() -> Iterator[IO[bytes]]:
    """Where a server's standard error goes."""
    with tempfile.TemporaryFile() as file:
        yield file


@pytest.fixture
def made(tmp_path: Path, log: IO[bytes]) -> Iterator[Made]:
    """Start a package of this ``__init__`` and this ``__main__``."""

    def make(main: str, init: str = "", **variables: str) -> Process:
        package = tmp_path / "project" / "planted"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text(init)
        (package / "__main__.py").write_text(main)
        project = projects.setdefault(package, Project(package.parent))
        workspace = tmp_path / "workspace"
        return processes.start(
            project,
            [sys.executable, "-m", "planted"],
            live.surroundings(workspace),
            live.environment(project, workspace, **variables),
            log,
            pipes=True,
        )

    projects: dict[Path, Project] = {}
    yield make
    for project in projects.values():
        processes.forget(project)


def output(process: Process) -> str:
    """Close its input, and return all that it prints."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"asked")
    process.stdin.close()
    with process.stdout:
        return process.stdout.read().decode()


def test_forked_server_runs_as_a_started_one_would(
    made: Made, log: IO[bytes], tmp_path: Path
) -> None:
    process = made(MAIN, GIVEN="value")
    assert isinstance(process, Forked)
    assert output(process).splitlines() == [
        f"[] value {tmp_path / 'here'} __main__ planted",
        "planted.__main__ True",
        "asked ['0', '1', '2']",
    ]
    assert process.wait(20) == process.poll() == 7
    log.seek(0)
    assert log.read() == b"said\n"


def test_each_forked_server_has_variables_and_modules_of_its_own(
    made: Made,
) -> None:
    main = "import os, planted\nprint(planted.SEEN, os.environ.get('OTHER'))"
    init = "import os\nSEEN = os.environ.get('ONE')\n"
    first = made(main, init, ONE="1", OTHER="2")
    assert output(first) == "1 2\n"
    first.wait(20)
    second = made(main, init, ONE="3")
    assert isinstance(second, Forked)
    assert output(second) == "3 None\n"
    second.wait(20)


def test_no_workspace_is_in_what_linux_shows_of_all_forked(
    made: Made,
) -> None:
    """Of one that does, each would be a stray of that workspace's server."""
    process = made("import sys\nsys.stdin.read()")
    shown = Path(f"/proc/{process.pid}/environ").read_bytes()
    assert b"PROBE_CANARY=" in shown
    assert b"WORKSPACE_PATH=" not in shown
    output(process)
    process.wait(20)


def test_libraries_are_there_already(made: Made) -> None:
    main = f"import sys\nprint({{*{LIBRARIES}}} - sys.modules.keys())"
    process = made(main)
    assert output(process) == "set()\n"
    process.wait(20)


def test_signal_ends_a_forked_server_and_is_its_exit_code(made: Made) -> None:
    process = made(WAITS)
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    process.terminate()
    assert process.wait(20) == -15
    process.terminate()  # it is not there any more, and nobody else is hit
    closed(process)


@pytest.mark.parametrize("init", ["import mcp", "from . import __main__"])
def test_package_that_does_more_at_its_import_starts_afresh(
    made: Made, init: str
) -> None:
    process = made("print(1)", init)
    assert isinstance(process, subprocess.Popen)
    process.wait(20)
    closed(process)


def test_dead_fork_server_is_not_missed(made: Made) -> None:
    before = {*processes._known.values()}
    process = made("print(1)")
    assert output(process) == "1\n"
    process.wait(20)
    (forkserver,) = {*processes._known.values()} - before
    forkserver.close()
    process = made("print(2)")
    assert isinstance(process, subprocess.Popen)
    assert output(process) == "2\n"
    process.wait(20)


def test_fork_server_ends_with_its_project(tmp_path: Path) -> None:
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted" / "__init__.py").touch()
    before = {*processes._known.values()}
    project = Project(tmp_path)
    workspace = tmp_path / "workspace"
    where = live.surroundings(workspace)
    command = [sys.executable, "-m", "planted"]
    surroundings = live.environment(project, workspace)
    with tempfile.TemporaryFile() as log:
        process = processes.start(
            project, command, where, surroundings, log, pipes=False
        )
        process.wait(20)
    (forkserver,) = {*processes._known.values()} - before
    assert forkserver._process.poll() is None
    del project
    assert forkserver._process.poll() is not None
    assert forkserver not in processes._known.values()


def test_server_waits_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All the servers of a scan at once would take hundreds of MiB."""
    monkeypatch.setattr(live, "ROOM", threading.Semaphore(1))
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted" / "__init__.py").touch()
    (tmp_path / "planted" / "__main__.py").write_text(WAITS)
    scripts = '[project.scripts]\nplanted = "planted.__main__:main"\n'
    (tmp_path / "pyproject.toml").write_text(scripts)
    project, workspace = Project(tmp_path), tmp_path / "workspace"
    one, other = Mute(project, workspace), Mute(project, workspace)

    def fails(*_: object, **__: object) -> None:
        raise OSError("planted")

    with monkeypatch.context() as patched:
        patched.setattr(live, "start", fails)
        with pytest.raises(OSError, match="planted"), one:
            pass  # the place is free again
    with ThreadPoolExecutor(1) as pool:
        with one:
            waits = pool.submit(other.__enter__)
            with pytest.raises(TimeoutError):
                waits.result(0.2)
        waits.result(20).__exit__()


SCAN = """
import sys, tempfile, time
from pathlib import Path
from scanner import live, processes
from scanner.project import Project
root = Path(sys.argv[1])
project = Project(root / "project")
process = processes.start(
    project, [sys.executable, "-m", "planted"],
    live.surroundings(root / "workspace"),
    live.environment(project, root / "workspace"),
    tempfile.TemporaryFile(), pipes=False,
)
assert isinstance(process, processes.Forked)
(forkserver,) = processes._known.values()
print(process.pid, forkserver._process.pid, flush=True)
time.sleep(60)
"""
# It serves on, whatever becomes of its standard input, as over HTTP.
SERVES = """
import os, time
os.fork()
pipe = open({!r}, "wb", buffering=0)
pipe.write(b"x")
time.sleep(60)
"""


@pytest.mark.parametrize("pidfd", [True, False])
def test_nothing_is_left_when_the_scan_is_killed(
    tmp_path: Path, pidfd: bool
) -> None:
    """Whoever reads a pipe is told when the last that holds it has ended."""
    package = tmp_path / "project" / "planted"
    package.mkdir(parents=True)
    pipe = tmp_path / "held"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    without = "import os\nvars(os).pop('pidfd_open', 0)\n"
    (package / "__init__.py").write_text("" if pidfd else without)
    (package / "__main__.py").write_text(SERVES.format(str(pipe)))
    with subprocess.Popen(
        [sys.executable, "-c", SCAN, str(tmp_path)],
        cwd=Path(live.__file__).parent.parent,
        stdout=subprocess.PIPE,
    ) as scan:
        assert scan.stdout is not None
        server, forkserver = map(int, scan.stdout.readline().split())
        for _ in range(2):  # the server, and what it has started
            assert select.select([held], [], [], 20)[0]
            assert os.read(held, 1) == b"x"
        scan.kill()
    os.set_blocking(held, True)
    assert os.read(held, 1) == b""
    os.close(held)
    for number in (server, forkserver):
        gone(number)


def gone(number: int) -> None:
    """Wait until no process has the number."""
    with contextlib.suppress(ProcessLookupError):
        ended = os.pidfd_open(number)
        assert select.select([ended], [], [], 20)[0]
        os.close(ended)


def closed(process: Process) -> None:
    """Close its pipes."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
