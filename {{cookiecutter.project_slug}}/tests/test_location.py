"""A workspace lies apart from code, keys, homes and the system."""

import os
import subprocess
import sys
from pathlib import Path

import pydantic
import pytest

from {{ cookiecutter.__package_name }} import location
from {{ cookiecutter.__package_name }}.errors import SettingsError
from {{ cookiecutter.__package_name }}.settings import PACKAGE
from tests.conftest import MakeSettings

MODULES = Path(pydantic.__file__).parent


def refused(make_settings: MakeSettings, **variables: object) -> str:
    with pytest.raises(SettingsError) as caught:
        make_settings(**variables)
    (line,) = caught.value.problems
    return line


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (PACKAGE.parent, "the server's own code lies inside it"),
        (PACKAGE, "the server's own code lies inside it"),
        (PACKAGE / "tools", "lies in the server's code"),
        (MODULES, "lies in the server's code"),
        (Path(os.__file__).parent, "lies in the server's code"),
    ],
    ids=["project", "package", "tools", "dependency", "library"],
)
def test_workspace_is_apart_from_the_code(
    make_settings: MakeSettings, place: Path, said: str
) -> None:
    assert said in refused(make_settings, WORKSPACE_PATH=place)


def test_a_link_does_not_hide_the_code(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(PACKAGE / "tools")
    line = refused(make_settings, WORKSPACE_PATH=link)
    assert "lies in the server's code" in line


def test_module_in_the_workspace_is_never_imported(workspace: Path) -> None:
    """``python -m`` looks into the working directory first."""
    result = subprocess.run(
        [sys.executable, "-m", PACKAGE.name, "check"],
        env={
            **os.environ,
            "PYTHONPATH": str(PACKAGE.parent),
            "WORKSPACE_PATH": ".",
        },
        cwd=workspace,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert "WORKSPACE_PATH: its modules would be imported" in result.stderr


@pytest.mark.parametrize(
    "place",
    ["/", "/tmp", "/proc", "/proc/self/fd", "/sys", "/dev", "/etc"],  # noqa: S108 - refused, not used
)
def test_workspace_is_nothing_of_the_system_or_everybody(
    make_settings: MakeSettings, place: str
) -> None:
    line = refused(make_settings, WORKSPACE_PATH=place)
    assert line.startswith("WORKSPACE_PATH: ")


@pytest.mark.parametrize("place", location.SYSTEM)
def test_what_lies_in_the_system_is_the_systems(place: str) -> None:
    problem = location.problem(Path(place).resolve() / "lib")
    assert problem is not None


@pytest.mark.parametrize("place", ["/home/ada", "/Users/ada"])
def test_workspace_is_no_home(place: str) -> None:
    assert "a whole home" in str(location.problem(Path(place)))
    assert location.problem(Path(place, "project")) is None


def test_workspace_is_not_the_users_home_nor_above(
    make_settings: MakeSettings,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = workspace / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    # A home with a Python in it is a home first of all.
    monkeypatch.setattr("sys.path", [*sys.path, str(home / "lib")])
    for place in (home, workspace):
        line = refused(make_settings, WORKSPACE_PATH=place)
        assert "a whole home" in line


def test_home_is_known_by_its_keys(
    make_settings: MakeSettings, workspace: Path
) -> None:
    (workspace / ".ssh").mkdir()
    assert "a whole home" in refused(make_settings)
    keys = workspace / ".ssh"
    assert "keys are kept" in refused(make_settings, WORKSPACE_PATH=keys)


@pytest.mark.parametrize(
    "variable",
    [
        "MCP_AUTH_TOKENS_FILE",
        "MCP_AUTH_PUBLIC_KEY",
        "MCP_LOG_FILE",
        "MCP_ENV_FILE",
    ],
)
def test_callers_cannot_write_who_may_call(
    make_settings: MakeSettings, workspace: Path, variable: str
) -> None:
    file = workspace / "file"
    file.touch(mode=0o600)
    line = refused(make_settings, **{variable: file})
    assert line.startswith(f"{variable}: ")
    assert "lies in the workspace" in line


def test_callers_cannot_read_the_key(
    make_settings: MakeSettings, workspace: Path, tmp_path: Path
) -> None:
    link = workspace / "key.pem"
    link.symlink_to(tmp_path / "key.pem")
    line = refused(
        make_settings,
        MCP_TLS_CERTFILE=tmp_path / "cert.pem",
        MCP_TLS_KEYFILE=link,
    )
    assert line.startswith("MCP_TLS_KEYFILE: it lies in the workspace")


def test_public_key_may_stand_there_itself(
    make_settings: MakeSettings,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(workspace)
    pem = "-----BEGIN PUBLIC KEY-----\n"
    assert make_settings(MCP_AUTH_PUBLIC_KEY=pem).auth_public_key == pem


@pytest.mark.parametrize(
    "name", ["a" * 300, "b/" * 3000], ids=["name", "path"]
)
def test_name_that_the_system_refuses_is_one_line(
    make_settings: MakeSettings, name: str
) -> None:
    assert "there is no directory" in refused(
        make_settings, WORKSPACE_PATH=f"/{name}"
    )
