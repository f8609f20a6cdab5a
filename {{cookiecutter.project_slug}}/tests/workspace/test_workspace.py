"""Opening a workspace, lending directories, and closing it."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from {{ cookiecutter.__package_name }}.errors import Refusal, SettingsError
from {{ cookiecutter.__package_name }}.workspace import Workspace


def test_missing_root_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"No such file.*WORKSPACE_PATH"):
        Workspace.open(tmp_path / "missing", max_file_size=1)


def test_system_without_descriptors_is_refused_with_what_to_do(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "supports_dir_fd", set())
    with pytest.raises(SettingsError, match="run the server in its container"):
        Workspace.open(workspace, max_file_size=1)


def test_root_may_be_read_only(workspace: Path) -> None:
    (workspace / "a").write_text("abc")
    workspace.chmod(0o500)
    with Workspace.open(workspace, max_file_size=10) as files:
        assert files.read("a").text == "abc"


def test_root_of_another_owner_is_known_not_to_be_writable(
    workspace: Path, nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    workspace.chmod(0o755)
    with Workspace.open(workspace, max_file_size=10) as files:
        assert files.writable
        workspace.chmod(0o555)
        with nobody():
            assert not files.writable


def test_root_that_is_renamed_stays_the_workspace(
    workspace: Path, files: Workspace
) -> None:
    (workspace / "a").write_text("inside")
    workspace.rename(workspace.with_name("moved"))
    workspace.mkdir()
    (workspace / "a").write_text("another")
    assert files.read("a").text == "inside"


def test_directory_is_lent_as_a_descriptor(
    workspace: Path, files: Workspace
) -> None:
    (workspace / "a").mkdir()
    with files.directory("a") as descriptor:
        assert os.path.samestat(os.fstat(descriptor), (workspace / "a").stat())
        assert not os.get_inheritable(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest.mark.parametrize(
    ("path", "there"),
    [(".", True), ("a", True), ("a/b", True), ("c", False), ("c/d", False)],
)
def test_existence_is_told(
    workspace: Path, files: Workspace, path: str, there: bool
) -> None:
    (workspace / "a").mkdir()
    (workspace / "a/b").touch()
    assert files.exists(path) is there


def test_closed_workspace_refuses_every_call(
    workspace: Path, files: Workspace
) -> None:
    (workspace / "a").touch()
    files.close()
    files.close()
    for call in (files.list, files.search, files.read, files.exists):
        with pytest.raises(Refusal, match="could not be accessed"):
            call("a")


def test_no_call_leaves_a_descriptor_open(
    workspace: Path, files: Workspace
) -> None:
    def use() -> None:
        files.write("a/b", b"needle", create_dirs=True, overwrite=True)
        files.list(recursive=True, max_entries=1)
        files.search("needle", max_results=1)
        files.read("a/b")
        for path in ("a", "missing", "link", "link/b", "a/b/c"):
            with pytest.raises(Refusal):
                files.read(path)
        files.remove("a/b")

    (workspace / "link").symlink_to("a")
    use()
    before = os.dup(0)
    os.close(before)
    use()
    after = os.dup(0)
    os.close(after)
    assert after == before
