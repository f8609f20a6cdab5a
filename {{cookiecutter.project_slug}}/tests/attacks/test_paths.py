"""Every way out of the workspace, tried with every operation (CWE-22)."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from {{ cookiecutter.__package_name }}.errors import (
    PathDenied,
    Refusal,
    SettingsError,
)
from {{ cookiecutter.__package_name }}.workspace import Workspace
from {{ cookiecutter.__package_name }}.workspace import files as opening

HIDDEN = "the secret outside"

Operation = Callable[[Workspace, str], object]
OpenWorkspace = Callable[[Path], Workspace]

OPERATIONS: dict[str, Operation] = {
    "read": lambda files, path: files.read(path),
    "list": lambda files, path: files.list(path, recursive=True),
    "search": lambda files, path: files.search("secret", path),
    "create": lambda files, path: files.write(path, b"x"),
    "create with directories": lambda files, path: files.write(
        path, b"x", create_dirs=True
    ),
    "replace": lambda files, path: files.write(path, b"x", overwrite=True),
    "remove": lambda files, path: files.remove(path),
    "exists": lambda files, path: files.exists(path),
    "lend": lambda files, path: files.directory(path).__enter__(),
}

SPELLINGS = {
    "parent": "../outside/secret",
    "parent within": "a/../../outside/secret",
    "parent at the end": "a/..",
    "parent alone": "..",
    "sibling with the same prefix": "../workspace-evil/secret",
    "absolute": "/etc/passwd",
    "absolute twice": "//etc/passwd",
    "NUL": "a\0/../secret",
    "newline": "a\nb",
    "escape sequence": "a\x1b]0;b\x07",
    "surrogate": "a\udc80",
    "empty": "",
    "long name": "x" * 256,
    "long path": "/".join(["x" * 200] * 21),
    "65 levels": "/".join("x" * 65),
}

WAYS_OUT = {
    "link to a file": "file-link",
    "absolute link to a file": "absolute-link",
    "link to a directory": "directory-link",
    "file behind a link to a directory": "directory-link/secret",
    "new file behind a link to a directory": "directory-link/new",
    "chain of links": "chain",
    "file behind a chain of links": "directory-chain/secret",
    "loop": "loop",
    "link to itself": "self",
    "dangling link": "dangling",
    "link within the workspace": "inner-link",
    "link to a directory within": "inner-directory",
    "file behind a link within": "inner-directory/honest",
    "hard link": "hard-link",
    "FIFO": "fifo",
    "socket": "socket",
    "link into /proc": "proc-link/root/etc/passwd",
}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "outside"
    path.mkdir()
    (path / "secret").write_text(HIDDEN)
    (tmp_path / "workspace-evil").mkdir()
    (tmp_path / "workspace-evil/secret").write_text(HIDDEN)
    return path


@pytest.fixture
def hostile(
    workspace: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A workspace full of ways out."""
    (workspace / "a").mkdir()
    (workspace / "honest").write_text("honest")
    (workspace / "a/honest").write_text("honest")
    for name, target in {
        "file-link": "../outside/secret",
        "absolute-link": outside / "secret",
        "directory-link": outside,
        "chain": "file-link",
        "directory-chain": "directory-link",
        "loop": "pool",
        "pool": "loop",
        "self": "self",
        "dangling": outside / "new",
        "inner-link": "honest",
        "inner-directory": "a",
        "proc-link": "/proc/self",
    }.items():
        (workspace / name).symlink_to(target)
    os.link(outside / "secret", workspace / "hard-link")
    os.mkfifo(workspace / "fifo")
    # Bound by a relative name: a socket's has at most 107 bytes.
    monkeypatch.chdir(workspace)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    return workspace


