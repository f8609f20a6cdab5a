"""Running a command: ``commands/__init__.py`` and ``commands/launcher.py``."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from {{ cookiecutter.__package_name }}.commands import (
    ARGUMENT_BYTES,
    CommandRunner,
)
from {{ cookiecutter.__package_name }}.errors import (
    CommandDenied,
    DeadlineExceeded,
    PathDenied,
    SettingsError,
)
from {{ cookiecutter.__package_name }}.workspace import Workspace

MakeRunner = Callable[..., CommandRunner]


def python(code: str, *arguments: str) -> list[str]:
    return ["python3", "-I", "-S", "-c", code, *arguments]


def running(marker: str) -> bool:
    """Return whether any process has the marker in its arguments."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if marker.encode() in path.read_bytes().split(b"\0"):
                return True
    return False


def open_descriptors(process: int | str) -> int:
    return sum(1 for _ in Path(f"/proc/{process}/fd").iterdir())


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} seconds"
        await asyncio.sleep(0.01)


async def test_output_error_and_exit_status_are_kept_apart(
    make_runner: MakeRunner,
) -> None:
    result = await make_runner().run(
        ["sh", "-c", "echo a; echo b >&2; exit 3"]
    )
    assert (result.stdout, result.stderr, result.exit_code) == (
        "a\n",
        "b\n",
        3,
    )
    assert not result.stdout_truncated
    assert not result.stderr_truncated
    assert 0 < result.duration < 10


async def test_a_signal_shows_as_a_negative_exit_status(
    make_runner: MakeRunner,
) -> None:
    result = await make_runner().run(["sh", "-c", "kill -TERM $$"])
    assert result.exit_code == -signal.SIGTERM


async def test_no_shell_reads_the_arguments(make_runner: MakeRunner) -> None:
    code = "import sys; print(sys.argv[1:])"
    arguments = ["$(id)", "; id", "`id`", "*", "a b", "", "-c", "ü\n"]
    result = await make_runner().run(python(code, *arguments))
    assert result.stdout == f"{arguments}\n"


