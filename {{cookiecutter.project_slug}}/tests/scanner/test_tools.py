import os

import pytest

from scanner import tools
from scanner.model import State
from scanner.tools import ToolError, find_tool, require, run_tool
from tests.scanner.faulty_tools import FAILURES

pytestmark = pytest.mark.skipif(os.name != "posix", reason="shell scripts")


def use(root, **rest):
    """Ask for the tool and run it, as a check does."""
    tool = require("probe", root, at_least=(1, 2), below=(2,), timeout=5)
    run = run_tool([tool.path, "scan"], timeout=1, **rest)
    return run.expect(0).json()


def test_a_tool_that_works_gives_its_report(bench, tmp_path):
    bench.install("probe", "echo '{\"found\": 3}'", "1.4.2")
    assert use(tmp_path) == {"found": 3}


@pytest.mark.parametrize("failure", [f for f in FAILURES if f != "wrong json"])
def test_a_tool_that_fails_in_any_way_is_an_error(bench, tmp_path, failure):
    bench.fail("probe", failure, "1.4.2")
    with pytest.raises(ToolError) as caught:
        use(tmp_path)
    absent = failure == "absent"
    assert caught.value.state is (State.NOT_RUN if absent else State.ERROR)
    assert caught.value.reason.startswith("probe ")
    assert "\n" not in caught.value.reason


def test_the_last_words_of_a_crash_are_told(bench, tmp_path):
    bench.fail("probe", "crash", "1.4.2")
    with pytest.raises(ToolError, match=r"exit 70: Traceback: out of cheese"):
        use(tmp_path)


def test_advice_after_an_error_does_not_take_its_place(bench, tmp_path):
    told = "error: no answer\\n  Caused by: dns\\nhint: try again"
    bench.install("probe", f"printf '{told}' >&2; exit 2", "1.4.2")
    with pytest.raises(ToolError, match=r"exit 2: error: no answer\)"):
        use(tmp_path)


def test_who_asks_an_index_is_never_told(bench, tmp_path):
    """Neither where the message is cut, nor where a reason names a URL."""
    told = (
        f"{'x' * 170} https://us:p@ss@pkgs.example/simple/ http://t@b.example"
    )
    bench.install("probe", f"echo '{told}' >&2; exit 2", "1.4.2")
    with pytest.raises(ToolError, match=r"https://\*{4}@pkgs") as caught:
        use(tmp_path)
    reason = ToolError("https://us:p@pkgs.example: no service").reason
    for secret in ("us:", "p@", "t@"):
        assert secret not in f"{caught.value} {caught.value.reason} {reason}"


@pytest.mark.parametrize("version", ["0.9", "1.1.9", "2.0", "10.0"])
def test_a_version_that_is_not_known_is_refused(bench, tmp_path, version):
    bench.install("probe", "echo 1", version)
    with pytest.raises(ToolError, match=r"wrong version \(>=1.2,<2\)"):
        use(tmp_path)


def test_what_a_hanging_tool_has_started_ends_with_it(bench, tmp_path):
    """Whoever reads a pipe is told when the last that holds it has ended."""
    pipe = tmp_path / "held"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    path = bench.install("probe", f"sleep 600 > {pipe} & sleep 600")
    with pytest.raises(ToolError, match=r"did not end within 1 s"):
        run_tool([path], timeout=1)
    os.set_blocking(held, True)
    assert os.read(held, 1) == b""
    os.close(held)


def test_a_tool_that_prints_without_end_is_stopped(bench):
    path = bench.install("probe", "exec yes")
    with pytest.raises(ToolError, match="printed more than"):
        run_tool([path], timeout=20, max_output=2**20)


def test_a_program_that_is_no_program_does_not_start(bench):
    path = bench.install("probe", "")
    path.write_bytes(b"\x00\x01")
    with pytest.raises(ToolError, match="does not start"):
        run_tool([path])


def test_a_program_that_was_moved_away_from_its_python_says_what_to_do(bench):
    path = bench.install("probe", "")
    path.write_text("#!/nowhere/python\n")
    with pytest.raises(ToolError, match="uv sync --reinstall"):
        run_tool([path])


def test_deep_json_is_no_report(bench):
    path = bench.install("probe", "head -c 300000 /dev/zero | tr '\\0' '['")
    with pytest.raises(ToolError, match="no JSON"):
        run_tool([path]).json()


def test_tools_are_found_beside_python_then_in_venv_then_on_path(
    bench, tmp_path, monkeypatch
):
    elsewhere, venv = tmp_path / "path", tmp_path / ".venv" / "bin"
    for folder in (elsewhere, venv):
        folder.mkdir(parents=True)
    monkeypatch.setenv("PATH", str(elsewhere))
    places = [elsewhere, venv, bench.folder]
    for folder in places:
        program = folder / "probe"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        assert find_tool("probe", tmp_path) == program
    assert find_tool("nothing", tmp_path) is None


def test_variables_that_change_a_tools_code_are_not_passed_on(
    bench, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", "/evil")
    monkeypatch.setenv("GIT_DIR", "/evil")
    monkeypatch.setenv("KEPT", "yes")
    path = bench.install("probe", "env")
    seen = run_tool([path], env={"ADDED": "1"}).stdout.decode()
    assert "evil" not in seen
    assert {"KEPT=yes", "ADDED=1", "NO_COLOR=1"} <= set(seen.split("\n"))


def test_standard_input_is_given_and_not_the_terminals(bench):
    path = bench.install("probe", "cat")
    assert run_tool([path], stdin=b"hello").stdout == b"hello"
    assert run_tool([path]).stdout == b""


def test_the_limit_on_output_fits_the_scans_memory():
    assert tools.MAX_OUTPUT <= 32 * 2**20
