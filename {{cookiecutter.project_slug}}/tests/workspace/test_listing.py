"""What a listing shows, and where it ends."""

import os
import sys
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest
from pydantic_core import to_json

from {{ cookiecutter.__package_name }}.errors import Refusal
from {{ cookiecutter.__package_name }}.workspace import Workspace, directories
from {{ cookiecutter.__package_name }}.workspace.directories import Below, Found
from {{ cookiecutter.__package_name }}.workspace.listing import ENVELOPE, Entry, list_entries


def test_entry_says_what_it_is(workspace: Path, files: Workspace) -> None:
    (workspace / "directory").mkdir()
    (workspace / "file").write_text("abc")
    (workspace / "link").symlink_to("/etc")
    os.mkfifo(workspace / "pipe")
    assert files.list().entries == (
        Entry(path="directory", type="directory", size=0),
        Entry(path="file", type="file", size=3),
        Entry(path="link", type="link", size=0),
        Entry(path="pipe", type="other", size=0),
    )


def test_recursive_listing_shows_whole_paths(
    workspace: Path, files: Workspace
) -> None:
    (workspace / "a/b").mkdir(parents=True)
    (workspace / "a/b/c").touch()
    paths = [entry.path for entry in files.list(recursive=True).entries]
    assert paths == ["a", "a/b", "a/b/c"]
    assert [entry.path for entry in files.list("a/b").entries] == ["a/b/c"]


def test_listing_does_not_descend_into_links(
    workspace: Path, files: Workspace
) -> None:
    (workspace / "loop").symlink_to(workspace)
    assert len(files.list(recursive=True).entries) == 1


def test_long_listing_says_that_there_is_more(
    workspace: Path, files: Workspace
) -> None:
    for number in range(5):
        (workspace / str(number)).touch()
    listing = files.list(max_entries=4)
    assert (len(listing.entries), listing.truncated) == (4, True)
    assert not files.list(max_entries=5).truncated


@pytest.mark.parametrize("name", ["a", "é" * 90, '"' * 90], ids=ascii)
def test_listing_is_as_long_as_fits(
    workspace: Path, files: Workspace, name: str
) -> None:
    for number in range(50):
        (workspace / f"{name}{number:02}").touch()
    listing = files.list(max_size=1000)
    assert listing.truncated
    room = 1000 - len(to_json(listing).decode())
    assert 0 <= room < len(to_json(listing.entries[0]).decode()) + ENVELOPE
    assert not files.list(max_size=50 * 300).truncated


def test_listing_stops_where_it_ends(workspace: Path) -> None:
    class Endless(Below):
        def __iter__(self) -> Iterator[Found]:
            with os.scandir(workspace) as entries:
                entry = next(entries)
            return repeat(((), 0, entry))

    (workspace / "a").touch()
    endless = Endless(directories.walk, 0, (), recursive=True)
    assert list_entries(endless, 3, 1000).truncated


def test_directories_below_the_deepest_level_are_counted(
    workspace: Path, files: Workspace
) -> None:
    descriptor = os.open(workspace, os.O_DIRECTORY)
    for _ in range(70):
        os.mkdir("d", dir_fd=descriptor)
        inner = os.open("d", os.O_DIRECTORY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    listing = files.list(recursive=True)
    assert (len(listing.entries), listing.skipped) == (64, 1)
    assert files.list(listing.entries[-1].path).entries


@pytest.mark.skipif(
    sys.platform == "darwin", reason="its file systems refuse such names"
)
def test_name_that_is_no_text_is_shown_and_harmless(
    workspace: Path, files: Workspace
) -> None:
    os.close(os.open(os.fsencode(workspace) + b"/\xff\x1b[2J", os.O_CREAT))
    (entry,) = files.list().entries
    assert entry.path == "\ufffd\ufffd[2J"


def test_file_being_written_is_not_shown(
    workspace: Path, files: Workspace
) -> None:
    (workspace / ".0123456789abcdef.mcp-partial").touch()
    assert not files.list(recursive=True).entries


def test_file_is_no_directory(workspace: Path, files: Workspace) -> None:
    (workspace / "a").touch()
    with pytest.raises(Refusal, match=r"^'a' is not a directory\.$"):
        files.list("a")


def test_missing_directory_is_said_to_be_missing(files: Workspace) -> None:
    with pytest.raises(Refusal, match=r"^'a/b' does not exist\.$"):
        files.list("a/b")
