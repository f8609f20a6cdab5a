"""Which programs may run: ``commands/programs.py``."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from {{ cookiecutter.__package_name }}.commands import programs
from {{ cookiecutter.__package_name }}.errors import SettingsError


@pytest.fixture
def root(workspace: Path) -> Iterator[int]:
    descriptor = os.open(workspace, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def test_a_name_is_found_in_the_systems_directories(root: int) -> None:
    found = programs.resolve(["sh"], root)
    assert Path(found["sh"]).is_absolute()
    assert Path(found["sh"]).samefile("/bin/sh")


def test_links_are_followed_once_at_start(root: int) -> None:
    found = programs.resolve(["sh"], root)["sh"]
    assert found == str(Path(found).resolve())


def test_a_path_goes_by_its_name_too(root: int) -> None:
    assert set(programs.resolve(["/bin/sh"], root)) == {"/bin/sh", "sh"}


def test_the_servers_own_path_is_not_searched(
    root: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "planted"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match="no such program"):
        programs.resolve(["planted"], root)


@pytest.mark.parametrize(
    "entry",
    ["no-such-program", "/no/such/program", "bin/sh", "../sh", "/bin", ""],
    ids=["name", "path", "relative", "parent", "directory", "empty"],
)
def test_what_is_no_program_stops_the_start(root: int, entry: str) -> None:
    with pytest.raises(SettingsError, match="MCP_ALLOWED_COMMANDS"):
        programs.resolve([entry], root)


def test_a_program_in_the_workspace_stops_the_start(
    root: int, workspace: Path
) -> None:
    program = workspace / "bin" / "tool"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o555)
    with pytest.raises(SettingsError, match="in the workspace"):
        programs.resolve([str(program)], root)


@pytest.mark.parametrize("mode", [0o775, 0o757], ids=["group", "others"])
def test_a_program_that_others_can_change_stops_the_start(
    root: int, tmp_path: Path, mode: int
) -> None:
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\n")
    program.chmod(mode)
    with pytest.raises(SettingsError, match="can change"):
        programs.resolve([str(program)], root)


def test_a_directory_that_others_can_change_stops_the_start(
    root: int, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "tool"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    program.parent.chmod(0o777)
    with pytest.raises(SettingsError, match="can change"):
        programs.resolve([str(program)], root)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may change every file")
def test_a_program_of_the_servers_user_stops_the_start(
    root: int, tmp_path: Path
) -> None:
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o555)
    with pytest.raises(SettingsError, match="can change"):
        programs.resolve([str(program)], root)


def test_all_problems_are_named_at_once(root: int) -> None:
    with pytest.raises(SettingsError) as caught:
        programs.resolve(["one-missing", "sh", "two-missing"], root)
    assert len(caught.value.problems) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_program_of_another_user_stops_the_start_of_root(
    root: int, tmp_path: Path
) -> None:
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    programs.resolve([str(program)], root)
    os.chown(program, 65534, 0)
    with pytest.raises(SettingsError, match="can change"):
        programs.resolve([str(program)], root)
