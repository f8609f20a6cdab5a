"""Whole generations: the real hooks, programs and package index."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import BIN, Project, clean_environment
from template import (
    clone,
    cookiecutter_command,
    files,
    generate,
    load_hook,
    render,
)

pytestmark = pytest.mark.slow

posix_only = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
NO_INDEX = "http://127.0.0.1:9/simple"
TEMPORARY = re.compile(r'File "[^"]*/tmp[^"]*\.py"')


@pytest.fixture
def cold(tmp_path: Path) -> dict[str, str]:
    """Return variables under which nothing is cached and nothing is found."""
    return {
        "UV_CACHE_DIR": str(tmp_path / "uv-cache"),
        "UV_DEFAULT_INDEX": NO_INDEX,
        "PIP_INDEX_URL": NO_INDEX,
        "PIP_EXTRA_INDEX_URL": NO_INDEX,
        "PIP_FIND_LINKS": "",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_CACHE_DIR": "1",
    }


@pytest.fixture
def without_uv(tmp_path: Path) -> str:
    """Return a PATH on which everything is but uv."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    for folder in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(folder).glob("*") if folder else ():
            if program.name in {"uv", "uvx", "uv.exe", "uvx.exe"}:
                continue
            link = bin_ / program.name
            link.unlink(missing_ok=True)
            link.symlink_to(program)
    return str(bin_)


