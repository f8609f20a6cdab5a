"""Writes that are whole, durable, careful with permissions, and exclusive."""

import errno
import os
import resource
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from threading import Barrier

import pytest

from {{ cookiecutter.__package_name }}.errors import PathDenied, Refusal
from {{ cookiecutter.__package_name }}.workspace import Workspace, writing

LEFT = ".0123456789abcdef.mcp-partial"


@pytest.fixture(params=["unnamed", "named"])
def files(
    request: pytest.FixtureRequest,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Workspace]:
    """An open workspace, by each way to make a new file."""
    if request.param == "named":
        monkeypatch.setattr(writing, "can_be_unnamed", lambda _: False)
    with Workspace.open(workspace, max_file_size=1_000_000) as opened:
        yield opened


def test_write_gives_the_size_in_bytes(
    workspace: Path, files: Workspace
) -> None:
    assert files.write("a", "é".encode()) == 2
    assert (workspace / "a").read_text("utf-8") == "é"


def test_existing_file_is_replaced_only_when_asked(
    workspace: Path, files: Workspace
) -> None:
    files.write("a", b"old")
    with pytest.raises(Refusal, match=r"^'a' exists; set overwrite"):
        files.write("a", b"new")
    assert (workspace / "a").read_bytes() == b"old"
    files.write("a", b"new", overwrite=True)
    assert (workspace / "a").read_bytes() == b"new"


def test_overwrite_creates_what_is_missing(
    workspace: Path, files: Workspace
) -> None:
    files.write("a", b"new", overwrite=True)
    assert (workspace / "a").read_bytes() == b"new"


def test_directories_are_created_only_when_asked(
    workspace: Path, files: Workspace
) -> None:
    with pytest.raises(Refusal, match=r"^'a/b' does not exist\.$"):
        files.write("a/b/c", b"")
    assert not list(workspace.iterdir())
    files.write("a/b/c", b"", create_dirs=True)
    files.write("a/b/d", b"", create_dirs=True)
    assert (workspace / "a/b/d").is_file()


@pytest.mark.parametrize("overwrite", [False, True])
def test_directory_is_not_replaced(
    workspace: Path, files: Workspace, overwrite: bool
) -> None:
    (workspace / "a").mkdir()
    for path in ("a", "."):
        with pytest.raises(Refusal, match="is a directory"):
            files.write(path, b"", overwrite=overwrite)


def test_content_larger_than_allowed_is_refused(files: Workspace) -> None:
    with pytest.raises(Refusal, match="at most 1000000 are allowed") as caught:
        files.write("a", b"x" * 1_000_001)
    assert caught.value.reason == "too_large"


def test_new_file_has_the_mode_of_any_new_file(
    workspace: Path, files: Workspace
) -> None:
    (workspace / "plain").touch()
    files.write("a", b"")
    assert (workspace / "a").stat().st_mode == (
        workspace / "plain"
    ).stat().st_mode


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755], ids=oct)
def test_permissions_are_kept(
    workspace: Path, files: Workspace, mode: int
) -> None:
    (workspace / "a").touch()
    (workspace / "a").chmod(mode)
    files.write("a", b"new", overwrite=True)
    assert stat.S_IMODE((workspace / "a").stat().st_mode) == mode


def test_set_user_id_is_not_kept(workspace: Path, files: Workspace) -> None:
    (workspace / "a").touch()
    (workspace / "a").chmod(0o4755)
    files.write("a", b"new", overwrite=True)
    assert stat.S_IMODE((workspace / "a").stat().st_mode) == 0o755


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="there are no ACLs")
def test_access_control_list_is_kept(
    workspace: Path, files: Workspace
) -> None:
    entries = [
        (1, 6, -1),
        (2, 4, 65_534),
        (4, 4, -1),
        (16, 4, -1),
        (32, 0, -1),
    ]
    acl = (2).to_bytes(4, "little") + b"".join(
        tag.to_bytes(2, "little")
        + rights.to_bytes(2, "little")
        + (identity & 0xFFFFFFFF).to_bytes(4, "little")
        for tag, rights, identity in entries
    )
    (workspace / "a").touch()
    try:
        os.setxattr(workspace / "a", "system.posix_acl_access", acl)
    except OSError:
        pytest.skip("this file system has no ACLs")
    files.write("a", b"new", overwrite=True)
    kept = os.getxattr(workspace / "a", "system.posix_acl_access")
    assert kept == acl


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_read_only_file_is_not_replaced(
    workspace: Path, files: Workspace
) -> None:
    (workspace / "a").touch(0o444)
    with pytest.raises(Refusal, match="may not be accessed"):
        files.write("a", b"new", overwrite=True)


