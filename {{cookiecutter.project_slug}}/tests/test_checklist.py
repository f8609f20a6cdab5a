"""The production checklist."""

import os
import re
from pathlib import Path

import pytest

from {{ cookiecutter.__package_name }} import checklist
from {{ cookiecutter.__package_name }}.settings import PACKAGE, Settings
from tests.conftest import MakeSettings

HTTP = {"MCP_TRANSPORT": "http"}
OUTSIDE = {
    **HTTP,
    "MCP_HOST": "0.0.0.0",  # noqa: S104 - nothing listens
    "MCP_AUTH": "bearer",
    "MCP_AUTH_TOKENS_FILE": "/tokens",
}


def marks(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> dict[str, str]:
    """Return the mark of each line that could be seen."""
    checklist.run(settings)
    shown = capsys.readouterr().out.split("\n\n")[0].splitlines()
    return {line[4:].partition(":")[0]: line[:4].strip() for line in shown}


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("clients come over TLS, or from this machine", OUTSIDE),
        ("every caller proves who it is", HTTP),
        ("it knows the names that it is called by", OUTSIDE),
        ("calls are limited", {"MCP_RATE_LIMIT": "off"}),
        (
            "what cannot be counted is refused",
            {"MCP_RATE_LIMIT_ON_FAILURE": "allow"},
        ),
        (
            "commands run in the whole sandbox",
            {
                "MCP_ALLOWED_COMMANDS": "ls",
                "MCP_COMMAND_SANDBOX": "best-effort",
            },
        ),
        (
            "the user is asked before destructive calls",
            {"MCP_APPROVAL": "never"},
        ),
        ("every call is logged", {"MCP_LOG_LEVEL": "WARNING"}),
        ("it is measured", {"MCP_METRICS_PORT": 0}),
    ],
    ids=lambda value: (
        value.replace(" ", "-") if isinstance(value, str) else ""
    ),
)
def test_what_weakens_the_server_is_named(
    text: str,
    variables: dict[str, object],
    make_settings: MakeSettings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sound = {"MCP_METRICS_PORT": 9090}

    assert marks(make_settings(**sound), capsys)[text] == "ok"
    assert marks(make_settings(**{**sound, **variables}), capsys)[text] == "NO"


def test_a_list_with_a_fault_ends_with_1(make_settings: MakeSettings) -> None:
    assert checklist.run(make_settings(MCP_RATE_LIMIT="off")) == 1


def test_a_proxy_that_ends_tls_is_believed(
    make_settings: MakeSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = make_settings(**OUTSIDE, MCP_BASE_URL="https://mcp.example.com")

    shown = marks(settings, capsys)
    assert shown["clients come over TLS, or from this machine"] == "ok"


def test_answers_are_shared_by_a_key(
    make_settings: MakeSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "every replica takes the user's answer"
    shared = {"MCP_RATE_LIMIT_STORAGE": "redis://127.0.0.1:1/0"}
    for variables, mark in (
        ({}, "ok"),
        (shared, "?"),
        ({**shared, "MCP_APPROVAL_KEY": "0123456789abcdef" * 2}, "ok"),
    ):
        assert marks(make_settings(**variables), capsys)[text] == mark


def test_replicas_cannot_ask_through_earlier_protocols(
    make_settings: MakeSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "users of every protocol are asked"
    shared = {
        "MCP_TRANSPORT": "http",
        "MCP_RATE_LIMIT_STORAGE": "redis://localhost/0",
    }
    for variables, mark in (
        ({"MCP_TRANSPORT": "http"}, "ok"),
        (shared, "?"),
        ({**shared, "MCP_APPROVAL": "always"}, "ok"),
        ({**shared, "MCP_TRANSPORT": "sse"}, "ok"),
    ):
        assert marks(make_settings(**variables), capsys)[text] == mark


def test_code_that_the_server_could_change_is_named(
    make_settings: MakeSettings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "it cannot change its own code"
    for can, mark in ((True, "NO"), (False, "ok")):
        monkeypatch.setattr(os, "access", lambda path, mode, can=can: can)
        assert marks(make_settings(), capsys)[text] == mark


@pytest.mark.parametrize(
    ("status", "mark"),
    [
        ("CapEff:\t0000000000000000\nNoNewPrivs:\t1", "ok"),
        ("CapEff:\t00000000a80425fb\nNoNewPrivs:\t0", "NO"),
        ("", "?"),
    ],
    ids=["hardened", "as-docker-starts-it", "not-linux"],
)
def test_what_the_container_may_do_is_read_from_the_kernel(
    status: str,
    mark: str,
    make_settings: MakeSettings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lines(path: Path) -> list[str]:
        return status.splitlines()

    monkeypatch.setattr(checklist, "_lines", lines)
    seen = marks(make_settings(), capsys)

    assert seen["it has no capabilities"] == mark
    assert seen["it can gain no privileges"] == mark


@pytest.mark.parametrize(
    ("limit", "mark"),
    [("max", "NO"), ("536870912", "ok")],
    ids=["without-end", "bounded"],
)
def test_what_it_may_take_is_read_from_its_group(
    limit: str,
    mark: str,
    make_settings: MakeSettings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        checklist,
        "_lines",
        lambda path: iter(["0::/x" if path.name == "cgroup" else limit]),
    )

    seen = marks(make_settings(), capsys)

    assert seen["its memory and its processes are bounded"] == mark


def test_what_cannot_be_seen_is_listed_with_its_command(
    make_settings: MakeSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    checklist.run(make_settings())
    shown = capsys.readouterr().out

    for text, command in checklist.BY_HAND.items():
        assert f"{text}: {command}" in shown


def test_list_has_every_item_of_the_security_page() -> None:
    page = (PACKAGE.parent / "SECURITY.md").read_text("utf-8")
    rows = re.findall(
        r"^\| ([A-Z][^|]+) \| \S",
        page.partition("## Before production")[2],
        re.M,
    )
    seen = {"the server starts as configured", "the container is hardened"}
    listed = {text.lower() for text in checklist.BY_HAND} | seen

    assert len(rows) > 15
    assert {row.lower() for row in rows} <= listed