@pytest.fixture(params=["openat2", "walk"])
def open_workspace(request: pytest.FixtureRequest) -> OpenWorkspace:
    """Opens a workspace, by each way to follow a path."""

    def open_workspace(root: Path) -> Workspace:
        try:
            return Workspace.open(
                root, max_file_size=1_000, resolver=request.param
            )
        except SettingsError as error:
            pytest.skip(str(error))

    return open_workspace


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("path", SPELLINGS.values(), ids=SPELLINGS)
def test_spelling_does_not_lead_out(
    hostile: Path,
    outside: Path,
    operation: Operation,
    path: str,
) -> None:
    before = snapshot(outside.parent)
    with (
        Workspace.open(hostile, max_file_size=1_000) as files,
        pytest.raises(PathDenied) as caught,
    ):
        operation(files, path)
    assert str(outside.parent) not in str(caught.value)
    assert snapshot(outside.parent) == before


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("path", WAYS_OUT.values(), ids=WAYS_OUT)
def test_entry_does_not_lead_out(
    open_workspace: OpenWorkspace,
    hostile: Path,
    outside: Path,
    operation: Operation,
    path: str,
) -> None:
    before = snapshot(outside.parent)
    with open_workspace(hostile) as files, pytest.raises(Refusal) as caught:
        operation(files, path)
    assert isinstance(caught.value, PathDenied) or (
        caught.value.reason == "not_a_directory"
        and operation in (OPERATIONS["list"], OPERATIONS["lend"])
    )
    assert str(outside.parent) not in str(caught.value)
    assert snapshot(outside.parent) == before


def test_whole_tree_holds_nothing_of_outside(
    open_workspace: OpenWorkspace, hostile: Path
) -> None:
    with open_workspace(hostile) as files:
        assert not files.search("secret").matches
        listing = files.list(recursive=True)
    below = [entry.path for entry in listing.entries if "/" in entry.path]
    assert below == ["a/honest"]


@pytest.mark.parametrize(
    "name",
    ["..a", "a..", "...", "%2e%2e", "a b", " ", "~", "$HOME", "-rf", "a\\b",
     "CON", "a:b", "*", "日本語", "e\u0301", "\u202ea", "\U0001f600"],
    ids=ascii,
)  # fmt: skip
def test_unusual_name_is_a_name(
    open_workspace: OpenWorkspace, workspace: Path, name: str
) -> None:
    with open_workspace(workspace) as files:
        files.write(f"{name}/{name}", b"honest", create_dirs=True)
        assert files.read(f"{name}/{name}").text == "honest"
        assert files.list().entries[0].path == name
        assert files.search("honest").matches[0].path == f"{name}/{name}"
        files.remove(f"{name}/{name}")


def test_64_levels_can_be_used(
    open_workspace: OpenWorkspace, workspace: Path
) -> None:
    path = "/".join("x" * 64)
    with open_workspace(workspace) as files:
        files.write(path, b"honest", create_dirs=True)
        assert files.read(path).text == "honest"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
@pytest.mark.parametrize(
    "path", ["root/etc/passwd", "cwd", "exe", "fd/0", "ns/net", "root"]
)
@pytest.mark.parametrize("operation", ["read", "list", "search", "exists"])
def test_magic_link_does_not_lead_out(
    open_workspace: OpenWorkspace, operation: str, path: str
) -> None:
    with (
        open_workspace(Path("/proc/self")) as files,
        pytest.raises(PathDenied) as caught,
    ):
        OPERATIONS[operation](files, path)
    assert caught.value.reason == "symlink"


@pytest.mark.parametrize("path", ["null", "zero", "tty", "random"])
@pytest.mark.parametrize(
    "operation", ["read", "search", "replace", "remove", "exists"]
)
def test_device_is_not_opened(
    open_workspace: OpenWorkspace, operation: str, path: str
) -> None:
    with (
        open_workspace(Path("/dev")) as files,
        pytest.raises(PathDenied) as caught,
    ):
        OPERATIONS[operation](files, path)
    assert caught.value.reason == "special_file"


def test_secret_whose_second_name_goes_meanwhile_is_not_read(
    open_workspace: OpenWorkspace,
    hostile: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The link is removed between the open and the count of its names."""

    def fstat(descriptor: int) -> os.stat_result:
        (hostile / "hard-link").unlink(missing_ok=True)
        return real(descriptor)

    with open_workspace(hostile) as files:
        real = os.fstat
        monkeypatch.setattr(opening.os, "fstat", fstat)
        with pytest.raises(Refusal):
            files.read("hard-link")


def snapshot(root: Path) -> dict[str, bytes | None]:
    """Return every name and content below a directory, links as links."""
    return {
        str(path): path.read_bytes()
        if path.is_file() and not path.is_symlink()
        else None
        for path in root.rglob("*")
    }