@contextmanager
def little_room(limit: int) -> Iterator[None]:
    """Let this process write no file longer than this."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_full_disk_leaves_the_old_file(
    workspace: Path, files: Workspace
) -> None:
    files.write("a", b"old")
    with little_room(100_000), pytest.raises(Refusal) as caught:
        files.write("a", b"x" * 200_000, overwrite=True)
    assert caught.value.reason == "disk_full"
    assert str(caught.value) == (
        "'a' does not fit on the disk; nothing changed."
    )
    assert [(p.name, p.read_bytes()) for p in workspace.iterdir()] == [
        ("a", b"old")
    ]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_failed_write_leaves_the_old_file(
    workspace: Path,
    files: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    code: int,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, "told to fail")

    files.write("a", b"old")
    with monkeypatch.context() as patched:
        patched.setattr(writing.os, call, fail)
        with pytest.raises(Refusal):
            files.write("a", b"new", overwrite=True)
    assert [(p.name, p.read_bytes()) for p in workspace.iterdir()] == [
        ("a", b"old")
    ]


def test_content_is_on_the_disk_before_it_has_the_name(
    workspace: Path, files: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, bool]] = []

    def fsync(descriptor: int) -> None:
        kind = os.fstat(descriptor).st_mode
        what = "directory" if stat.S_ISDIR(kind) else "file"
        seen.append((what, (workspace / "a").exists()))

    monkeypatch.setattr(writing.os, "fsync", fsync)
    files.write("a", b"new")
    assert seen == [("file", False), ("directory", True)]


def test_one_of_many_writers_wins_without_overwrite(files: Workspace) -> None:
    barrier = Barrier(4)

    def write(number: int) -> list[tuple[int, int]]:
        won = []
        for turn in range(50):
            barrier.wait()
            with suppress(Refusal):
                files.write(f"file{turn}", bytes([number]))
                won.append((turn, number))
        return won

    with ThreadPoolExecutor(4) as threads:
        won = sorted(chain.from_iterable(threads.map(write, range(4))))
    found = [(turn, files.read(f"file{turn}").data[0]) for turn in range(50)]
    assert won == found


def test_reader_sees_the_old_content_or_the_new(files: Workspace) -> None:
    contents = {bytes([letter]) * 50_000 for letter in b"ab"}
    files.write("a", min(contents))

    def write() -> None:
        for _ in range(50):
            for content in contents:
                files.write("a", content, overwrite=True)

    with ThreadPoolExecutor(1) as threads:
        writer = threads.submit(write)
        while not writer.done():
            assert files.read("a").data in contents
        writer.result()


def test_file_is_removed(workspace: Path, files: Workspace) -> None:
    files.write("a", b"")
    files.remove("a")
    assert not list(workspace.iterdir())


def test_directory_is_not_removed(workspace: Path, files: Workspace) -> None:
    (workspace / "a").mkdir()
    with pytest.raises(Refusal, match="is a directory"):
        files.remove("a")


def test_what_a_killed_write_left_is_removed_at_the_next_start(
    workspace: Path,
) -> None:
    (workspace / "a/b").mkdir(parents=True)
    (workspace / LEFT).touch()
    (workspace / "a/b" / LEFT).touch(0o600)
    Workspace.open(workspace, max_file_size=1).close()
    assert [path.name for path in workspace.rglob("*")] == ["a", "b"]


def test_write_under_way_is_left_alone_by_another_start(
    workspace: Path, files: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(_: int) -> None:
        Workspace.open(workspace, max_file_size=1).close()

    monkeypatch.setattr(writing, "can_be_unnamed", lambda _: False)
    with monkeypatch.context() as patched:
        patched.setattr(writing.os, "fsync", fsync)
        files.write("a", b"new")
    assert [path.name for path in workspace.iterdir()] == ["a"]


def test_link_in_the_place_of_a_temporary_file_is_not_removed_through(
    workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").touch()
    (workspace / LEFT).symlink_to(tmp_path / "secret")
    Workspace.open(workspace, max_file_size=1).close()
    assert (tmp_path / "secret").exists()


def test_link_put_in_the_place_of_a_new_file_is_not_followed(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(_: int) -> None:
        for path in workspace.glob(".*"):
            path.unlink()
            path.symlink_to(tmp_path / "secret")

    (tmp_path / "secret").touch()
    monkeypatch.setattr(writing, "can_be_unnamed", lambda _: False)
    monkeypatch.setattr(writing.os, "fsync", fsync)
    with Workspace.open(workspace, max_file_size=9) as files:
        files.write("a", b"")
    assert (tmp_path / "secret").stat().st_nlink == 1


def test_temporary_name_cannot_be_asked_for(files: Workspace) -> None:
    with pytest.raises(PathDenied):
        files.read(LEFT)
