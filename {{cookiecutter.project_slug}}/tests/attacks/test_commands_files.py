"""From inside an allowed command: files that are none of its business."""

import os
import shutil
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

import {{ cookiecutter.__package_name }}
from {{ cookiecutter.__package_name }}.commands import (
    CommandResult,
    CommandRunner,
)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="Landlock is Linux's"
)

MakeRunner = Callable[..., CommandRunner]
Attack = Callable[..., Awaitable[CommandResult]]
PACKAGE = Path({{ cookiecutter.__package_name }}.__file__).parent

#: Says how an attack went: "done", or the number of the error.
ATTACK = """
import ctypes, os, sys
outside, inside = sys.argv[1:3]
def attack():
{body}
try:
    print("done", attack())
except OSError as error:
    print("refused", error.errno)
"""


CALL_CHMOD = """
ctypes.CDLL(None, use_errno=True).chmod({}, 0)
raise OSError(ctypes.get_errno(), 'chmod')
"""


@pytest.fixture
def workspace(
    shared_runner: tuple[CommandRunner, Path],
) -> Iterator[Path]:
    """A directory of this test's own in the shared workspace."""
    place = shared_runner[1] / f"test-{time.monotonic_ns()}"
    place.mkdir()
    yield place
    shutil.rmtree(place)


@pytest.fixture
def outside(shared_runner: tuple[CommandRunner, Path]) -> Iterator[Path]:
    """A directory beside the workspace, whose files all may read and write."""
    place = shared_runner[1].parent / "outside"
    place.mkdir()
    place.chmod(0o777)
    for name in ("file", "other"):
        file = place / name
        file.write_text("untouched")
        file.chmod(0o666)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def attack(
    shared_runner: tuple[CommandRunner, Path], workspace: Path
) -> Attack:
    """Runs code in the test's own directory, against a place outside."""
    shared, root = shared_runner

    async def run(
        body: str, outside: object = ".", runner: CommandRunner = shared
    ) -> CommandResult:
        indented = "\n".join(f"    {line}" for line in body.splitlines())
        code = ATTACK.format(body=indented)
        argv = [
            "python3",
            "-I",
            "-S",
            "-c",
            code,
            f"{outside}",
            f"{workspace}",
        ]
        directory = f"{workspace.relative_to(root)}"
        return await runner.run(argv, directory if runner is shared else ".")

    return run


@pytest.mark.parametrize(
    "path",
    [
        "/etc/shadow",
        "/etc/gshadow",
        "/proc/1/environ",
        "/proc/self/environ",
        pytest.param(f"/proc/{os.getpid()}/environ", id="server's environ"),
        pytest.param(f"/proc/{os.getpid()}/maps", id="server's maps"),
        "/proc/self/mountinfo",
        "/dev/mem",
        "/dev/kmsg",
        "/var/log",
        "/root",
        "/tmp",  # noqa: S108 - it is read, not written
        "/run",
        "/",
        str(PACKAGE),
        str(PACKAGE / "settings.py"),
        str(PACKAGE.parent),
        sys.prefix,
    ],
)
async def test_reading_is_refused(attack: Attack, path: str) -> None:
    if not Path(path).exists():
        pytest.skip("not on this machine")
    body = (
        "if os.path.isdir(outside): return os.listdir(outside)\n"
        "with open(outside, 'rb') as file: return file.read(10)"
    )
    result = await attack(body, path)
    assert result.stdout.startswith("refused"), result


async def test_the_keepers_and_helpers_environment_is_refused(
    attack: Attack,
) -> None:
    body = "return open(f'/proc/{os.getppid()}/environ').read()"
    result = await attack(body)
    assert result.stdout == "refused 13\n"


async def test_a_file_that_all_may_read_is_refused(
    attack: Attack, outside: Path, workspace: Path
) -> None:
    result = await attack("return open(outside).read()", outside / "file")
    assert result.stdout == "refused 13\n"


