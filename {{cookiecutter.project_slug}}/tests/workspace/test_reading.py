"""Parts of files: bounded, lossless, and never half a character."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from {{ cookiecutter.__package_name }}.errors import Refusal
from {{ cookiecutter.__package_name }}.workspace import Workspace, reading
from {{ cookiecutter.__package_name }}.workspace.reading import Chunk, read_chunk


def chunks(content: bytes, limit: int) -> Iterator[Chunk]:
    """Read a file from its beginning to its end."""
    offset: int | None = 0
    with TemporaryFile() as file:
        file.write(content)
        file.flush()
        while offset is not None:
            chunk = read_chunk(file.fileno(), offset, limit)
            assert chunk.offset == offset
            yield chunk
            offset = chunk.next_offset


@given(st.binary(max_size=200), st.integers(1, 9))
def test_parts_of_any_content_are_the_whole(
    content: bytes, limit: int
) -> None:
    parts = [chunk.data for chunk in chunks(content, limit)]
    assert b"".join(parts) == content


@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    st.integers(1, 9),
)
def test_parts_of_a_text_are_texts(text: str, limit: int) -> None:
    parts = [chunk.text for chunk in chunks(text.encode(), limit)]
    assert "".join(part for part in parts if part is not None) == text
    assert None not in parts


@given(st.binary(max_size=50), st.integers(0, 60), st.integers(4, 60))
def test_part_is_never_longer_than_the_limit(
    content: bytes, offset: int, limit: int
) -> None:
    with TemporaryFile() as file:
        file.write(content)
        file.flush()
        chunk = read_chunk(file.fileno(), offset, limit)
    assert len(chunk.data) <= limit


def test_offset_inside_a_character_moves_behind_it(
    workspace: Path, files: Workspace
) -> None:
    (workspace / "a").write_text("a€b", "utf-8")
    chunk = files.read("a", offset=2)
    assert (chunk.offset, chunk.text, chunk.next_offset) == (4, "b", None)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_character_longer_than_the_limit_comes_whole(
    workspace: Path, files: Workspace, limit: int
) -> None:
    (workspace / "a").write_text("€b", "utf-8")
    chunk = files.read("a", limit=limit)
    assert (chunk.text, chunk.next_offset) == ("€", 3)


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\0", b"caf\xe9 au lait", b"a\0b"], ids=ascii
)
def test_binary_content_is_no_text(
    workspace: Path, files: Workspace, content: bytes
) -> None:
    (workspace / "a").write_bytes(content)
    chunk = files.read("a")
    assert (chunk.text, chunk.data) == (None, content)


def test_half_a_character_at_the_end_is_left_for_later(
    workspace: Path, files: Workspace
) -> None:
    (workspace / "a").write_bytes("a€".encode()[:-1])
    chunk = files.read("a")
    assert (chunk.text, chunk.next_offset) == ("a", 1)


def test_empty_file_is_an_empty_text(
    workspace: Path, files: Workspace
) -> None:
    (workspace / "a").touch()
    chunk = files.read("a")
    assert (chunk.text, chunk.size, chunk.next_offset) == ("", 0, None)


@pytest.mark.parametrize("offset", [3, 2**40, 2**63 - 1, 2**70])
def test_offset_behind_the_end_gives_nothing(
    workspace: Path, files: Workspace, offset: int
) -> None:
    (workspace / "a").write_text("abc")
    chunk = files.read("a", offset=offset)
    assert (chunk.data, chunk.next_offset) == (b"", None)


@pytest.mark.parametrize(("offset", "limit"), [(-1, None), (0, 0), (0, -1)])
def test_range_that_is_none_is_refused(
    files: Workspace, offset: int, limit: int | None
) -> None:
    with pytest.raises(Refusal, match=r"0 or more"):
        files.read("a", offset=offset, limit=limit)


def test_caller_cannot_ask_for_more_than_the_largest_size(
    workspace: Path,
) -> None:
    (workspace / "a").write_text("abcdef")
    with Workspace.open(workspace, max_file_size=4) as files:
        chunk = files.read("a", limit=1_000_000)
    assert (chunk.text, chunk.next_offset) == ("abcd", 4)


def test_sparse_file_is_read_in_parts(
    workspace: Path, files: Workspace
) -> None:
    with (workspace / "sparse").open("wb") as file:
        file.truncate(2**40)
    chunk = files.read("sparse", offset=2**39, limit=10)
    assert (chunk.data, chunk.size) == (b"\0" * 10, 2**40)


def test_file_that_grows_is_read_up_to_the_limit(
    workspace: Path, files: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "log").write_text("a")

    def pread(descriptor: int, count: int, offset: int) -> bytes:
        with (workspace / "log").open("a") as file:
            file.write("a" * count)
        return real(descriptor, count, offset)

    real = os.pread
    monkeypatch.setattr(reading.os, "pread", pread)
    assert files.read("log", limit=10).data == b"a" * 10


def test_file_that_shrinks_ends_where_it_ends(
    workspace: Path, files: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "log").write_text("a" * 100)
    monkeypatch.setattr(reading, "_PIECE", 10)

    def pread(descriptor: int, count: int, offset: int) -> bytes:
        if offset:
            os.truncate(workspace / "log", 0)
        return real(descriptor, count, offset)

    real = os.pread
    monkeypatch.setattr(reading.os, "pread", pread)
    chunk = files.read("log")
    assert (chunk.data, chunk.next_offset) == (b"a" * 10, None)


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="there is no /proc"
)
def test_file_without_a_size_is_read() -> None:
    with Workspace.open(Path("/proc/self"), max_file_size=1_000) as files:
        chunk = files.read("status", limit=10)
    assert chunk.size == 0
    assert chunk.data.startswith(b"Name:")
    assert chunk.next_offset == 10