async def test_the_environment_holds_four_names(
    make_runner: MakeRunner,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MCP_PLANTED", "value")
    code = "import os; print(sorted(os.environ), os.environ['HOME'])"
    result = await make_runner().run(python(code))
    names = ["HOME", "LANG", "PATH", "TMPDIR"]
    # Python itself adds LC_CTYPE where the locale is C.
    assert result.stdout == f"{names} {workspace}\n"


async def test_the_helper_has_nothing_of_the_environment(
    make_runner: MakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCP_PLANTED", "value")
    helper = make_runner()._launcher._pid
    environment = Path(f"/proc/{helper}/environ").read_text()
    assert "PLANTED" not in environment


async def test_a_command_reads_nothing(make_runner: MakeRunner) -> None:
    result = await make_runner().run(["sh", "-c", "wc -c"])
    assert result.stdout.strip() == "0"


async def test_no_other_descriptor_is_inherited(
    make_runner: MakeRunner, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    descriptor = os.open(secret, os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    code = (
        "import os\n"
        "def there(n):\n"
        "    try: return os.fstat(n) and True\n"
        "    except OSError: return False\n"
        "print([n for n in range(4096) if there(n)])"
    )
    try:
        result = await make_runner().run(python(code))
    finally:
        os.close(descriptor)
    assert result.stdout == "[0, 1, 2]\n"


async def test_it_runs_in_the_directory_that_is_asked_for(
    make_runner: MakeRunner, workspace: Path
) -> None:
    (workspace / "a" / "b").mkdir(parents=True)
    result = await make_runner().run(["sh", "-c", "pwd; echo x > y"], "a/b")
    assert result.stdout == f"{workspace}/a/b\n"
    assert (workspace / "a" / "b" / "y").read_text() == "x\n"


@pytest.mark.parametrize("directory", ["..", "/etc", "a/../.."])
async def test_a_directory_outside_is_refused(
    make_runner: MakeRunner, workspace: Path, directory: str
) -> None:
    (workspace / "a").mkdir()
    with pytest.raises(PathDenied):
        await make_runner().run(["sh", "-c", "pwd"], directory)


async def test_the_directory_is_held_while_its_name_is_changed(
    make_runner: MakeRunner, workspace: Path, tmp_path: Path
) -> None:
    (workspace / "a").mkdir()
    code = (
        "import os\n"
        "os.rename('../a', '../b')\n"
        "os.symlink('/etc', '../a')\n"
        "open('here', 'w').close()"
    )
    result = await make_runner().run(python(code), "a")
    assert result.exit_code == 0, result.stderr
    assert (workspace / "b" / "here").exists()


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        ([], "arguments"),
        (["sh"] * 257, "arguments"),
        (["sh", "a" * ARGUMENT_BYTES], "too_large"),
        (["sh", "-c", "a\0b"], "nul"),
        (["sh", "\ud800"], "encoding"),
        (["ls"], "not_allowed"),
        (["/bin/sh"], "not_allowed"),
        (["SH"], "not_allowed"),
        (["./sh"], "not_allowed"),
        ([""], "not_allowed"),
    ],
    ids=[
        "none", "too many", "too large", "NUL", "surrogate",
        "other program", "path", "case", "relative", "empty",
    ],
)  # fmt: skip
async def test_a_command_that_may_not_run_is_refused(
    make_runner: MakeRunner, argv: list[str], reason: str
) -> None:
    with pytest.raises(CommandDenied) as caught:
        await make_runner(allowed=["sh"]).run(argv)
    assert caught.value.reason == reason


async def test_the_refusal_names_the_programs_that_may_run(
    make_runner: MakeRunner,
) -> None:
    runner = make_runner(allowed=["sh", "/usr/bin/env"])
    with pytest.raises(CommandDenied, match=r"these may: env, sh\."):
        await runner.run(["ls"])


async def test_many_large_arguments_arrive(make_runner: MakeRunner) -> None:
    arguments = ["x" * 500] * 250
    code = "import sys; print(len(''.join(sys.argv[1:])))"
    result = await make_runner().run(python(code, *arguments))
    assert result.stdout == "125000\n"


async def test_a_program_that_cannot_start_is_said_so(
    make_runner: MakeRunner, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a program that may run")
    program = tmp_path / "broken"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    for place in (program, *program.parents):
        if place.stat().st_mode & 0o022 and not place.stat().st_mode & 0o1000:
            pytest.skip(f"others can change {place}")
    runner = make_runner(allowed=[str(program)])
    with pytest.raises(CommandDenied, match="could not be started: No such"):
        await runner.run(["broken"])


async def test_output_is_cut_on_a_character_and_said_to_be(
    make_runner: MakeRunner,
) -> None:
    runner = make_runner(max_output=1000)
    code = "import sys; sys.stdout.buffer.write('ü€😀'.encode() * 1000)"
    result = await runner.run(python(code))
    assert result.stdout_truncated
    assert not result.stderr_truncated
    assert "\N{REPLACEMENT CHARACTER}" not in result.stdout
    assert 900 < len(result.stdout.encode()) <= 1000


async def test_bytes_that_are_no_text_are_replaced(
    make_runner: MakeRunner,
) -> None:
    code = r"import sys; sys.stdout.buffer.write(b'a\xffb\xe2\x82')"
    result = await make_runner().run(python(code))
    assert result.stdout == "a\N{REPLACEMENT CHARACTER}b" + "\ufffd"


async def test_a_command_that_writes_much_still_ends_by_itself(
    make_runner: MakeRunner,
) -> None:
    code = (
        "import sys\n"
        "for _ in range(64): sys.stdout.write('o' * 2**18)\n"
        "for _ in range(64): sys.stderr.write('e' * 2**18)\n"
        "sys.exit(7)"
    )
    result = await make_runner(max_output=4096).run(python(code))
    assert result.exit_code == 7
    assert set(result.stdout) == {"o"}
    assert set(result.stderr) == {"e"}
    assert 1900 < len(result.stdout) < 2048
    assert 1900 < len(result.stderr) < 2048
    assert result.stdout_truncated
    assert result.stderr_truncated


async def test_a_time_limit_ends_the_command(make_runner: MakeRunner) -> None:
    """It would go on for longer than a test may."""
    with pytest.raises(DeadlineExceeded, match=r"within 0\.5 seconds"):
        await make_runner(timeout=0.5).run(["sh", "-c", "sleep 600"])


async def test_a_cancelled_command_is_ended(
    make_runner: MakeRunner, workspace: Path
) -> None:
    runner = make_runner(timeout=50)
    code = (
        "import os, time\n"
        "print(os.getpid(), file=open('pid.new', 'w'))\n"
        "os.rename('pid.new', 'pid')\n"
        "time.sleep(60)"
    )
    task = asyncio.create_task(runner.run(python(code, "cancelled-marker")))
    await until((workspace / "pid").exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not running("cancelled-marker"))


async def test_the_event_loop_goes_on_while_commands_run(
    make_runner: MakeRunner, workspace: Path
) -> None:
    """The commands end when the loop says so, which it has to get to."""
    runner = make_runner()
    flood = python(
        "import os\nwhile not os.path.exists('go'): print('x' * 50_000)"
    )
    slow = ["sh", "-c", "until [ -e go ]; do sleep 0.05; done"]

    async def go() -> None:
        for _ in range(100):
            await asyncio.sleep(0.005)
        (workspace / "go").touch()

    runs = (runner.run(argv) for argv in [flood, slow] * 5)
    *results, _ = await asyncio.gather(*runs, go())
    assert [result.exit_code for result in results] == [0] * 10


async def test_a_helper_that_died_is_started_anew(
    make_runner: MakeRunner,
) -> None:
    runner = make_runner()
    first = runner._launcher._pid
    os.kill(first, signal.SIGKILL)
    for _ in range(5):  # what it had made ready may still be used
        result = await runner.run(["sh", "-c", "echo again"])
        assert result.stdout == "again\n"
    assert runner._launcher._pid != first


async def test_a_command_outlives_the_helper(
    make_runner: MakeRunner, workspace: Path
) -> None:
    runner = make_runner()
    code = (
        "import os, time\n"
        "open('started', 'w').close()\n"
        "while not os.path.exists('go'): time.sleep(0.01)\n"
        "print('finished')"
    )
    task = asyncio.create_task(runner.run(python(code)))
    await until((workspace / "started").exists)
    os.kill(runner._launcher._pid, signal.SIGKILL)
    (workspace / "go").touch()
    assert (await task).stdout == "finished\n"


async def test_a_hundred_runs_leave_no_descriptor(
    make_runner: MakeRunner,
) -> None:
    runner = make_runner()
    await runner.run(["sh", "-c", ":"])
    before = open_descriptors("self")
    for _ in range(4):
        await asyncio.gather(
            *(runner.run(["sh", "-c", ":"]) for _ in range(25))
        )
    assert open_descriptors("self") <= before
    assert open_descriptors(runner._launcher._pid) < 12


async def test_closing_ends_the_helper(make_runner: MakeRunner) -> None:
    runner = make_runner()
    pid = runner._launcher._pid
    runner.close()
    assert not Path(f"/proc/{pid}").exists()


def test_a_whole_sandbox_misses_nothing(make_runner: MakeRunner) -> None:
    assert make_runner().missing == ()


def test_windows_is_refused_in_one_line(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Workspace.open(workspace, max_file_size=1) as place:
        monkeypatch.setattr(sys, "platform", "win32")
        with pytest.raises(SettingsError, match="Windows") as caught:
            CommandRunner.create(
                allowed=["sh"],
                workspace=place,
                timeout=1,
                max_output=1,
                sandbox="best-effort",
                network="deny",
            )
    assert len(caught.value.problems) == 1