async def test_the_servers_source_in_a_system_directory_is_refused(
    make_runner: MakeRunner, attack: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an image where it was installed for the system's Python."""
    library = await attack("return os.path.dirname(os.__file__)")
    package = Path(library.stdout.removeprefix("done ").strip()) / "json"
    sibling = package.parent / "email"
    hidden = package / "commands" / "__init__.py"
    monkeypatch.setattr("{{ cookiecutter.__package_name }}.commands.__file__", str(hidden))
    runner = make_runner()
    body = "return len(open(outside + '/__init__.py').read())"
    refused = await attack(body, package, runner)
    assert refused.stdout == "refused 13\n"
    read = await attack(body, sibling, runner)
    assert read.stdout.startswith("done")


@pytest.mark.parametrize(
    "body",
    [
        "open(outside + '/file', 'w')",
        "open(outside + '/file', 'r+')",
        "open(outside + '/file', 'a')",
        "open(outside + '/new', 'x')",
        "os.truncate(outside + '/file', 0)",
        "os.unlink(outside + '/file')",
        "os.rmdir(outside)",
        "os.mkdir(outside + '/new')",
        "os.mkfifo(outside + '/new')",
        "os.symlink('/etc', outside + '/new')",
        "os.link(outside + '/file', inside + '/new')",
        "os.link(outside + '/file', outside + '/new')",
        "open('mine', 'w').close(); os.link('mine', outside + '/new')",
        "os.rename(outside + '/file', outside + '/new')",
        "os.rename(outside + '/file', inside + '/new')",
        "open('mine', 'w').close(); os.rename('mine', outside + '/file')",
        "os.symlink(outside, 'way'); open('way/file', 'w')",
        "os.symlink(outside + '/file', 'way'); open('way', 'w')",
        "open('../../outside/file', 'w')",
        "os.chdir('../..'); open('outside/file', 'w')",
        "os.chmod(outside + '/file', 0)",
        "os.chmod('../../outside/file', 0)",
        "os.symlink(outside + '/file', 'way'); os.chmod('way', 0)",
        "os.chmod(outside, 0)",
        "os.fchmod(os.open(outside, os.O_PATH), 0)",
        "os.utime(outside + '/file', (0, 0))",
        "os.utime(outside + '/file', (0, 0), follow_symlinks=False)",
        "os.chown(outside + '/file', os.getuid(), os.getgid())",
        "os.chown(outside + '/file', 1, 1)",
        "os.setxattr(outside + '/file', 'user.x', b'1')",
        "os.mkfifo('/dev/shm/new')",
        "open('/dev/shm/new', 'x')",
        "open('/tmp/new-from-a-command', 'x')",
        "open('/etc/new', 'x')",
        "open('/usr/bin/new', 'x')",
        "open('/usr/lib/new', 'x')",
        "os.chmod('/usr/bin/env', 0o755)",
        "os.fchmod(os.open('/usr/bin/env', os.O_RDONLY), 0o755)",
        "os.utime(os.open('/usr/bin/env', os.O_RDONLY))",
        "open('/proc/self/oom_score_adj', 'w')",
        "open('/proc/sys/kernel/core_pattern', 'w')",
        "os.mknod('device', 0o20666, os.makedev(1, 1))",
        "os.chroot('.')",
    ],
)
async def test_changing_what_is_outside_is_refused(
    attack: Attack, outside: Path, workspace: Path, body: str
) -> None:
    before = _state(outside)
    result = await attack(body if ";" in body else f"return {body}", outside)
    assert result.stdout.startswith("refused"), result
    assert _state(outside) == before


@pytest.mark.parametrize(
    "body",
    [
        "os.chmod('linked', 0)",
        "os.fchmod(os.open('linked', os.O_RDONLY), 0)",
        "os.utime('linked', (0, 0))",
    ],
)
async def test_a_name_inside_for_a_file_outside_changes_no_mode(
    attack: Attack, outside: Path, workspace: Path, body: str
) -> None:
    os.link(outside / "file", workspace / "linked")
    before = _state(outside)
    result = await attack(body, outside)
    assert result.stdout == "refused 1\n"
    assert _state(outside) == before


@pytest.mark.parametrize(
    "body",
    [
        "open('a', 'w').write('x')",
        "os.mkdir('d'); open('d/a', 'w').write('x')",
        "open('a', 'w').close(); os.rename('a', 'b'); os.unlink('b')",
        "os.mkdir('d'); os.mkdir('e'); open('d/a', 'w'); "
        "os.rename('d/a', 'e/a')",
        "open('a', 'w').close(); os.link('a', 'b')",
        "os.symlink('a', 'b'); os.mkfifo('c')",
        "open('a', 'w').close(); os.truncate('a', 10)",
        "open('a', 'w').close(); os.chmod('a', 0o700); "
        "assert os.stat('a').st_mode & 0o7777 == 0o700",
        "open('a', 'w').close(); os.chmod('a', 0o4755); "
        "assert os.stat('a').st_mode & 0o7777 == 0o755",
        "f = open('a', 'w'); os.fchmod(f.fileno(), 0o640); "
        "assert os.stat('a').st_mode & 0o7777 == 0o640",
        "open('a', 'w').close(); os.utime('a', (5, 7)); "
        "assert os.stat('a').st_mtime == 7",
        "open('a', 'w').close(); os.utime('a'); "
        "assert os.stat('a').st_mtime > 10**9",
        "os.symlink('/etc', 'a'); os.utime('a', (5, 7), "
        "follow_symlinks=False); assert os.lstat('a').st_mtime == 7",
        "f = open('a', 'w'); os.utime(f.fileno(), ns=(5, 7)); "
        "assert os.stat('a').st_mtime_ns == 7",
        "open('a', 'w').close(); f = os.open('a', os.O_PATH); "
        "os.chmod('/proc/self/fd/%d' % f, 0o600)",
        "os.mkdir('d'); d = os.open('d', os.O_RDONLY); "
        "open('d/a', 'w').close(); os.chmod('a', 0o600, dir_fd=d)",
        "open('/dev/null', 'w').write('x'); open('/dev/urandom').close()",
        "open('/etc/passwd').read(); os.listdir('/usr/bin')",
    ],
)
async def test_what_a_command_needs_is_let_through(
    attack: Attack, body: str
) -> None:
    result = await attack(body)
    assert result.stdout == "done None\n", result


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ("os.chmod('none', 0)", 2),
        ("os.chmod('', 0)", 2),
        ("os.fchmod(99, 0)", 9),
        (CALL_CHMOD.format("8"), 14),
        (CALL_CHMOD.format("ctypes.c_ulong(-1)"), 22),
    ],
    ids=["no file", "no name", "no descriptor", "no address", "far off"],
)
async def test_a_change_that_cannot_be_says_why(
    attack: Attack, body: str, number: int
) -> None:
    result = await attack(body)
    assert result.stdout == f"refused {number}\n", result


async def test_a_file_of_the_workspace_is_not_executed(
    attack: Attack, workspace: Path
) -> None:
    program = workspace / "program"
    program.write_bytes(Path("/bin/true").resolve().read_bytes())
    program.chmod(0o755)
    body = "os.execv(inside + '/program', ['program'])"
    result = await attack(body)
    assert result.stdout == "refused 13\n"


def _state(place: Path) -> list[tuple[object, ...]]:
    """Return all that an attack could have changed."""
    found: list[tuple[object, ...]] = []
    for path in sorted([place, *place.rglob("*")]):
        status = path.lstat()
        times = 0 if path.is_dir() else status.st_mtime_ns
        text = path.read_text() if path.is_file() else ""
        found.append((path, status.st_mode, times, status.st_uid, text))
    return found
