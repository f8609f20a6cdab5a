"""The unit: what it hides must not be what the server reads."""

import tomllib

from {{ cookiecutter.__package_name }}.settings import PACKAGE
from tests.deploy.running import DEPLOY

DEFAULTS = tomllib.loads((PACKAGE / "defaults.toml").read_text("utf-8"))
(FILE,) = (DEPLOY / "systemd").iterdir()
UNIT = dict(
    line.split("=", 1)
    for line in FILE.read_text("utf-8").splitlines()
    if line[:1].isalpha()
)


def test_the_server_sees_how_the_machine_is_doing() -> None:
    """Without /proc/stat, commands have no sandbox and metrics no process."""
    assert "ProcSubset" not in UNIT
    assert UNIT["ProtectProc"] == "invisible"


def test_the_workspace_is_there_even_below_a_home() -> None:
    home = DEFAULTS["WORKSPACE_PATH"].split("/")[1] in {"home", "root"}

    assert UNIT["ProtectHome"] == ("tmpfs" if home else "yes")
    assert UNIT.get("BindPaths") == (UNIT["ReadWritePaths"] if home else None)


def test_nothing_but_the_workspace_is_writable() -> None:
    given = UNIT["ReadWritePaths"].strip('"').replace("%%", "%")

    assert UNIT["ProtectSystem"] == "strict"
    assert given == DEFAULTS["WORKSPACE_PATH"]
    assert UNIT["NoNewPrivileges"] == "yes"
    assert UNIT["CapabilityBoundingSet"] == ""