@pytest.fixture
def silent_index() -> Iterator[str]:
    """Listen, accept nothing and never answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/simple"


def assert_kept(run: subprocess.CompletedProcess[str], folder: Path) -> Path:
    """Expect a whole project, an honest word and a way to go on."""
    assert run.returncode == 0, run.stdout + run.stderr
    assert "INCOMPLETE" in run.stdout
    assert "security_scan.py --update-baseline" in run.stdout
    assert "Traceback" not in run.stdout + run.stderr
    project = folder / "mcp-server"
    assert list(files(project)) == list(files(render(folder.parent / "x")))
    return project


class TestDefault:
    def test_ends_well(self, generated: Project) -> None:
        assert generated.log.endswith("exit code 0\n"), generated.log
        assert "Traceback" not in generated.log
        for name in (".venv", "uv.lock", ".security/baseline.json"):
            assert (generated.path / name).exists()

    def test_shows_what_takes_the_time(self, generated: Project) -> None:
        steps = re.findall(r"^(\w+) .* \.\.\. [\d.]+ s$", generated.log, re.M)
        assert {"Locking", "Installing"} <= set(steps)
        assert re.search(r"^The scan took [\d.]+ s\.$", generated.log, re.M)

    def test_lacks_at_most_the_advisory_service(
        self, generated: Project
    ) -> None:
        """And has no finding, whichever Python the scan is begun with."""
        run = subprocess.run(
            [sys.executable, "security_scan.py", "--format", "json"],
            cwd=generated.path,
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=600,
        )
        checks = json.loads(run.stdout)["checks"]
        assert [f for check in checks for f in check["findings"]] == []
        lacking = {c["name"] for c in checks if c["state"] != "passed"}
        assert lacking <= {"dependencies"}, run.stdout
        assert ("INCOMPLETE" in generated.log) == bool(lacking)
        assert run.returncode == (3 if lacking else 0)

    def test_environment_has_what_it_takes_to_go_on(
        self, generated: Project
    ) -> None:
        programs = {"uv", "pytest", "mypy", "flake8", "bandit", "mcp-server"}
        bin_ = (
            generated.path
            / ".venv"
            / ("Scripts" if os.name == "nt" else "bin")
        )
        assert programs <= {path.stem for path in bin_.iterdir()}

    @pytest.mark.parametrize("number", [0, 1])
    def test_what_is_compiled_ahead_can_be_imported(
        self, generated: Project, number: int
    ) -> None:
        hook = load_hook("post_gen_project")
        subprocess.run(
            [hook.VENV_PYTHON, "-c", hook.IMPORTS[number], "mcp_server"],
            cwd=generated.path,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            check=True,
            timeout=120,
        )


def test_no_slug_is_the_name_of_what_a_project_has(
    generated: Project,
) -> None:
    """Its own files, on any file system, and every package of the lock."""
    hook = load_hook("pre_gen_project")
    lock = tomllib.loads((generated.path / "uv.lock").read_text("utf-8"))
    taken = {package["name"] for package in lock["package"]}
    taken |= {path.name.casefold() for path in generated.path.iterdir()}
    taken |= {path.stem for path in (generated.path / BIN).iterdir()}
    ignored = (generated.path / ".gitignore").read_text("utf-8")
    taken |= set(re.findall(r"^/([a-z]+)/$", ignored, re.MULTILINE))
    accepted = {
        name
        for name in taken - {"mcp-server"}
        if not hook.problems({**hook.EXAMPLES, "project_slug": name})
    }
    assert accepted == set()


@posix_only
def test_readme_commands_generate_in_a_fresh_clone(tmp_path: Path) -> None:
    """The second one asks what it is not told; Enter is the answer."""
    folder = clone(tmp_path / "clone")
    readme = (folder / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\S*python3? .*cookiecutter \. .*$", readme, re.M)
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    home["UV_CACHE_DIR"] = os.environ.get("UV_CACHE_DIR", _uv_cache())
    for command, name in zip(
        commands, ("mcp-server", "weather-server"), strict=True
    ):
        run = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env={**clean_environment(), **home},
            capture_output=True,
            check=False,
            encoding="utf-8",
            input="\n" * 20,
            timeout=600,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        assert "Overall Status: " in run.stdout
        assert (folder / name / ".security" / "baseline.json").exists()
    assert (folder / "weather-server" / "deploy" / "kubernetes").is_dir()


def _uv_cache() -> str:
    command = ["uv", "cache", "dir"]
    return subprocess.check_output(command, encoding="utf-8").strip()


@posix_only
def test_pip_alone_is_enough(tmp_path: Path, without_uv: str) -> None:
    folder = tmp_path / "out"
    run = generate(folder, env={"PATH": without_uv})
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"^Fetching uv with pip \.\.\. ", run.stdout, re.M)
    assert (folder / "mcp-server" / "uv.lock").exists()
    assert (folder / "mcp-server" / ".venv" / "bin" / "pytest").exists()
    left = {"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
    for path in (folder / "mcp-server").rglob("*"):
        assert path.name not in left or ".venv" in path.parts


class TestWithoutNetwork:
    def test_project_is_kept_and_scanned_as_far_as_it_goes(
        self, tmp_path: Path, cold: dict[str, str]
    ) -> None:
        folder = tmp_path / "out"
        run = generate(folder, env=cold)
        assert_kept(run, folder)
        assert "the environment could not be made: uv" in run.stdout
        assert re.search(r"^ *permissions +passed", run.stdout, re.M)
        assert "  uv run security_scan.py" in run.stdout

    @posix_only
    def test_no_uv_either(
        self, tmp_path: Path, cold: dict[str, str], without_uv: str
    ) -> None:
        folder = tmp_path / "out"
        run = generate(folder, env={**cold, "PATH": without_uv})
        assert_kept(run, folder)
        assert re.search("-m pip .*install 'uv~=.*' && ", run.stdout)

    def test_index_that_is_silent_is_given_up(
        self, tmp_path: Path, cold: dict[str, str], silent_index: str
    ) -> None:
        folder = tmp_path / "out"
        env = {**cold, "UV_DEFAULT_INDEX": silent_index}
        run = generate(folder, env=env)
        assert_kept(run, folder)
        took = re.search(r"^Locking .* \.\.\. ([\d.]+) s$", run.stdout, re.M)
        assert took is not None
        assert float(took[1]) < 100  # by itself uv would take 120 and more

    @posix_only
    def test_printed_command_finishes_the_project(
        self, tmp_path: Path, cold: dict[str, str], without_uv: str
    ) -> None:
        folder = tmp_path / "out"
        run = generate(folder, env={**cold, "PATH": without_uv})
        project = assert_kept(run, folder)
        command = run.stdout.split("finishes the baseline:\n")[1]
        finish = subprocess.run(
            ["bash", "-c", command.splitlines()[0]],
            cwd=project,
            env={**os.environ, "PATH": without_uv},
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=600,
        )
        assert finish.returncode in {0, 3}, finish.stdout + finish.stderr
        assert "Overall Status: " in finish.stdout
        assert (project / "uv.lock").exists()


def test_home_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file" / "home")
    folder = tmp_path / "out"
    env = {"HOME": nowhere, "XDG_CACHE_HOME": nowhere, "UV_CACHE_DIR": nowhere}
    run = generate(folder, env=env)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr
    assert (folder / "mcp-server" / ".venv" / "pyvenv.cfg").exists()


@posix_only
def test_missing_compiler_does_no_harm(
    tmp_path: Path, without_uv: str
) -> None:
    for name in ("cc", "gcc", "g++", "c++", "clang", "make", "ld", "rustc"):
        Path(without_uv, name).unlink(missing_ok=True)
    uv = shutil.which("uv")
    assert uv is not None
    Path(without_uv, "uv").symlink_to(uv)
    folder = tmp_path / "out"
    run = generate(folder, env={"PATH": without_uv, "CC": "", "CXX": ""})
    assert run.returncode == 0, run.stdout + run.stderr
    assert "could not be made" not in run.stdout


@posix_only
def test_interruption_keeps_the_project(
    tmp_path: Path, cold: dict[str, str], silent_index: str
) -> None:
    folder = tmp_path / "out"
    with subprocess.Popen(
        cookiecutter_command(folder),
        env={**os.environ, **cold, "UV_DEFAULT_INDEX": silent_index},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        # A shell lets what it starts in the background ignore the signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        printed = b""
        while b"Locking" not in printed:
            printed += process.stdout.read1(1000)  # type: ignore[attr-defined]
        os.killpg(process.pid, signal.SIGINT)
        printed += process.stdout.read()
    assert b"INCOMPLETE: no check ran: it was interrupted" in printed
    assert not TEMPORARY.search(printed.decode())
    assert (folder / "mcp-server" / "security_scan.py").exists()


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a template that somebody has made unsafe."""
    faulty = clone(tmp_path_factory.mktemp("faulty"))
    package = next(faulty.glob("*project_slug*/*__package_name*"))
    (package / "unsafe.py").write_text(
        '"""Loads."""\n\nimport yaml\n\n\ndef load(text: str) -> object:\n'
        '    """Load text."""\n    return yaml.unsafe_load(text)\n'
    )
    return faulty


