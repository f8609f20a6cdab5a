"""Finding text: every line once, within bounds, in linear time."""

import os
import time
from pathlib import Path
from tempfile import TemporaryFile
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from {{ cookiecutter.__package_name }}.errors import Refusal
from {{ cookiecutter.__package_name }}.workspace import Workspace, searching
from {{ cookiecutter.__package_name }}.workspace.searching import ENVELOPE, Match, Search


def test_match_names_file_line_and_text(
    workspace: Path, files: Workspace
) -> None:
    (workspace / "a").mkdir()
    (workspace / "a/b").write_text("one\ntwo needle needle\r\nthree")
    result = files.search("needle")
    assert result.matches == (
        Match(path="a/b", line=2, text="two needle needle"),
    )
    assert (result.truncated_because, result.files) == (None, 1)


def test_single_file_can_be_searched(
    workspace: Path, files: Workspace
) -> None:
    (workspace / "a").write_text("needle")
    (workspace / "b").write_text("needle")
    assert [match.path for match in files.search("needle", "a").matches] == [
        "a"
    ]


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "[", "\\", ".*", "é", "\t", "a b"]
)
def test_pattern_is_taken_letter_by_letter(
    workspace: Path, files: Workspace, pattern: str
) -> None:
    (workspace / "no").write_text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")
    (workspace / "yes").write_text(f"x {pattern} y", "utf-8")
    found = [match.path for match in files.search(pattern).matches]
    assert found == ["yes"]


@pytest.mark.parametrize(
    "pattern", ["", "a\nb", "a\0", "\ud800", "a" * 1_001], ids=ascii
)
def test_pattern_that_is_no_line_is_refused(
    files: Workspace, pattern: str
) -> None:
    with pytest.raises(Refusal, match=r"^A pattern "):
        files.search(pattern)


@given(
    st.lists(st.text("ab", max_size=150), max_size=20),
    st.text("ab", min_size=1, max_size=8),
)
def test_every_line_that_holds_the_pattern_is_found(
    lines: list[str], pattern: str
) -> None:
    with (
        TemporaryFile() as file,
        patch.object(searching, "_BUFFER", 64),
    ):
        file.write("\n".join(lines).encode())
        file.seek(0)
        search = Search(
            pattern,
            max_results=999,
            max_size=10**9,
            max_bytes=10**6,
            max_seconds=60,
        )
        result = search.file(file.fileno(), ("a",))
    expected = {n for n, line in enumerate(lines, 1) if pattern in line}
    assert {match.line for match in result.matches} == expected


def test_long_line_is_cut_around_the_match(
    workspace: Path, files: Workspace
) -> None:
    (workspace / "a").write_text("é" * 5_000 + "needle" + "é" * 5_000, "utf-8")
    (match,) = files.search("needle").matches
    assert match.text == "é" * 100 + "needle" + "é" * 100


def test_line_longer_than_the_buffer_is_searched(
    workspace: Path, files: Workspace
) -> None:
    (workspace / "a").write_text("€" * 300_000 + "needle\nneedle", "utf-8")
    result = files.search("needle")
    assert [match.line for match in result.matches] == [1, 2]


@pytest.mark.parametrize(
    "content", [b"\0needle", b"needle\0", b"caf\xe9 needle"], ids=ascii
)
def test_binary_file_matches_without_text(
    workspace: Path, files: Workspace, content: bytes
) -> None:
    (workspace / "a").write_bytes(content + b"\nneedle\n")
    result = files.search("needle")
    assert result.matches == (Match(path="a", line=None, text=None),)


def test_sparse_file_is_not_read_to_its_end(
    workspace: Path, files: Workspace
) -> None:
    with (workspace / "sparse").open("wb") as file:
        file.truncate(2**40)
    result = files.search("needle")
    assert (result.files, result.truncated_because) == (1, None)


def test_number_of_results_ends_the_search(
    workspace: Path, files: Workspace
) -> None:
    (workspace / "a").write_text("needle\n" * 3)
    result = files.search("needle", max_results=2)
    assert (len(result.matches), result.truncated_because) == (2, "results")
    assert files.search("needle", max_results=3).truncated_because is None


@pytest.mark.parametrize("line", ["", "é" * 90, '"\t\x01' * 30], ids=ascii)
def test_search_ends_where_its_result_is_full(
    workspace: Path, files: Workspace, line: str
) -> None:
    (workspace / "a").write_text(f"{line} needle\n" * 50, "utf-8")
    result = files.search("needle", max_size=2000)
    assert result.truncated_because == "results"
    room = 2000 - len(to_json(result).decode())
    assert 0 <= room < len(to_json(result.matches[0]).decode()) + ENVELOPE
    assert files.search("needle", max_size=50_000).truncated_because is None


def test_number_of_bytes_ends_the_search(
    workspace: Path, files: Workspace
) -> None:
    for name in "abcd":
        (workspace / name).write_text("x" * 1_000)
    result = files.search("needle", max_bytes=2_000)
    assert (result.files, result.truncated_because) == (2, "bytes")


def test_time_ends_the_search(workspace: Path, files: Workspace) -> None:
    for name in "abcd":
        (workspace / name).touch()
    result = files.search("needle", max_seconds=-1)
    assert (result.files, result.truncated_because) == (1, "seconds")


def test_what_may_not_be_read_is_counted(
    workspace: Path, files: Workspace
) -> None:
    (workspace / "a").write_text("needle")
    os.link(workspace / "a", workspace / "b")
    (workspace / "link").symlink_to("a")
    result = files.search("needle")
    assert (result.matches, result.files, result.skipped) == ((), 0, 2)


@pytest.mark.parametrize(
    "pattern",
    ["a" * 999 + "b", "b" + "a" * 999, "a" * 500 + "b" + "a" * 499],
    ids=["end", "start", "middle"],
)
def test_hostile_pattern_costs_no_more_than_another(
    workspace: Path, files: Workspace, pattern: str
) -> None:
    (workspace / "a").write_bytes(b"a" * 8_000_000)
    started = time.process_time()
    assert not files.search(pattern).matches
    assert time.process_time() - started < 2
