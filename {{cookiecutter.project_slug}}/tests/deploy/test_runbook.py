"""The commands of SECURITY.md, run as somebody in a hurry would run them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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


def block(start: str) -> str:
    """Return the commands of the block that begins so."""
    indented = re.findall(r"```sh\n(.*?)```", RUNBOOK, re.DOTALL)
    return next(b for b in indented if b.strip().startswith(start))


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


def run(commands: str, desk: Path) -> str:
    done = subprocess.run(
        [program("sh"), "-ec", commands],
        check=True,
        cwd=desk,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "WORKSPACE_PATH": "workspace",
            "MCP_TRANSPORT": "stdio",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


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


def test_a_client_is_shut_out_and_let_in_again(desk: Path) -> None:
    run(block("sed"), desk)
    assert [e.client for e in read_tokens(desk / "tokens")] == ["other"]

    token = run(block(f".venv/bin/{NAME} token"), desk)
    assert token.startswith("mcp_")
    assert len(read_tokens(desk / "tokens")) == 2


def test_it_is_seen_that_the_server_can_start_again(desk: Path) -> None:
    first = block(f".venv/bin/{NAME} check").strip().splitlines()[0]

    assert "can start" in run(first, desk)


def test_what_is_stopped_is_what_is_deployed() -> None:
    services = documents(DEPLOY / "compose.yaml")[0]["services"]
    commands = re.findall(r"`docker compose ([^`]*)`", RUNBOOK)

    for command in commands:
        assert "--file deploy/compose.yaml" in command
    assert any(command.endswith("stop server") for command in commands)
    assert "server" in services
    assert (DEPLOY / f"systemd/{NAME}.service").is_file()
    for manifest in (DEPLOY / "kubernetes").rglob("server.yaml"):
        assert "kind: Deployment" in manifest.read_text("utf-8")