class TestGate:
    """A finding decides, be there an environment or not."""

    def test_strict_refuses_a_project_with_findings(
        self, tmp_path: Path, faulty: Path, cold: dict[str, str]
    ) -> None:
        folder = tmp_path / "out"
        run = generate(folder, template=faulty, env=cold)
        assert run.returncode == 1
        assert "unsafe.py:8" in run.stdout
        assert "--keep-project-on-failure" in run.stderr
        assert not (folder / "mcp-server").exists()

    def test_strict_keeps_it_on_demand(
        self, tmp_path: Path, faulty: Path
    ) -> None:
        folder = tmp_path / "out"
        run = generate(folder, "--keep-project-on-failure", template=faulty)
        assert run.returncode == 1
        assert (folder / "mcp-server" / "uv.lock").exists()

    def test_report_keeps_findings_open(
        self, tmp_path: Path, faulty: Path, cold: dict[str, str]
    ) -> None:
        folder = tmp_path / "out"
        report = {"security_gate": "report"}
        run = generate(folder, template=faulty, env=cold, **report)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "holds the findings as open" in run.stdout
        path = folder / "mcp-server" / ".security" / "baseline.json"
        findings = json.loads(path.read_text())["findings"]
        assert [(f["path"], f["status"]) for f in findings] == [
            ("mcp_server/unsafe.py", "open")
        ]


def test_without_hooks_nothing_is_left_out(tmp_path: Path) -> None:
    """What --accept-hooks no leaves has all that the hook would prune."""
    folder = tmp_path / "out"
    assert generate(folder, "--accept-hooks", "no").returncode == 0
    pruned = set(files(render(tmp_path / "pruned")))
    more = set(files(folder / "mcp-server")) - pruned
    table = load_hook("post_gen_project").PRUNED
    prunable = [Path(path) for _, _, paths in table for path in paths]
    assert more
    assert all(
        any(path.is_relative_to(part) for part in prunable) for path in more
    )
