"""What a caller gets: ``commands/result.py``."""

import json
from dataclasses import asdict

import pytest

from {{ cookiecutter.__package_name }}.commands import result
from {{ cookiecutter.__package_name }}.commands.result import CommandResult


def sent(stdout: str, stderr: str) -> int:
    """Return the characters of a result as it is sent."""
    whole = CommandResult(
        exit_code=-64,
        stdout=stdout,
        stderr=stderr,
        stdout_truncated=False,
        stderr_truncated=False,
        duration=86_400.123,
    )
    return len(json.dumps(asdict(whole), ensure_ascii=False))


@pytest.mark.parametrize(
    "text",
    ["x", "y\n", '"\\', "\x00\x1b", "ü", "€", "😀", "\x00" + "x" * 50],
    ids=["plain", "lines", "quotes", "control", "2", "3", "4", "mixed"],
)
@pytest.mark.parametrize("limit", [200, 1000, 10_000])
def test_a_result_fits_as_json(text: str, limit: int) -> None:
    stdout, stderr = result.fit(text * limit, text * limit, limit)
    assert sent(stdout, stderr) <= limit
    assert abs(len(stdout) - len(stderr)) <= len(text)
    assert (text * limit).startswith(stdout)


def test_one_text_takes_what_the_other_leaves() -> None:
    stdout, stderr = result.fit("x" * 2000, "short", 1000)
    assert stderr == "short"
    assert len(stdout) > 800


def test_what_fits_is_not_touched() -> None:
    assert result.fit("a\n" * 100, "b", 1000) == ("a\n" * 100, "b")


def test_no_room_leaves_nothing() -> None:
    assert result.fit("a" * 100, "b", 1) == ("", "")


def test_text_ends_with_a_whole_character_where_it_was_cut() -> None:
    assert result.text("aü".encode()[:2], cut=True) == "a"
    assert (
        result.text("aü".encode()[:2], cut=False)
        == "a\N{REPLACEMENT CHARACTER}"
    )
