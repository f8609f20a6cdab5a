"""The post-generation hook, with the programs that it starts played."""

import io
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import pytest
from cookiecutter.utils import create_env_with_context

from template import TEMPLATE, load_module, prompted, rendered_texts

PYPROJECT = 'security = [\n  "uv>=0.13.8,<0.14",\n]\n'
Answer = tuple[int, str] | BaseException


@dataclass
class Programs:
    """Stands in for every program: the first needle that is found answers."""

    answers: dict[str, Answer]
    ran: list[str] = field(default_factory=list)
    variables: list[Mapping[str, str]] = field(default_factory=list)

    def __call__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        output: IO[bytes] | None,
    ) -> int:
        line = " ".join(command)
        self.ran.append(line)
        self.variables.append(environment)
        if "lock" in command:
            place = Path(command[command.index("--project") + 1])
            (place / "uv.lock").write_text("the index's")
        elif "sync" in command and "--offline" in command:
            Path("uv.lock").write_text("the cache's")
            Path(".venv").mkdir()
        for needle, answer in self.answers.items():
            if needle in line:
                return self._give(answer, output)
        return 0

    def _give(self, answer: Answer, output: IO[bytes] | None) -> int:
        if isinstance(answer, BaseException):
            raise answer
        code, text = answer
        if output is not None:
            output.write(text.encode())
        return code

    def asked(self, needle: str) -> bool:
        return any(needle in line for line in self.ran)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = tmp_path / "mcp-server"
    (project / ".security").mkdir(parents=True)
    (project / ".security" / "baseline.json").write_text("{}")
    (project / "pyproject.toml").write_text(PYPROJECT)
    monkeypatch.chdir(project)
    return project


@dataclass
class Hook:
    """The hook, rendered for some answers, and what it has to work with."""

    module: ModuleType
    programs: Programs

    def run(self) -> int:
        code: int = self.module.main()
        return code


@pytest.fixture
def hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Hook]:
    def make(
        *,
        uv: bool = True,
        cruft: bool = False,
        programs: Mapping[str, Answer] | None = None,
        **answers: str,
    ) -> Hook:
        context = prompted(**answers)
        if not cruft:
            context["cookiecutter"]["_output_dir"] = str(tmp_path)
        source = (TEMPLATE / "hooks" / "post_gen_project.py").read_text()
        environment = create_env_with_context(context)
        path = tmp_path / "post_gen_project.py"
        path.write_text(environment.from_string(source).render(**context))
        module = load_module(path)
        defaults: dict[str, Answer] = {
            "--version": (0, "uv 0.13.8 (abcdef 2026-11-01)\n"),
            "python find": (0, "/usr/bin/python3.13\n"),
            "version_info": (0, "3.13 /usr/bin/python3.13\n"),
        }
        played = Programs({**(programs or {})})
        for needle, answer in defaults.items():
            played.answers.setdefault(needle, answer)
        found = {"uv"} if uv else set()

        def which(name: str, path: str = "/usr/bin") -> str | None:
            return f"{path}/{name}" if name in found else None

        monkeypatch.setattr(module.shutil, "which", which)
        monkeypatch.setattr(module, "_exit_code", played)
        return Hook(module, played)

    return make


MakeHook = Callable[..., Hook]
Printed = pytest.CaptureFixture[str]


def test_steps_run_in_order(
    hook: MakeHook, project: Path, capsys: Printed
) -> None:
    made = hook()
    assert made.run() == 0
    steps = [line.split()[1] for line in made.programs.ran]
    scan = "security_scan.py"
    assert steps[:3] == ["--version", "python", "-c"]
    assert sorted(steps[3:5]) == ["lock", "sync"]  # at the same time
    assert steps[5:] == ["sync", scan]
    assert made.programs.ran[-1].startswith(".venv")
    printed = capsys.readouterr().out
    assert "baseline is clean" in printed
    assert "INCOMPLETE" not in printed
    next_ = printed.partition("Next:\n")[2].splitlines()
    assert [line.split()[-1] for line in next_] == [
        "mcp-server",
        "pytest",
        ".mcp.json",
    ]


