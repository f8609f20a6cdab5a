import os
import socket

import pytest

from scanner.checks import permissions
from scanner.model import State
from scanner.rules import rules_for

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX modes")


@pytest.fixture
def found(make_project, options):
    """Checks a project after a change; returns rule and path of each."""

    def check(change, **files):
        project = make_project(**files)
        change(project.root)
        result = permissions.check(project, options)
        assert result.complete
        return {
            (f.id.removeprefix("MCP-PERM-"), f.path): f.severity.value
            for f in result.findings
        }

    return check


def mode(path, bits):
    return lambda root: (root / path).chmod(bits)


def test_a_clean_project_has_no_findings(found):
    assert found(lambda root: None) == {}


MODULE = "small_server/settings.py"


@pytest.mark.parametrize(
    ("bits", "rule", "severity"),
    [
        (0o646, "001", "high"),
        (0o664, "002", "medium"),
        (0o4644, "003", "high"),
        (0o2644, "003", "high"),
        (0o744, "004", "low"),
    ],
    ids=["world", "group", "setuid", "setgid", "executable"],
)
def test_a_mode_that_is_too_wide_is_found(found, bits, rule, severity):
    assert found(mode(MODULE, bits)) == {(rule, MODULE): severity}


@pytest.mark.parametrize("bits", [0o644, 0o640, 0o600, 0o444])
def test_a_mode_that_is_narrow_is_none(found, bits):
    assert found(mode(MODULE, bits)) == {}


@pytest.mark.parametrize(
    ("bits", "hits"),
    [(0o757, ["high"]), (0o1777, ["medium"]), (0o755, [])],
    ids=["others", "sticky", "none"],
)
def test_a_folder_that_everybody_can_write_is_found(found, bits, hits):
    severities = found(mode("small_server", bits))
    assert list(severities.values()) == hits


@pytest.mark.parametrize(("folder", "found_"), [(0o755, 1), (0o700, 0)])
def test_a_secret_is_open_unless_its_folder_is_closed(found, folder, found_):
    path = "deploy/secrets/password"
    assert len(found(mode("deploy/secrets", folder), **{path: "a"})) == found_


def test_a_script_may_be_executable(found):
    files = {"run.sh": "#!/bin/sh\n"}
    assert found(mode("run.sh", 0o755), **files) == {}


@pytest.mark.parametrize("name", ["run.bat", "run.CMD", "run.ps1", "a.exe"])
def test_a_program_of_windows_may_be_executable(found, name):
    assert found(mode(name, 0o755), **{name: "MZ"}) == {}


@pytest.fixture
def widened(make_project, options):
    """Checks a project of which everybody may do everything to each file."""
    project = make_project()
    for path in project.root.rglob("*"):
        path.chmod(0o777)
    return lambda: permissions.check(project, options)


def test_a_file_system_that_keeps_no_modes_is_told_of_once(
    widened, monkeypatch
):
    kept = os.fstat

    def wide(number):
        status = list(kept(number))
        status[0] |= 0o777
        return os.stat_result(status)

    monkeypatch.setattr(permissions.os, "fstat", wide)
    result = widened()

    assert result.findings == ()
    assert "keeps no modes" in result.reason
    assert not result.complete


def test_modes_that_somebody_opened_are_findings(widened):
    found = {f.id for f in widened().findings}

    assert {"MCP-PERM-001", "MCP-PERM-004"} <= found


def test_a_umask_of_ones_own_group_is_let_be(found):
    def widen(root):
        for path in root.rglob("*"):
            if path.is_file():
                os.chown(path, os.getuid(), os.getuid())
                path.chmod(0o664)

    assert found(widen) == {}


KEY = "-----BEGIN " + "PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".env", "A=1\n"),
        ("deploy/.env.production", "A=1\n"),
        ("tokens", "a:b:c\n"),
        ("certs/server.key", KEY),
        ("certs/server.pem", KEY),
        ("id_ed25519", KEY),
        ("deploy/tokens.txt", f"client:{'0a' * 32}:files:read\n"),
        ("deploy/api-token", "Ab1-" * 10 + "\n"),
    ],
)
def test_secrets_that_others_can_read_are_found(found, name, text):
    assert found(mode(name, 0o640), **{name: text}) == {("005", name): "high"}
    assert found(mode(name, 0o600), **{name: text}) == {}


@pytest.mark.parametrize("name", ["certs/server.key", "id_rsa"])
def test_a_key_that_git_ignores_is_looked_at(found, name):
    files = {name: KEY, ".gitignore": ".env\n*.key\nid_*\n"}

    assert found(mode(name, 0o644), **files) == {("005", name): "high"}
    assert found(mode(name, 0o600), **files) == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".env.example", "A=\n"),
        ("certs/ca.pem", "-----BEGIN CERTIFICATE-----\n"),
        ("small_server/tokens.py", "x = 1\n"),
        ("id_ed25519.pub", "ssh-ed25519 AAAA\n"),
        ("docs/tokens", "A token is a word that says who is calling.\n"),
        ("assets/design-tokens", "--color-background-primary-hover-100: x\n"),
        ("src/id_map", "a: 1\n"),
    ],
)
def test_what_holds_no_secret_may_be_read(found, name, text):
    assert found(lambda root: None, **{name: text}) == {}


@pytest.mark.parametrize("target", ["/", "/etc/passwd", "../x", "none/../.."])
def test_a_link_out_of_the_project_is_found(found, target):
    def link(root):
        (root / "link").symlink_to(target)

    assert found(link) == {("006", "link"): "medium"}


def test_a_link_out_of_the_workspace_is_found_though_git_ignores_it(found):
    def link(root):
        (root / "workspace/notes").mkdir(parents=True)
        (root / "workspace/notes/all").symlink_to("/etc")
        (root / "workspace/mine").symlink_to("notes")

    ignored = {".gitignore": "/workspace/*\n"}
    outside = ("006", "workspace/notes/all")
    assert found(link, **ignored) == {outside: "medium"}


def test_a_link_to_an_environment_is_one_as_good_as_here(found, tmp_path):
    (tmp_path / "env").mkdir()
    (tmp_path / "env/pyvenv.cfg").touch()
    place = tmp_path / "env"
    assert found(lambda root: (root / ".venv").symlink_to(place)) == {}


@pytest.mark.parametrize("target", ["README.md", "small_server", "link"])
def test_a_link_within_the_project_is_none(found, target):
    assert found(lambda root: (root / "link").symlink_to(target)) == {}


def test_a_pipe_is_found_and_not_read(found):
    assert found(lambda root: os.mkfifo(root / "p")) == {("007", "p"): "low"}


def test_a_socket_is_found(found, monkeypatch):
    with socket.socket(socket.AF_UNIX) as listener:

        def bind(root):
            monkeypatch.chdir(root)
            listener.bind("s")

        assert found(bind) == {("007", "s"): "low"}


def test_a_system_without_modes_is_not_applicable(
    make_project, options, monkeypatch
):
    project = make_project()
    monkeypatch.setattr("scanner.checks.permissions.os.name", "nt")
    result = permissions.check(project, options)
    monkeypatch.undo()
    assert result.state is State.NOT_APPLICABLE


def test_every_rule_is_planted_here():
    rules = {
        rule.id.removeprefix("MCP-PERM-") for rule in rules_for("MCP-PERM-")
    }
    assert rules == {f"00{number}" for number in range(1, 8)}
