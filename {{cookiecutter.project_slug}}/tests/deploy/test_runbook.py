"""The commands of SECURITY.md, run as somebody in a hurry would run them."""

import base64
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from {{ cookiecutter.__package_name }}.environment import KNOWN
from {{ cookiecutter.__package_name }}.tokens import create, read_tokens
from tests.deploy.running import DEPLOY, PACKAGE, PROJECT, documents, program
from tests.deploy.test_clients import NAME

SECURITY = (PROJECT / "SECURITY.md").read_text("utf-8")
RUNBOOK = SECURITY[SECURITY.index("## Runbook") : SECURITY.index("## Alerts")]
LOG = """\
{"level":"INFO","event":"server_started","tool":null,"client_id":null}
{"level":"WARNING","event":"path_denied","tool":"read_file","client_id":"laptop"}
{"level":"WARNING","event":"tool_request_failed","tool":"read_file","client_id":"laptop"}
{"level":"INFO","event":"tool_request_completed","tool":"echo","client_id":"other"}
"""


SERVICES = documents(DEPLOY / "compose.yaml")[0]["services"]
GIVEN = SERVICES["server"]["environment"]
ours = pytest.mark.skipif(
    GIVEN["MCP_AUTH"] == "jwt", reason="an issuer makes the tokens"
)


def block(start: str) -> str:
    """Return the commands of the block that begins so, for one client."""
    indented = re.findall(r"```sh\n(.*?)```", RUNBOOK, re.DOTALL)
    found = next(b for b in indented if b.strip().startswith(start))
    return found.replace("CLIENT", "laptop")


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with a log, tokens and the server's command."""
    (tmp_path / "audit.log").write_text(LOG, "utf-8")
    create(tmp_path / "tokens", "laptop", ["files:read"])
    create(tmp_path / "tokens", "other", ["files:read"])
    (tmp_path / "workspace").mkdir()
    command = tmp_path / ".venv/bin" / NAME
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m {PACKAGE} "$@"\n')
    command.chmod(0o700)
    return tmp_path


def run(commands: str, desk: Path, *places: Path) -> str:
    """Run commands there; what is in these places goes before the rest."""
    done = subprocess.run(
        [program("sh"), "-ec", commands],
        check=True,
        cwd=desk,
        env={
            "PATH": ":".join([*map(str, places), os.environ["PATH"]]),
            "PYTHONPATH": str(PROJECT),
            "WORKSPACE_PATH": "workspace",
            "MCP_TRANSPORT": "stdio",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def clients(tokens: Path) -> list[str]:
    return [entry.client for entry in read_tokens(tokens)]


def test_the_events_are_counted(desk: Path) -> None:
    shown = run(block('grep -o \'"event"'), desk)

    assert re.search(r"1 \"event\":\"path_denied\"", shown)
    assert len(shown.splitlines()) == 4


def test_those_who_were_refused_are_named(desk: Path) -> None:
    shown = run(block('grep \'"level"'), desk)

    assert shown.split() == [
        "2",
        '"tool":"read_file","client_id":"laptop"',
    ]


def test_one_client_can_be_followed(desk: Path) -> None:
    shown = run(block('grep \'"client_id"'), desk)

    assert len(shown.splitlines()) == 2


@ours
def test_a_client_is_shut_out_and_let_in_again(desk: Path) -> None:
    run(block("sed"), desk)
    assert clients(desk / "tokens") == ["other"]

    token = run(block(f".venv/bin/{NAME} token"), desk)
    assert token.startswith("mcp_")
    assert len(read_tokens(desk / "tokens")) == 2


def test_a_client_is_shut_out_wherever_the_tokens_are(desk: Path) -> None:
    there = {
        "compose": GIVEN.get("MCP_AUTH_TOKENS_FILE"),
        "systemd": f"/etc/{NAME}/tokens",
    }
    rows = dict(re.findall(r"\| (\w+) \| `([^`]*\bsed\b[^`]*)` \|", RUNBOOK))

    assert set(rows) == (set(there) if there["compose"] else set())
    for place, command in rows.items():
        file = desk / f"{place}-tokens"
        shutil.copy(desk / "tokens", file)
        assert command.endswith(f" {there[place]}")
        # Of what compose runs, the program and its arguments.
        command = re.sub(r"docker .*--entrypoint sed server", "sed", command)
        command = command.replace("CLIENT", "laptop")
        run(command.replace(str(there[place]), str(file)), desk)
        assert clients(file) == ["other"]


@ours
@pytest.mark.skipif(
    not (DEPLOY / "kubernetes").exists(), reason="there are no manifests"
)
def test_a_client_is_shut_out_of_a_cluster(desk: Path) -> None:
    commands = block("umask")
    cluster, stub = desk / "cluster", desk / "bin"
    cluster.write_bytes(base64.b64encode((desk / "tokens").read_bytes()))
    (desk / "tokens").unlink()
    stub.mkdir()
    (stub / "kubectl").write_text(
        f"""\
#!/bin/sh
case "$*" in
    *" get secret tokens "*) cat {shlex.quote(str(cluster))} ;;
    *" replace --filename -") cat >{shlex.quote(str(cluster))} ;;
    *) exec {program("kubectl")} "$@" ;;
esac
"""
    )
    (stub / "kubectl").chmod(0o700)

    run(commands, desk, stub)

    (secret,) = documents(cluster)
    assert secret["metadata"]["namespace"] == NAME
    (desk / "kept").write_bytes(base64.b64decode(secret["data"]["tokens"]))
    (desk / "kept").chmod(0o600)
    assert clients(desk / "kept") == ["other"]
    assert clients(desk / "tokens") == ["other"], "and it is mode 0600"


def test_variables_are_put_where_they_are_read() -> None:
    unit = (DEPLOY / f"systemd/{NAME}.service").read_text("utf-8")
    told = re.findall(r"\| `(MCP_[A-Z_]+)=[^`]*` \|", RUNBOOK)

    assert told
    assert set(told) <= KNOWN
    assert f"`/etc/{NAME}/server.env`" in RUNBOOK
    assert f"--env-file /etc/{NAME}/server.env" in unit
    passed_on = {name for name, value in GIVEN.items() if "$" in value}
    assert not passed_on & set(told), "a shell's variables are passed on"


def test_it_is_seen_that_the_server_can_start_again(desk: Path) -> None:
    first = block(f".venv/bin/{NAME} check").strip().splitlines()[0]

    assert "can start" in run(first, desk)


def test_what_is_stopped_is_what_is_deployed() -> None:
    commands = re.findall(r"`docker compose ([^`]*)`", RUNBOOK)

    for command in commands:
        assert "--file deploy/compose.yaml" in command
    assert any(command.endswith("stop server") for command in commands)
    assert "server" in SERVICES
    assert (DEPLOY / f"systemd/{NAME}.service").is_file()
    for manifest in (DEPLOY / "kubernetes").rglob("server.yaml"):
        assert "kind: Deployment" in manifest.read_text("utf-8")
