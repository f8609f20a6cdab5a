"""What is done for a command by its keeper: ``sandbox/supervisor.py``."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from {{ cookiecutter.__package_name }}.commands.sandbox import supervisor, syscalls
from {{ cookiecutter.__package_name }}.commands.sandbox.supervisor import Supervisor

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has these system calls"
)


class Listener:
    """A filter that tells of one call, of a process that may be gone."""

    def __init__(self, name: str, *arguments: int) -> None:
        numbers = syscalls.numbers(syscalls.CHECKED, os.uname().machine)
        words = [*arguments, 0, 0, 0, 0, 0, 0][:6]
        self.call = supervisor._NOTIFICATION.pack(
            7, os.getpid(), 0, numbers[name], 0, 0, *words
        )
        self.gone = False
        self.answered = False

    def ioctl(self, listener: int, request: int, data: bytearray) -> None:
        if request == supervisor._RECEIVE:
            data[:] = self.call
        elif request == supervisor._SEND:
            self.answered = True
        elif self.gone:
            raise FileNotFoundError


@pytest.fixture
def file(workspace: Path) -> Path:
    path = workspace / "file"
    path.touch(0o600)
    os.utime(path, (1, 1))
    return path


@pytest.fixture
def descriptors(workspace: Path, file: Path) -> Iterator[tuple[int, int]]:
    """The workspace, and a file in it."""
    with ExitStack() as stack:
        opened = []
        for path in (workspace, file):
            descriptor = os.open(path, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            opened.append(descriptor)
        yield opened[0], opened[1]


@pytest.mark.parametrize("gone", [False, True], ids=["waiting", "gone"])
@pytest.mark.parametrize("name", ["fchmod", "utimensat"])
def test_nothing_is_changed_for_a_process_that_is_gone(
    monkeypatch: pytest.MonkeyPatch,
    file: Path,
    descriptors: tuple[int, int],
    name: str,
    gone: bool,
) -> None:
    """Its number, and so its files and memory, may be another's by now."""
    root, descriptor = descriptors
    mode = 0o644 if name == "fchmod" else 0
    listener = Listener(name, descriptor, mode)
    listener.gone = gone
    monkeypatch.setattr(supervisor.fcntl, "ioctl", listener.ioctl)
    Supervisor(0, root).answer()
    found = file.stat()
    changed = stat.S_IMODE(found.st_mode) != 0o600 or found.st_mtime != 1
    assert changed is not gone
    assert listener.answered
