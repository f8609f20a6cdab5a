"""One JSON line per event, in a fixed shape, without values."""

import json
import logging
import stat
from datetime import datetime
from pathlib import Path

import pytest
from mcp.shared.exceptions import MCPError

from {{ cookiecutter.__package_name }} import log
from {{ cookiecutter.__package_name }}.attempts import TOLD


def test_line_has_every_field_in_order(
    capfd: pytest.CaptureFixture[str],
) -> None:
    log.configure("INFO")
    log.event("server_started", transport="stdio")
    captured = capfd.readouterr()
    line = json.loads(captured.err)
    assert list(line) == [
        *("timestamp", "level", "event", "tool", "client_id", "request_id"),
        "transport",
    ]
    assert datetime.fromisoformat(line["timestamp"]).utcoffset().seconds == 0
    assert (line["level"], line["event"]) == ("INFO", "server_started")
    assert captured.out == ""


def test_event_below_the_level_is_not_written(
    capfd: pytest.CaptureFixture[str],
) -> None:
    log.configure("WARNING")
    log.event("server_started")
    log.event("path_denied", level="warning")
    assert capfd.readouterr().err.count("\n") == 1
    log.configure("INFO")


@pytest.mark.parametrize(
    "value", ["a\nb", "a\r\nb", "\u2028", "\x1b[31m", "\x00"]
)
def test_value_cannot_forge_a_line(
    capfd: pytest.CaptureFixture[str], value: str
) -> None:
    log.configure("INFO")
    log.event("path_denied", reason=value)
    written = capfd.readouterr().err
    assert len(written.splitlines()) == 1
    assert json.loads(written)["reason"] == value
    assert "\x1b" not in written


def test_file_is_private_and_appended_to(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    file.write_text("earlier\n")
    file.chmod(0o644)
    log.configure("INFO", file)
    log.event("server_started")
    log.configure("INFO")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().startswith("earlier\n{")


def test_file_rotates_and_stays_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "FILE_SIZE", 300)
    file = tmp_path / "audit.log"
    log.configure("INFO", file)
    for _ in range(20):
        log.event("server_started")
    log.configure("INFO")
    files = sorted(tmp_path.iterdir())
    assert len(files) == log.FILES_KEPT + 1
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}


def test_library_message_loses_its_values(
    capfd: pytest.CaptureFixture[str],
) -> None:
    log.configure("INFO")
    secret = "tok" + "en-1234"
    try:
        raise ValueError(secret)
    except ValueError:
        logging.getLogger("some.library").exception("failed with %s", secret)
    lines = [json.loads(x) for x in capfd.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == [
        "internal_error",
        "library_message",
    ]
    assert lines[0]["exception"] == "ValueError"
    assert lines[0]["frames"][-1].startswith("test_log.py:")
    assert lines[1]["logger"] == "some.library"
    assert secret not in str(lines)


def test_library_cannot_be_made_to_fill_the_log(
    capfd: pytest.CaptureFixture[str],
) -> None:
    log.configure("INFO")
    for _ in range(TOLD + 10):
        logging.getLogger("some.library").warning("again")
    assert capfd.readouterr().err.count("library_message") == TOLD


def test_answer_to_a_callers_mistake_is_no_fault(
    capfd: pytest.CaptureFixture[str],
) -> None:
    log.configure("INFO")
    try:
        raise MCPError(-32602, "Invalid")
    except MCPError:
        logging.getLogger("some.library").exception("refused")
    assert "internal_error" not in capfd.readouterr().err
