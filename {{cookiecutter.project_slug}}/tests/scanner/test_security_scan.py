import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCAN = ROOT / "security_scan.py"
posix = pytest.mark.skipif(os.name != "posix", reason="shell scripts")


@pytest.fixture
def copy(make_project):
    """A small project with the scanner in it, as links."""
    root = make_project().root
    (root / "security_scan.py").write_bytes(SCAN.read_bytes())
    (root / "scanner").symlink_to(ROOT / "scanner")
    return root


def scan(root, *argv, **environ):
    command = [sys.executable, str(root / "security_scan.py"), *argv]
    env = {**os.environ, **environ}
    return subprocess.run(
        command, capture_output=True, text=True, env=env, check=False
    )


def test_the_scan_starts_from_anywhere(copy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = scan(copy, "--only", "configuration")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Security scan of small-server\n")


def test_modules_beside_it_that_shadow_the_librarys_are_not_run(copy):
    for name in ("json", "secrets", "pathlib", "argparse", "queue"):
        (copy / f"{name}.py").write_text("raise SystemExit('shadowed')\n")
    done = scan(copy, "--only", "configuration")
    assert done.returncode == 0, done.stderr


def test_folders_beside_it_that_shadow_libraries_are_not_imported(copy):
    for name in ("yaml", "packaging", "cvss"):
        (copy / name).mkdir()
        (copy / name / "__init__.py").write_text("raise SystemExit('bad')\n")
    done = scan(copy, "--only", "container,dependencies,configuration")
    assert "bad" not in done.stdout + done.stderr
    assert "it needs" not in done.stdout


@posix
def test_it_goes_on_in_the_projects_own_environment(copy):
    python = copy / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "inside: $*"\nexit 7\n')
    python.chmod(0o755)
    done = scan(copy, "--only", "code")
    assert done.returncode == 7
    assert done.stdout.startswith("inside: ")
    assert done.stdout.endswith("security_scan.py --only code\n")


@posix
def test_a_broken_environment_does_not_go_round_for_ever(copy):
    python = copy / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)  # no pyvenv.cfg: it is not inside
    done = scan(copy, "--only", "permissions")  # which needs no library
    assert done.stdout.count("Security scan of small-server") == 1
    assert done.stderr == ""


@posix
def test_an_environment_that_does_not_start_is_passed_over(copy):
    python = copy / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_bytes(b"\0")
    python.chmod(0o755)
    assert scan(copy, "--only", "configuration").returncode == 0


def test_an_old_python_is_told_so_in_one_line(copy):
    old = "import sys; sys.version_info = (3, 10, 1)\n"
    (copy / "old.py").write_text(
        f"{old}sys.argv[0] = 'x'\nimport security_scan\n"
        "sys.exit(security_scan.main())\n"
    )
    done = subprocess.run(
        [sys.executable, str(copy / "old.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "error: the scanner needs Python 3.11 or newer, this is 3.10;"
        " run: uv sync\n"
    )


@posix
def test_a_reader_that_goes_away_is_no_traceback(copy):
    scanning = f"{sys.executable} {copy}/security_scan.py --only configuration"
    command = f"({scanning}; echo $? >&2) | true"
    done = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, check=False
    )
    assert done.stderr == b"0\n"


@posix
def test_hostile_files_do_no_harm(copy):
    package = copy / "small_server"
    (package / "\x1b[31mred\n.py").write_text("x = eval('1')\n")
    (package / "bad\udcff.py").write_text("x = 1\n")
    (package / "line.py").write_bytes(b"x = '" + b"a" * (100 * 2**20) + b"'")
    (copy / "bomb.yaml").write_text(
        "a: &a [x, x]\n"
        + "".join(
            f"b{n}: &b{n} [*{'a' if not n else f'b{n - 1}'}, "
            f"*{'a' if not n else f'b{n - 1}'}]\n"
            for n in range(40)
        )
    )
    (copy / "root").symlink_to("/")
    os.mkfifo(package / "pipe.py")
    argv = ["--only", "code,permissions,configuration", "--format"]
    for name in ("console", "html"):
        done = scan(copy, *argv, name)
        assert done.returncode == 1, done.stderr
        assert "\x1b" not in done.stdout
        assert "Traceback" not in done.stderr


@posix
def test_the_scan_needs_little_memory(copy):
    (copy / "big.py").write_bytes(b"x = '" + b"a" * (100 * 2**20) + b"'")
    code = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:])\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        "print(used // (1024 if sys.platform == 'linux' else 2**20))\n"
    )
    scanning = [sys.executable, str(copy / "security_scan.py"), "--only"]
    scanning += ["code,permissions,configuration"]
    done = subprocess.run(
        [sys.executable, "-c", code, *scanning],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout.split()[-1]) < 300


def test_this_projects_own_json_is_valid(copy):
    done = scan(copy, "--only", "configuration", "--format", "json")
    assert json.loads(done.stdout)["overall_status"] == "INCOMPLETE"
