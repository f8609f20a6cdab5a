"""Nothing gets out while a second process swaps what lies in the way."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from {{ cookiecutter.__package_name }}.errors import SettingsError
from {{ cookiecutter.__package_name }}.workspace import Workspace

from .racing import Arena, beats_check_then_open, race

MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of our own is made in it
TRIES = 8_000


@pytest.fixture
def arena() -> Iterator[Arena]:
    """An arena in memory where there is one: the faster, the more swaps."""
    where = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=where) as path:
        yield Arena(Path(path).resolve())


@pytest.mark.parametrize("resolver", ["openat2", "walk"])
def test_no_try_gets_out(
    arena: Arena, resolver: Literal["openat2", "walk"]
) -> None:
    try:
        files = Workspace.open(
            arena.workspace, max_file_size=1_000, resolver=resolver
        )
    except SettingsError as error:
        pytest.skip(str(error))
    with files:
        outcome = race(arena, files, TRIES)
    assert not outcome.escapes
    assert outcome.honest.total() >= outcome.tries.total() / 5
    assert {"symlink", "hard_link"} <= outcome.reasons.keys()


def test_race_is_lost_by_checking_a_path_and_opening_it(
    arena: Arena,
) -> None:
    assert beats_check_then_open(arena, TRIES)
