"""How a directory is reached: by openat2, or name by name without it."""

import ctypes
import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from {{ cookiecutter.__package_name }}.errors import SettingsError
from {{ cookiecutter.__package_name }}.workspace import directories
from {{ cookiecutter.__package_name }}.workspace.directories import Opener

PROJECT = Path(__file__).parents[2]
LACKING = {errno.ENOSYS, errno.EPERM}
BLOCK_OPENAT2 = """
import ctypes, struct, sys
from pathlib import Path
from {{ cookiecutter.__package_name }}.workspace import Workspace
# Load the number of the call; if it is 437, answer the error; else allow.
rules = b"".join(struct.pack("HBBI", *rule) for rule in (
    (0x20, 0, 0, 0), (0x15, 0, 1, 437),
    (0x06, 0, 0, 0x50000 | int(sys.argv[2])), (0x06, 0, 0, 0x7FFF0000),
))
held = ctypes.create_string_buffer(rules)
program = struct.pack("HxxxxxxP", 4, ctypes.addressof(held))
prctl = ctypes.CDLL(None).prctl
assert prctl(38, 1, 0, 0, 0) == 0 and prctl(22, 2, program) == 0
with Workspace.open(Path(sys.argv[1]), max_file_size=9) as files:
    files.write("a/b", b"honest", create_dirs=True)
    print(files.read("a/b").text, files._opener.__name__)
"""


@pytest.fixture
def root(workspace: Path) -> Iterator[int]:
    """A descriptor of a workspace with a directory and links to it."""
    (workspace / "a/b").mkdir(parents=True)
    (workspace / "file").touch()
    (workspace / "link").symlink_to("a")
    (workspace / "out").symlink_to("/")
    descriptor = os.open(workspace, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture(params=[directories.openat2, directories.walk])
def opener(request: pytest.FixtureRequest, root: int) -> Opener:
    """Each way to open a directory."""
    try:
        os.close(request.param(root, ()))
    except OSError as error:
        if error.errno not in LACKING:
            raise
        pytest.skip("this kernel has no openat2")
    return request.param


@pytest.mark.parametrize("names", [(), ("a",), ("a", "b")], ids=str)
def test_directory_inside_is_opened(
    opener: Opener, root: int, workspace: Path, names: tuple[str, ...]
) -> None:
    descriptor = opener(root, names)
    assert os.path.samestat(
        os.fstat(descriptor), workspace.joinpath(*names).stat()
    )
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("link",), errno.ELOOP),
        (("link", "b"), errno.ELOOP),
        (("out",), errno.ELOOP),
        (("out", "etc"), errno.ELOOP),
        (("file",), errno.ENOTDIR),
        (("file", "b"), errno.ENOTDIR),
        (("missing",), errno.ENOENT),
    ],
    ids=str,
)
def test_what_is_no_directory_inside_is_told_apart(
    opener: Opener, root: int, names: tuple[str, ...], code: int
) -> None:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - its code is checked
        opener(root, names)
    assert caught.value.errno == code


def test_openat2_alone_keeps_to_the_root(root: int) -> None:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - its code is checked
        directories.openat2(root, ("..",))
    assert caught.value.errno in {errno.EXDEV, *LACKING}


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is of Linux")
@pytest.mark.parametrize("code", LACKING, ids=errno.errorcode.get)
def test_blocked_openat2_is_done_without(workspace: Path, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCK_OPENAT2, workspace, str(code)],
        check=True,
        capture_output=True,
        env={"PYTHONPATH": str(PROJECT)},
        text=True,
    )
    assert done.stdout.split() == ["honest", "walk"]


def test_openat2_that_must_be_there_and_is_not_stops_the_start(
    root: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> int:
        raise OSError(errno.ENOSYS, "no such call")

    monkeypatch.setattr(directories, "openat2", missing)
    with pytest.raises(SettingsError, match=r"use Linux 5\.6 or later"):
        directories.choose(root, "openat2")


def test_openat2_that_confines_nothing_is_not_taken(
    root: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directories, "openat2", lambda *_: os.dup(root))
    assert directories.choose(root, "auto") is directories.walk


@pytest.mark.parametrize("answers", [3, 1_000])
def test_concurrent_renames_are_tried_again_a_bounded_number_of_times(
    root: int, monkeypatch: pytest.MonkeyPatch, answers: int
) -> None:
    class Library:
        tried = 0

        def syscall(self, *_: object) -> int:
            self.tried += 1
            if self.tried <= answers:
                ctypes.set_errno(errno.EAGAIN)
                return -1
            return 99

    library = Library()
    monkeypatch.setattr(directories, "_LIBC", library)
    if answers == 3:
        assert directories.openat2(root, ("a",)) == 99
    else:
        with pytest.raises(BlockingIOError):
            directories.openat2(root, ("a",))
    assert library.tried <= 64