@pytest.mark.parametrize("workspace", ["/workspace", "/data/x"])
@pytest.mark.parametrize("auth", ["none", "bearer"])
@pytest.mark.parametrize("transport", ["stdio", "http", "sse"])
def test_what_comes_next_is_what_the_readme_begins_with(
    hook: MakeHook,
    project: Path,
    capsys: Printed,
    transport: str,
    auth: str,
    workspace: str,
) -> None:
    answers = {"transport": transport, "auth": auth}
    made = hook(**answers, workspace_path=workspace)
    assert made.run() == 0
    last = capsys.readouterr().out.splitlines()[-1].strip()
    readme = rendered_texts(**answers, workspace_path=workspace)["README.md"]
    run = readme.index("## Run it")
    sync, first = re.findall(r"```sh\n(.*?\n)", readme[run:])[:2]
    assert sync == "uv sync\n"
    assert last == first.strip()


def test_what_an_identity_provider_has_to_give_is_told_next(
    hook: MakeHook, project: Path, capsys: Printed
) -> None:
    assert hook(transport="http", auth="jwt").run() == 0
    last = capsys.readouterr().out.splitlines()[-1].split()
    assert last[1:] == [".venv/bin/mcp-server", "check"]


@pytest.mark.parametrize("gate", ["strict", "report"])
@pytest.mark.parametrize("verdict", [0, 1, 3])
def test_verdict_and_gate_decide_the_end(
    hook: MakeHook, project: Path, capsys: Printed, verdict: int, gate: str
) -> None:
    made = hook(
        security_gate=gate, programs={"security_scan.py": (verdict, "")}
    )
    refused = (verdict, gate) == (1, "strict")
    assert made.run() == int(refused)
    printed = capsys.readouterr()
    assert ("--keep-project-on-failure" in printed.err) == refused
    assert ("INCOMPLETE" in printed.out) == (verdict == 3)
    assert ("findings as open" in printed.out) == (
        (verdict, gate) == (1, "report")
    )


@pytest.mark.parametrize("verdict", [2, 4, -9, 120])
def test_scanner_that_fails_is_incomplete(
    hook: MakeHook, project: Path, capsys: Printed, verdict: int
) -> None:
    assert hook(programs={"security_scan.py": (verdict, "")}).run() == 0
    assert "INCOMPLETE: no check ran" in capsys.readouterr().out


@pytest.mark.parametrize("verdict", [0, 1])
def test_scan_without_a_baseline_is_not_believed(
    hook: MakeHook, project: Path, capsys: Printed, verdict: int
) -> None:
    """Python itself ends with 1 when a scanner crashes."""
    (project / ".security" / "baseline.json").unlink()
    assert hook(programs={"security_scan.py": (verdict, "")}).run() == 0
    assert "INCOMPLETE: no check ran" in capsys.readouterr().out


def test_environment_that_fails_is_scanned_all_the_same(
    hook: MakeHook, project: Path, capsys: Printed
) -> None:
    failure = "error: Request failed\n  cause: Connection refused\n"
    made = hook(programs={"uv lock": (2, failure), "security": (3, "")})
    assert made.run() == 0
    assert made.programs.ran[-1].startswith("/usr/bin/python3.13 security")
    printed = capsys.readouterr().out
    assert "uv: error: Request failed: cause: Connection refused" in printed
    assert "INCOMPLETE" in printed
    assert "\n  uv run security_scan.py --update-baseline\n" in printed


def test_credentials_of_an_index_are_never_told(
    hook: MakeHook, project: Path, capsys: Printed
) -> None:
    failure = (
        "error: Failed to fetch: `https://us:p@ss/1@a.example/simple/mcp/`\n"
        f"  cause: {'x' * 200} https://to-ken@b.example/ for url"
        " (http://u2:p2@c.example/)\n"
    )
    assert hook(programs={"uv lock": (2, failure)}).run() == 0
    printed = "".join(capsys.readouterr())
    assert "`https://****@a.example/simple/mcp/`" in printed
    for secret in ("us:", "p@ss", "to-ken", "u2", "p2"):
        assert secret not in printed


def test_findings_without_an_environment_are_incomplete_too(
    hook: MakeHook, project: Path, capsys: Printed
) -> None:
    made = hook(
        security_gate="report",
        programs={"uv sync": (1, ""), "security_scan.py": (1, "")},
    )
    assert made.run() == 0
    printed = capsys.readouterr().out
    assert "findings as open" in printed
    assert "INCOMPLETE: the environment could not be made" in printed


def test_index_has_the_last_word_over_the_cache(
    hook: MakeHook, project: Path
) -> None:
    made = hook()
    assert made.run() == 0
    assert made.programs.asked("uv sync --offline")
    assert (project / "uv.lock").read_text() == "the index's"
    assert "uv sync --frozen" in made.programs.ran[-2]


