"""What happens where the kernel lacks a part of the sandbox."""

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen

import pytest

from {{ cookiecutter.__package_name }}.commands import CommandRunner
from {{ cookiecutter.__package_name }}.commands.sandbox import confinement
from {{ cookiecutter.__package_name }}.errors import SettingsError
from {{ cookiecutter.__package_name }}.workspace import Workspace

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the parts are Linux's"
)

MakeRunner = Callable[..., CommandRunner]
OnKernel = Callable[[str], None]

NO_LANDLOCK = "landlock.abi = lambda: 0"
OLD_LANDLOCK = "landlock.abi = lambda: 2"
UNSCOPED = "landlock.abi = lambda: 5"
OTHER_MACHINE = "seccomp.machine = lambda: None"
NO_LISTENER = """
install = seccomp.install
def refuse(program, *, notify):
    if notify: raise OSError(16, "another listener")
    return install(program, notify=False)
seccomp.install = refuse
"""


@pytest.fixture
def on_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Starts helpers that find another kernel than there is."""

    def pretend(change: str) -> None:
        script = tmp_path / "python"
        script.write_text(
            f"#!{sys.executable} -I\n"
            "import sys\n"
            "sys.path.insert(0, sys.argv[-1])\n"
            "from sandbox import landlock, seccomp, zygote\n"
            f"{change}\n"
            "zygote.main()\n"
        )
        script.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(script))

    return pretend


@pytest.fixture
def victim() -> Iterator[int]:
    """A process of the server's user that has nothing to do with commands."""
    process = Popen(
        [sys.executable, "-c", "import signal; signal.pause()"],
        start_new_session=True,
    )
    yield process.pid
    process.kill()
    process.wait()


def python(code: str) -> list[str]:
    return ["python3", "-I", "-S", "-c", code]


CASES = pytest.mark.parametrize(
    ("kernel", "parts"),
    [
        (NO_LANDLOCK, (confinement.LANDLOCK,)),
        (OLD_LANDLOCK, (confinement.LANDLOCK,)),
        (OTHER_MACHINE, (confinement.SECCOMP, confinement.NOTIFY)),
        (NO_LISTENER, (confinement.NOTIFY,)),
    ],
    ids=["no Landlock", "old Landlock", "other machine", "no listener"],
)


@CASES
def test_the_start_is_refused_with_the_name_of_the_part(
    make_runner: MakeRunner,
    on_kernel: OnKernel,
    workspace: Path,
    kernel: str,
    parts: tuple[str, ...],
) -> None:
    make_runner().close()  # skips where this kernel lacks one
    on_kernel(kernel)
    with (
        Workspace.open(workspace, max_file_size=1) as place,
        pytest.raises(SettingsError) as caught,
    ):
        CommandRunner.create(
            allowed=["sh"],
            workspace=place,
            timeout=1,
            max_output=1,
            sandbox="require",
            network="deny",
        )
    lines = caught.value.problems
    assert len(lines) == len(parts)
    for line, part in zip(lines, parts, strict=True):
        assert f"this system lacks {part};" in line
        assert "MCP_COMMAND_SANDBOX=best-effort" in line


@CASES
async def test_best_effort_goes_on_and_says_what_is_missing(
    make_runner: MakeRunner,
    on_kernel: OnKernel,
    kernel: str,
    parts: tuple[str, ...],
) -> None:
    make_runner().close()
    on_kernel(kernel)
    runner = make_runner(sandbox="best-effort")
    assert runner.missing == parts
    result = await runner.run(["sh", "-c", "echo $(echo on)"])
    assert result.stdout == "on\n"


async def test_without_a_listener_no_mode_is_changed(
    make_runner: MakeRunner, on_kernel: OnKernel
) -> None:
    on_kernel(NO_LISTENER)
    runner = make_runner(sandbox="best-effort")
    result = await runner.run(
        python("import os; open('a', 'w').close(); os.chmod('a', 0)")
    )
    assert "PermissionError" in result.stderr


@pytest.mark.parametrize(
    "attack",
    [
        "os.kill({victim}, signal.SIGKILL)",
        "os.kill({victim}, 0)",
        "os.kill(os.getppid(), signal.SIGKILL)",
        "os.kill(-1, signal.SIGCONT)",
        "os.killpg({victim}, signal.SIGTERM)",
        "signal.pidfd_send_signal(os.pidfd_open({victim}), signal.SIGKILL)",
        "ctypes.CDLL(None).tgkill({victim}, {victim}, 9) and fail()",
        "ctypes.CDLL(None).syscall(200, {victim}, 9) and fail()",
    ],
)
async def test_signals_stay_inside_before_landlock_keeps_them(
    make_runner: MakeRunner, on_kernel: OnKernel, victim: int, attack: str
) -> None:
    make_runner().close()
    on_kernel(UNSCOPED)
    runner = make_runner()
    attack = attack.format(victim=victim)
    code = (
        "import ctypes, os, signal\n"
        "def fail(): raise PermissionError(1, 'refused')\n"
        f"try: {attack}\n"
        "except OSError as error: print('refused', error.errno)\n"
        "else: print('done')"
    )
    result = await runner.run(python(code))
    assert result.stdout.startswith("refused"), result


async def test_a_command_signals_its_own_before_landlock_keeps_them(
    make_runner: MakeRunner, on_kernel: OnKernel
) -> None:
    make_runner().close()
    on_kernel(UNSCOPED)
    code = (
        "import os, signal\n"
        "pid = os.fork()\n"
        "if not pid: signal.pause()\n"
        "os.kill(pid, signal.SIGTERM)\n"
        "print(os.waitpid(pid, 0)[1], flush=True)\n"
        "signal.signal(signal.SIGINT, lambda *_: print('heard'))\n"
        "signal.raise_signal(signal.SIGINT)"
    )
    result = await make_runner().run(python(code))
    assert result.stdout == f"{signal.SIGTERM}\nheard\n"
