"""What a command uses is counted while it stands still, and from the start."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from {{ cookiecutter.__package_name }}.commands.sandbox import tree
from {{ cookiecutter.__package_name }}.commands.sandbox.limits import Limits
from {{ cookiecutter.__package_name }}.commands.sandbox.usage import Usage

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="process trees are followed on Linux"
)

LIMITS = Limits(seconds=1, output=1, tasks=100)
BEFORE, COUNTED = 50, "counted"


@pytest.fixture
def look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int, int], tuple[str, list[object]]]:
    """Looks once at a machine with so many tasks, so many of them ours."""

    def once(all_tasks: int, ours: int) -> tuple[str, list[object]]:
        done: list[object] = []

        def below(root: int) -> dict[int, int]:
            done.append(COUNTED)
            return {root: ours}

        monkeypatch.setattr(tree, "pulse", lambda: (BEFORE, 7))
        monkeypatch.setattr(tree, "below", below)
        monkeypatch.setattr(tree, "memory", lambda *_: 0)
        with (tmp_path / "disk").open("w") as disk:
            usage = Usage(disk.fileno(), LIMITS, done.append)
            monkeypatch.setattr(tree, "pulse", lambda: (all_tasks, 7))
            return usage.excess(), done

    return once


def test_many_are_stopped_before_they_are_counted(
    look: Callable[[int, int], tuple[str, list[object]]],
) -> None:
    assert look(BEFORE + 60, 60) == (
        "",
        [signal.SIGSTOP, COUNTED, signal.SIGCONT],
    )


def test_too_many_stay_stopped_until_they_are_ended(
    look: Callable[[int, int], tuple[str, list[object]]],
) -> None:
    assert look(BEFORE + 900, 900) == ("processes", [signal.SIGSTOP, COUNTED])


def test_who_starts_nothing_more_is_counted_too(
    look: Callable[[int, int], tuple[str, list[object]]],
) -> None:
    """The newest task of the machine is the command itself."""
    assert look(BEFORE, 1) == ("", [COUNTED])