def test_cold_cache_leaves_nothing_half_made(
    hook: MakeHook, project: Path, capsys: Printed
) -> None:
    made = hook(programs={"uv sync --offline": (2, "error: no network\n")})
    assert made.run() == 0
    assert "baseline is clean" in capsys.readouterr().out
    assert not (project / ".venv").exists()


@pytest.mark.skipif(os.name == "nt", reason="a program of the shell")
def test_what_compiles_ahead_is_ended_with_the_lock(
    hook: MakeHook,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = hook()
    slow = project / "python"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(made.module, "VENV_PYTHON", str(slow))
    begin, begun = made.module._begin, []

    def beginning(*given: object) -> object:
        begun.append(begin(*given))
        return begun[-1]

    monkeypatch.setattr(made.module, "_begin", beginning)
    assert made.run() == 0
    assert {process.returncode for process in begun} == {-signal.SIGKILL}


def test_warm_cache_will_do_without_an_index(
    hook: MakeHook, project: Path, capsys: Printed
) -> None:
    cached: dict[str, Answer] = {"--offline": (0, ""), "uv lock": (2, "")}
    made = hook(programs=cached)
    assert made.run() == 0
    assert made.programs.asked("uv lock --project")
    assert "INCOMPLETE" not in capsys.readouterr().out


@pytest.mark.parametrize("has_pip", [True, False])
def test_uv_is_fetched_into_the_project_where_there_is_none(
    hook: MakeHook,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    has_pip: bool,
) -> None:
    made = hook(uv=False)
    spec = has_pip or None
    monkeypatch.setattr(made.module, "find_spec", lambda _: spec)
    assert made.run() == 0
    venv, pip, *rest = [x for x in made.programs.ran if " -c " not in x]
    assert " -m venv .venv" in venv
    assert ("--without-pip" in venv) == has_pip
    assert (" --python .venv" in pip) == has_pip
    assert " install uv~=0.13.8 " in pip
    assert "--retries 2 --timeout 8" in pip
    assert rest[0].startswith(".venv")
    assert f" --python {made.module.VENV_PYTHON}" in rest[0]
    assert not made.programs.asked("uv sync --offline")


@pytest.mark.parametrize("cruft", [True, False])
@pytest.mark.parametrize(
    "version", [(1, "cannot execute"), (0, "uv 0.4.30\n"), (0, "")], ids=str
)
def test_broken_or_old_uv_is_not_used_nor_told_to(
    hook: MakeHook,
    project: Path,
    capsys: Printed,
    version: tuple[int, str],
    cruft: bool,
) -> None:
    programs: dict[str, Answer] = {
        "uv --version": version,
        "bin/uv lock": (2, ""),
    }
    made = hook(cruft=cruft, programs=programs)
    assert made.run() == 0
    assert made.programs.asked("-m venv .venv") is not cruft
    assert not made.programs.asked("/usr/bin/uv lock")
    assert made.programs.ran.count("/usr/bin/uv --version") == 1
    printed = capsys.readouterr().out
    assert "-m venv .venv" in printed
    assert " install 'uv~=0.13.8' && .venv/bin/uv run security" in printed


def test_command_for_windows_works_in_each_of_its_shells(
    hook: MakeHook, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PowerShell 5 takes no ``&&``, cmd no ``;``: cmd is given the line."""
    made = hook(uv=False)
    monkeypatch.setattr(made.module, "WINDOWS", True)
    line = made.module.finishing_command()
    inner = re.fullmatch(r'cmd /c "([^"]*)"', line)
    assert inner is not None
    make, install, scan = inner[1].split(" && ")
    assert make == "python -m venv .venv"
    assert re.search(r" -m pip install uv~=0\.13\.8$", install)
    assert scan.endswith("uv run security_scan.py --update-baseline")
    assert not set("'<>|^%").intersection(line)


def test_no_pip_and_no_uv_says_the_one_command(
    hook: MakeHook,
    project: Path,
    capsys: Printed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    no_pip: dict[str, Answer] = {
        "-m venv": (1, "No module named venv\n"),
        "security_scan.py": (3, ""),
    }
    made = hook(uv=False, programs=no_pip)
    monkeypatch.setattr(made.module, "find_spec", lambda _: None)
    assert made.run() == 0
    printed = capsys.readouterr().out
    assert "could not be made: python" in printed
    assert "-m venv .venv && " in printed
    assert "-m pip install 'uv~=0.13.8' && " in printed


def test_other_python_is_used_and_said(
    hook: MakeHook, project: Path, capsys: Printed
) -> None:
    other: dict[str, Answer] = {
        "version_info": (0, "3.12 /usr/bin/python3.12\n"),
    }
    made = hook(python_version="3.14", programs=other)
    assert made.run() == 0
    printed = capsys.readouterr().out
    assert "Python 3.14" in printed
    assert "is not installed here: the environment is made with 3.12" in (
        printed.replace("\n", " ")
    )


@pytest.mark.parametrize(
    ("wanted", "found"), [("3.12", "3.12"), ("3.13", "3.14"), ("3.11", "3.11")]
)
def test_python_is_the_one_wanted_or_the_newest(
    hook: MakeHook,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    found: str,
) -> None:
    """One of the names is a shim's, behind which there is no interpreter."""
    made = hook(
        programs={
            "python find": (2, "No interpreter found\n"),
            "/a/python3.13": (127, "python3.13: command not found\n"),
            "/a/python3.11": (0, "3.10 /usr/bin/python3.10\n"),
            "/b/python3.12": (0, "3.12 /usr/bin/python3.12\n"),
            "/b/python3": (0, "3.14 /usr/bin/python3.14\n"),
            "-c": (0, "3.11 /usr/bin/python3.11\n"),
        }
    )
    monkeypatch.setenv("PATH", os.pathsep.join(("/a", "/b")))
    there = {"/a/python3.13", "/a/python3.11", "/b/python3.12", "/b/python3"}

    def which(name: str, path: str) -> str | None:
        return f"{path}/{name}" if f"{path}/{name}" in there else None

    monkeypatch.setattr(made.module.shutil, "which", which)
    answer = made.module.find_python(wanted, "uv", {})
    assert answer == (f"/usr/bin/python{found}", found)


def test_too_old_a_python_is_one_clear_line(
    hook: MakeHook, project: Path, capsys: Printed
) -> None:
    made = hook(programs={"version_info": (0, "3.10 /usr/bin/python3.10\n")})
    assert made.run() == 0
    printed = capsys.readouterr().out
    assert "Python 3.11 or newer is needed, and none is installed" in printed
    assert not made.programs.asked("security_scan.py")


def test_interruption_keeps_the_project(
    hook: MakeHook, project: Path, capsys: Printed
) -> None:
    assert hook(programs={"uv lock": KeyboardInterrupt()}).run() == 0
    assert "INCOMPLETE: no check ran: it was interrupted" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize("cruft", [True, False])
def test_uv_that_cannot_be_tried_is_not_used(
    hook: MakeHook, project: Path, capsys: Printed, cruft: bool
) -> None:
    full = OSError(28, "No space left on device")
    made = hook(cruft=cruft, programs={"uv --version": full})
    assert made.run() == 0
    assert not made.programs.asked("/usr/bin/uv lock")


@pytest.mark.parametrize("program", ["uv lock", "version_info", "--version"])
def test_full_disk_keeps_the_project(
    hook: MakeHook, project: Path, capsys: Printed, program: str
) -> None:
    full = OSError(28, "No space left on device")
    programs: dict[str, Answer] = {program: full, "-m venv": full}
    assert hook(programs=programs).run() == 0
    assert "INCOMPLETE" in capsys.readouterr().out


def test_under_cruft_only_what_is_rendered_changes(
    hook: MakeHook, project: Path, capsys: Printed
) -> None:
    (project / "deploy" / "kubernetes").mkdir(parents=True)
    made = hook(cruft=True)
    assert made.run() == 0
    assert made.programs.ran == ["/usr/bin/uv --version"]
    assert not (project / "deploy" / "kubernetes").exists()
    assert "  uv run security_scan.py" in capsys.readouterr().out


def test_programs_know_nothing_of_cookiecutters_environment(
    hook: MakeHook, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"):
        monkeypatch.setenv(variable, "elsewhere")
    made = hook()
    assert made.run() == 0
    for variables in made.programs.variables:
        assert "elsewhere" not in variables.values()
        assert variables["UV_PYTHON_DOWNLOADS"] == "never"
        assert variables["UV_HTTP_RETRIES"] == "2"


@pytest.mark.skipif(os.name == "nt", reason="the cache lies elsewhere")
class TestCache:
    """A folder under ``file/``, which is no folder, cannot be written."""

    @pytest.fixture(autouse=True)
    def _nowhere(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (project / "file").touch()
        for name in ("UV_CACHE_DIR", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(project / "home"))

    @pytest.mark.parametrize(
        "variables",
        [
            {"HOME": "file/home"},
            {"XDG_CACHE_HOME": "file/cache"},
            {"UV_CACHE_DIR": "file/uv"},
            {"UV_CACHE_DIR": "file/uv", "XDG_CACHE_HOME": "cache"},
        ],
        ids=" ".join,
    )
    def test_that_cannot_be_written_is_put_elsewhere(
        self,
        hook: MakeHook,
        project: Path,
        monkeypatch: pytest.MonkeyPatch,
        variables: dict[str, str],
    ) -> None:
        for name, place in variables.items():
            monkeypatch.setenv(name, str(project / place))
        made = hook()
        assert made.run() == 0
        cache = Path(made.programs.variables[-1]["UV_CACHE_DIR"])
        assert not cache.is_relative_to(project)
        assert not cache.exists()

    @pytest.mark.parametrize(
        "variables",
        [
            {},
            {"XDG_CACHE_HOME": "cache"},
            {"UV_CACHE_DIR": "uv", "XDG_CACHE_HOME": "file/cache"},
            {"UV_CACHE_DIR": "uv", "HOME": "file/home"},
        ],
        ids=" ".join,
    )
    def test_that_can_be_written_is_used_and_not_made(
        self,
        hook: MakeHook,
        project: Path,
        monkeypatch: pytest.MonkeyPatch,
        variables: dict[str, str],
    ) -> None:
        for name, place in variables.items():
            monkeypatch.setenv(name, str(project / place))
        made = hook()
        assert made.run() == 0
        given = made.programs.variables[-1]
        assert given.get("UV_CACHE_DIR") == os.environ.get("UV_CACHE_DIR")
        assert "PIP_NO_CACHE_DIR" not in given
        made_too = {path.name for path in project.iterdir()}
        assert not {"cache", "home", "uv"} & made_too

    @pytest.mark.skipif(
        hasattr(os, "geteuid") and os.geteuid() == 0,
        reason="root writes everywhere",
    )
    def test_of_somebody_else_is_not_used(
        self, hook: MakeHook, project: Path
    ) -> None:
        """As ``sudo uv`` leaves it, in a home that can be written."""
        (project / "home" / ".cache" / "uv").mkdir(0o500, parents=True)
        made = hook()
        assert made.run() == 0
        assert "UV_CACHE_DIR" in made.programs.variables[-1]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=oct)
def test_modes_are_the_same_under_any_umask(
    hook: MakeHook, tmp_path: Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        wanted = make_files(tmp_path / "tree")
    finally:
        os.umask(before)
    hook().module.set_modes(tmp_path / "tree")
    found = {
        str(path.relative_to(tmp_path / "tree")): stat.S_IMODE(
            path.lstat().st_mode
        )
        for path in (tmp_path / "tree").rglob("*")
    }
    assert {k: oct(v) for k, v in found.items() if k in wanted} == {
        k: oct(v) for k, v in wanted.items()
    }


def make_files(tree: Path) -> dict[str, int]:
    outside = tree.parent / "outside.txt"
    outside.write_text("x")
    outside.chmod(0o400)
    contents = {
        "plain.txt": (b"x", 0o644),
        "empty.txt": (b"", 0o644),
        "a/script": (b"#!/bin/sh\n", 0o755),
        "a/b/tool.py": (b"#!/usr/bin/env python3\n", 0o755),
        ".env": (b"#!x", 0o600),
        ".env.example": (b"X=1", 0o644),
        "tls.key": (b"x", 0o600),
    }
    for name, (content, _) in contents.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o777)
    (tree / "link").symlink_to(outside)
    folders = {"a": 0o755, "a/b": 0o755}
    return {name: mode for name, (_, mode) in contents.items()} | folders


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_modes_are_not_changed_through_links_or_in_environments(
    hook: MakeHook, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    make_files(tree)
    (tree / ".venv").mkdir()
    (tree / ".venv" / "file").touch(mode=0o600)
    hook().module.set_modes(tree)
    for kept, mode in (("../outside.txt", 0o400), (".venv/file", 0o600)):
        assert stat.S_IMODE((tree / kept).stat().st_mode) == mode


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_nothing_of_a_project_that_was_there_is_opened_to_more_people(
    hook: MakeHook, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    make_files(tree)
    (tree / ".git").mkdir()
    (tree / "deploy").mkdir(0o700)
    (tree / "tokens").touch(0o600)
    os.mkfifo(tree / "pipe")
    hook().module.set_modes(tree)
    for kept, mode in (("deploy", 0o700), ("tokens", 0o600)):
        assert stat.S_IMODE((tree / kept).stat().st_mode) == mode
    assert stat.S_IMODE((tree / "plain.txt").stat().st_mode) == 0o644


@pytest.mark.skipif(os.name == "nt", reason="POSIX process groups")
def test_interruption_does_not_wait_for_the_guess(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installation from the cache could take minutes."""
    monkeypatch.chdir(tmp_path)
    module = load_module(TEMPLATE / "hooks" / "post_gen_project.py")
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\nsleep 600\n")  # longer than a test may take
    uv.chmod(0o755)

    def interrupted() -> None:
        with module._ahead(str(uv), sys.executable, "x", dict(os.environ)):
            while not module.RUNNING:
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert module.RUNNING == []


def test_user_who_stops_reading_breaks_nothing(tmp_path: Path) -> None:
    """``cookiecutter … | head -1`` must not cost the project."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import post_gen_project as hook\n"
        "for _ in range(9): hook.say('x' * 100_000)\n"
        "print('still here', file=sys.stderr)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(TEMPLATE / "hooks")],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b"still here\n"
    assert process.returncode == 0


class TestCall:
    """The one place that starts programs."""

    @pytest.fixture
    def module(self) -> ModuleType:
        return load_module(TEMPLATE / "hooks" / "post_gen_project.py")

    def call(self, module: ModuleType, program: str) -> str:
        printed: str = module.call(
            [sys.executable, "-c", program], dict(os.environ)
        )
        return printed

    def test_returns_what_is_printed(self, module: ModuleType) -> None:
        assert self.call(module, "print('x')").strip() == "x"

    def test_missing_program_is_one_line(self, module: ModuleType) -> None:
        with pytest.raises(module.StepError, match="No such file"):
            module.call(["/nonexistent/program"], {})

    def test_output_is_bounded(self, module: ModuleType) -> None:
        text = self.call(module, "print('x' * 3_000_000)")
        assert len(text) == module.OUTPUT

    def test_index_that_does_not_answer_is_named(
        self, module: ModuleType
    ) -> None:
        program = (
            "import sys; print('WARNING: Retrying after connection broken by x"
            "\\nERROR: No matching distribution'); sys.exit(1)"
        )
        with pytest.raises(module.StepError, match="index does not answer: E"):
            self.call(module, program)

    def test_failure_is_told_by_its_error_and_cause(
        self, module: ModuleType
    ) -> None:
        program = (
            "import sys; print('noise\\nerror: it\\x1b[0m broke\\n at\\n"
            "  cause: why'); sys.exit(2)"
        )
        with pytest.raises(module.StepError) as failure:
            self.call(module, program)
        assert str(failure.value).endswith(": error: it[0m broke: cause: why")

    @pytest.mark.skipif(os.name == "nt", reason="POSIX process groups")
    def test_program_that_hangs_is_ended_with_its_children(
        self, module: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "LIMIT", 1)
        reading, writing = os.pipe()
        os.set_inheritable(writing, True)
        popen = subprocess.Popen

        def inheriting(*args: Any, **kwargs: Any) -> Any:
            return popen(*args, **kwargs, pass_fds=(writing,))

        monkeypatch.setattr(module.subprocess, "Popen", inheriting)
        program = "import os, time\nos.fork()\ntime.sleep(60)\n"
        with pytest.raises(module.StepError, match="did not finish within"):
            self.call(module, program)
        os.close(writing)
        # Only when the grandchild is gone too does the pipe end.
        assert self.ends(reading)

    def ends(self, reading: int) -> bool:
        ended = threading.Event()

        def read() -> None:
            os.read(reading, 1)
            ended.set()

        threading.Thread(target=read, daemon=True).start()
        return ended.wait(10)


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_step_says_its_name_and_seconds(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load_module(TEMPLATE / "hooks" / "post_gen_project.py")
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    clock: Iterator[float] = iter([1.0, 3.25])
    monkeypatch.setattr(time, "monotonic", clock.__next__)
    with module.step("Working"):
        pass
    stream.seek(0)
    assert stream.read() == "Working ... 2.2 s\n"
