"""From inside an allowed command: outliving it, and using up the machine."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from {{ cookiecutter.__package_name }}.commands import CommandRunner
from {{ cookiecutter.__package_name }}.commands.launcher import Launcher
from {{ cookiecutter.__package_name }}.errors import (
    CommandDenied,
    DeadlineExceeded,
    ServerBusy,
)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="process trees are followed on Linux"
)

MakeRunner = Callable[..., CommandRunner]
TASKS = 512


def python(code: str, *arguments: object) -> list[str]:
    return ["python3", "-I", "-S", "-c", code, *map(str, arguments)]


def processes(marker: str) -> list[int]:
    """Return the processes that have the marker in their arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if marker.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} seconds"
        await asyncio.sleep(0.01)


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the limits of runners smaller, so that a test is quick."""
    original = Launcher.__init__

    def change(**smaller: int) -> None:
        def start(
            self: Launcher,
            workspace: int,
            settings: Mapping[str, Any],
            seconds: float,
        ) -> None:
            bounds = {**settings["limits"], **smaller}
            original(self, workspace, {**settings, "limits": bounds}, seconds)

        monkeypatch.setattr(Launcher, "__init__", start)

    return change


@pytest.fixture
def start_server() -> Iterator[Callable[[str], Popen[bytes]]]:
    """Starts Python programs that are ended with the test."""
    started: list[Popen[bytes]] = []

    def start(code: str) -> Popen[bytes]:
        started.append(Popen([sys.executable, "-c", code]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


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


#: Ways in which a process tries not to be found.
ESCAPES = {
    "child": "pid = os.fork()",
    "new session": "pid = os.fork()\nif not pid: os.setsid()",
    "double fork": (
        "pid = os.fork()\n"
        "if not pid:\n"
        "    os.setsid()\n"
        "    if os.fork(): os._exit(0)"
    ),
    "deaf": (
        "pid = os.fork()\n"
        "if not pid:\n"
        "    os.setsid()\n"
        "    for n in range(1, 65):\n"
        "        try: signal.signal(n, signal.SIG_IGN)\n"
        "        except (OSError, ValueError): pass"
    ),
    "own reaper": (
        "import ctypes\n"
        "pid = os.fork()\n"
        "if not pid:\n"
        "    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)\n"
        "    os.setsid()\n"
        "    if os.fork(): signal.pause()\n"
        "    os.setsid()\n"
        "    if os.fork(): os._exit(0)"
    ),
    "chain": (
        "pid = 0\n"
        "for _ in range(30):\n"
        "    if os.fork(): signal.pause()\n"
        "    os.setsid()"
    ),
    "no death signal": (
        "import ctypes\n"
        "ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)\n"
        "os.setpgid(0, 0) if os.getpgrp() != os.getpid() else None\n"
        "pid = os.fork()"
    ),
}
STAY = "\nif not pid:\n    while True: signal.pause()\n"


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES)
async def test_nothing_survives_the_time_limit(
    make_runner: MakeRunner, escape: str
) -> None:
    marker = f"survivor-{time.monotonic_ns()}"
    code = f"import os, signal\n{escape}{STAY}while True: signal.pause()"
    task = asyncio.create_task(
        make_runner(timeout=1).run(python(code, marker))
    )
    await until(lambda: processes(marker))
    with pytest.raises(DeadlineExceeded):
        await task
    assert processes(marker) == []


@pytest.mark.parametrize("escape", list(ESCAPES.values())[:4])
async def test_nothing_survives_the_end_of_the_command(
    make_runner: MakeRunner, escape: str
) -> None:
    marker = f"survivor-{time.monotonic_ns()}"
    code = f"import os, signal\n{escape}{STAY}print('over')"
    result = await make_runner().run(python(code, marker))
    assert result.stdout == "over\n"
    assert processes(marker) == []


@pytest.mark.parametrize("who", ["keeper", "helper"])
async def test_nothing_survives_who_should_end_it(
    make_runner: MakeRunner, who: str
) -> None:
    marker = f"survivor-{time.monotonic_ns()}"
    code = (
        f"import os, signal\n{ESCAPES['double fork']}{STAY}"
        "while True: signal.pause()"
    )
    runner = make_runner(timeout=2)
    task = asyncio.create_task(runner.run(python(code, marker)))
    await until(lambda: len(processes(marker)) >= 2)
    keeper = _parent(min(processes(marker)))
    killed = keeper if who == "keeper" else runner._launcher._pid
    os.kill(killed, signal.SIGKILL)
    with pytest.raises(ServerBusy if who == "keeper" else DeadlineExceeded):
        await task
    await until(lambda: not processes(marker))


async def test_nothing_survives_a_server_that_is_killed(
    start_server: Callable[[str], Popen[bytes]], tmp_path: Path
) -> None:
    marker = f"survivor-{time.monotonic_ns()}"
    code = f"import os, signal\n{ESCAPES['double fork']}{STAY}signal.pause()"
    server = f"""
import asyncio, sys
from pathlib import Path
from subprocess import Popen
from {{ cookiecutter.__package_name }}.commands import CommandRunner
from {{ cookiecutter.__package_name }}.workspace import Workspace
runner = CommandRunner.create(
    allowed=["python3"],
    workspace=Workspace.open(Path({str(tmp_path)!r}), max_file_size=1000),
    timeout=60, max_output=1000, sandbox="best-effort", network="deny",
)
asyncio.run(runner.run(["python3", "-I", "-S", "-c", {code!r}, {marker!r}]))
"""
    process = start_server(server)
    await until(lambda: len(processes(marker)) >= 2, 40)
    process.kill()
    await until(lambda: not processes(marker), 20)


FORK_BOMB = """
import os, signal
while True:
    try:
        pid = os.fork()
    except OSError:
        continue
"""
THREAD_BOMB = """
import _thread, signal
def run():
    while True: signal.pause()
for _ in range(5000):
    _thread.start_new_thread(run, ())
signal.pause()
"""


async def test_a_fork_bomb_stays_small_and_is_ended(
    make_runner: MakeRunner,
) -> None:
    marker = f"bomb-{time.monotonic_ns()}"
    runner = make_runner()
    task = asyncio.create_task(runner.run(python(FORK_BOMB, marker)))
    most = 0
    while not task.done():
        most = max(most, len(processes(marker)))
        await asyncio.sleep(0.01)
    with pytest.raises(CommandDenied, match="too many processes") as caught:
        await task
    assert caught.value.reason == "processes"
    assert most <= 4 * TASKS
    assert processes(marker) == []


async def test_a_bomb_does_not_stop_other_commands(
    make_runner: MakeRunner,
) -> None:
    runner = make_runner()
    bombs = asyncio.gather(
        *(runner.run(python(FORK_BOMB)) for _ in range(3)),
        return_exceptions=True,
    )
    result = await runner.run(["sh", "-c", "echo $(echo yes)"])
    assert result.stdout == "yes\n"
    ends = {getattr(end, "reason", end) for end in await bombs}
    assert ends == {"processes"}


async def test_threads_are_counted_too(make_runner: MakeRunner) -> None:
    with pytest.raises(CommandDenied, match="too many processes"):
        await make_runner().run(python(THREAD_BOMB))


async def test_a_thousand_forks_one_after_the_other_are_none_too_many(
    make_runner: MakeRunner,
) -> None:
    script = (
        "n=0; while [ $n -lt 250 ]; do n=$(($n + 1));"
        " x=$(echo a | cat); echo b | cat >/dev/null; done; echo $n"
    )
    result = await make_runner().run(["sh", "-c", script])
    assert (result.stdout, result.stderr) == ("250\n", "")


async def test_allocating_without_end_is_refused(
    make_runner: MakeRunner,
) -> None:
    code = (
        "kept = []\n"
        "try:\n"
        "    while len(kept) < 64: kept.append(bytes(2**30))\n"
        "except MemoryError:\n"
        "    print('refused after', len(kept))"
    )
    result = await make_runner().run(python(code))
    assert result.stdout.startswith("refused after"), result


async def test_memory_is_counted_over_all_processes(
    make_runner: MakeRunner, limits: Callable[..., None]
) -> None:
    limits(memory=96 * 2**20)
    code = (
        "import os, signal\n"
        "for _ in range(7):\n"
        "    if not os.fork(): break\n"
        "kept = b'x' * 2**24\n"
        "while True: signal.pause()"
    )
    with pytest.raises(CommandDenied, match="too much memory") as caught:
        await make_runner().run(python(code, "memory-marker"))
    assert caught.value.reason == "memory"
    assert processes("memory-marker") == []


async def test_memory_of_one_process_is_counted(
    make_runner: MakeRunner, limits: Callable[..., None]
) -> None:
    limits(memory=64 * 2**20)
    code = "import signal\nkept = b'x' * 2**27\nsignal.pause()"
    with pytest.raises(CommandDenied, match="too much memory"):
        await make_runner().run(python(code))


async def test_memory_that_is_shared_is_counted(
    make_runner: MakeRunner, limits: Callable[..., None]
) -> None:
    limits(memory=64 * 2**20)
    code = (
        "import mmap, signal\n"
        "kept = mmap.mmap(-1, 2**27)\n"
        "for _ in range(128): kept.write(bytes(2**20))\n"
        "signal.pause()"
    )
    with pytest.raises(CommandDenied, match="too much memory"):
        await make_runner().run(python(code))


async def test_files_that_are_mapped_are_not_counted(
    make_runner: MakeRunner, limits: Callable[..., None], workspace: Path
) -> None:
    limits(memory=64 * 2**20)
    (workspace / "large").write_bytes(bytes(2**27))
    code = (
        "import mmap, time\n"
        "file = open('large', 'rb')\n"
        "kept = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)\n"
        "print(kept.find(b'x'))\n"
        "time.sleep(0.3)"
    )
    result = await make_runner().run(python(code))
    assert result.stdout == "-1\n", result


async def test_a_file_has_a_largest_size(
    make_runner: MakeRunner, limits: Callable[..., None], workspace: Path
) -> None:
    limits(file_size=2**20)
    code = (
        "import signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with open('large', 'wb', buffering=0) as file:\n"
        "    try:\n"
        "        while True: file.write(bytes(65536))\n"
        "    except OSError as error: print('refused', error.errno)"
    )
    result = await make_runner().run(python(code))
    assert result.stdout == "refused 27\n"
    assert (workspace / "large").stat().st_size <= 2**20


async def test_filling_the_disk_with_many_files_is_ended(
    make_runner: MakeRunner, limits: Callable[..., None]
) -> None:
    limits(disk=64 * 2**20)
    code = (
        "import os, time\n"
        "for n in range(200):\n"
        "    with open(str(n), 'wb') as file: file.write(os.urandom(2**20))\n"
        "    time.sleep(0.02)\n"
        "time.sleep(600)"  # on a busy machine it is measured later
    )
    with pytest.raises(CommandDenied, match="too much of the disk"):
        await make_runner().run(python(code))


@pytest.mark.parametrize(
    ("limit", "most"),
    [
        ("RLIMIT_CPU", 8),
        ("RLIMIT_AS", 2**34),
        ("RLIMIT_FSIZE", 2**28),
        ("RLIMIT_NOFILE", 1024),
        ("RLIMIT_CORE", 0),
    ],
)
async def test_a_limit_is_there_and_cannot_be_lifted(
    make_runner: MakeRunner, limit: str, most: int
) -> None:
    code = (
        "import resource\n"
        f"name = resource.{limit}\n"
        "print(*resource.getrlimit(name))\n"
        "top = resource.RLIM_INFINITY\n"
        "try: resource.setrlimit(name, (top, top)); print('lifted')\n"
        "except (OSError, ValueError): print('refused')"
    )
    result = await make_runner(timeout=7).run(python(code))
    soft, hard, said = result.stdout.split()
    assert 0 <= int(soft) <= int(hard) <= most
    assert said == "refused"


async def test_processor_time_ends_a_process(make_runner: MakeRunner) -> None:
    with pytest.raises(DeadlineExceeded):
        await make_runner(timeout=1).run(python("while True: pass"))


@pytest.mark.parametrize(
    "attack",
    [
        "os.kill({victim}, signal.SIGKILL)",
        "os.kill({victim}, 0)",
        "os.kill({keeper}, signal.SIGKILL)",
        "os.kill({helper}, signal.SIGSTOP)",
        "os.killpg({victim}, signal.SIGTERM)",
        "signal.pidfd_send_signal(os.pidfd_open({victim}), signal.SIGKILL)",
        "resource.prlimit({victim}, resource.RLIMIT_NOFILE, (8, 8))",
        "os.setpriority(os.PRIO_PROCESS, {victim}, 19)",
        "os.setpriority(os.PRIO_USER, 0, 19)",
        "os.sched_setaffinity({victim}, [0])",
        "os.sched_setscheduler({victim}, 5, os.sched_param(0))",
        "fcntl.fcntl(0, fcntl.F_SETOWN, {victim})",
        "fcntl.ioctl(0, 0x5412, b'x')",
    ],
)
async def test_other_processes_are_left_alone(
    make_runner: MakeRunner, victim: int, attack: str
) -> None:
    runner = make_runner()
    attack = attack.format(
        victim=victim,
        helper=runner._launcher._pid,
        keeper="os.getppid()",
    )
    code = (
        "import fcntl, os, resource, signal\n"
        f"try: {attack}\n"
        "except OSError as error: print('refused', error.errno)\n"
        "else: print('done')"
    )
    result = await runner.run(python(code))
    assert result.stdout.startswith("refused"), result
    assert (await runner.run(["sh", "-c", "echo on"])).stdout == "on\n"


async def test_a_command_signals_its_own(make_runner: MakeRunner) -> None:
    code = (
        "import os, signal\n"
        "pid = os.fork()\n"
        "if not pid: signal.pause()\n"
        "os.kill(pid, signal.SIGTERM)\n"
        "print(os.waitpid(pid, 0)[1])"
    )
    result = await make_runner().run(python(code))
    assert result.stdout == f"{signal.SIGTERM}\n"


async def test_an_endless_flood_is_ended_and_kept_small(
    make_runner: MakeRunner,
) -> None:
    runner = make_runner(timeout=1, max_output=1000)
    before = _memory()
    with pytest.raises(DeadlineExceeded):
        await runner.run(
            ["sh", "-c", "while :; do echo yyyyyyyyyyyyyyy; done"]
        )
    assert _memory() - before < 32 * 2**20


def _parent(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])


def _memory() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
