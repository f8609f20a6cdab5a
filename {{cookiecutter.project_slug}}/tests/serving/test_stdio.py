import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from {{ cookiecutter.__package_name }}.settings import PACKAGE
from tests.serving.harness import INITIALIZE, call
from tests.serving.nursery import PROJECT
from tests.serving.processes import Process, process

MODERN = {"MCP_TRANSPORT": "stdio"}


def send(running: Process, *messages: object) -> None:
    for message in messages:
        line = message if isinstance(message, bytes) else encode(message)
        running.stdin.write(line + b"\n")
    running.stdin.flush()


def encode(message: object) -> bytes:
    return json.dumps(message).encode()


def receive(running: Process) -> Any:
    return json.loads(running.stdout.readline())


def start(tmp_path: Path, **variables: object) -> Any:
    return process(tmp_path, listening=False, **MODERN, **variables)


def texts(lines: bytes) -> dict[int, str]:
    found = {}
    for line in lines.splitlines():
        message = json.loads(line)
        found[message["id"]] = message["result"]["content"][0]["text"]
    return found


def test_both_eras_are_served(tmp_path: Path) -> None:
    with start(tmp_path) as running:
        send(running, INITIALIZE)
        assert receive(running)["result"]["serverInfo"]["name"] == "demo"
    with start(tmp_path) as running:
        send(running, call("echo", {"message": "hello"}))
        assert receive(running)["result"]["content"][0]["text"] == "hello"


def test_nothing_but_the_protocol_is_on_stdout(tmp_path: Path) -> None:
    with start(tmp_path) as running:
        send(running, call("chatter"))
        stdout = running.finish()
        assert texts(stdout) == {1: ""}
        log = running.log.read_text("utf-8")
        assert "printed by a tool" in log
        assert "written by a tool" in log


def test_end_of_stdin_waits_for_the_answers(tmp_path: Path) -> None:
    with start(tmp_path) as running:
        send(
            running,
            *(call("sleep", {"seconds": 1}, request=n) for n in range(20)),
            call("block", {"seconds": 1}, request=20),
        )
        stdout = running.finish()
        assert sorted(texts(stdout)) == list(range(21))
        assert running.wait() == 0
        assert running.events("cleaned_up")
        assert running.events("server_stopped")


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"]
)
def test_signal_waits_for_the_answers(
    tmp_path: Path, number: signal.Signals
) -> None:
    with start(tmp_path) as running:
        calls = (call("sleep", {"seconds": 1}, request=n) for n in range(20))
        send(running, *calls)
        running.wait_for("sleeping", 20)
        running.signal(number)
        assert sorted(texts(running.stdout.read())) == list(range(20))
        assert running.wait() == 0
        assert running.events("cleaned_up")


def test_call_that_outlasts_the_grace_is_cut_off(tmp_path: Path) -> None:
    with start(tmp_path, MCP_SHUTDOWN_GRACE=1) as running:
        send(running, call("block", {"seconds": 30}))
        running.wait_for("blocking")
        assert running.end(signal.SIGTERM) == 0
        assert not texts(running.stdout.read())
        assert running.events("cleaned_up")


def test_client_that_reads_no_more_is_left(tmp_path: Path) -> None:
    with start(tmp_path) as running:
        running.stdout.close()
        send(running, call("echo", {"message": "hello"}))
        assert running.wait() == 0
        assert running.events("cleaned_up")


def test_client_that_never_reads_does_not_hold_up_the_end(
    tmp_path: Path,
) -> None:
    with start(tmp_path, MCP_SHUTDOWN_GRACE=1) as running:
        send(running, call("echo", {"message": "x" * 500_000}))
        running.stdin.close()
        assert running.wait() == 0


@pytest.mark.parametrize(
    "line",
    [
        b"no JSON",
        b"[" * 100_000,
        b'{"jsonrpc":"2.0"}',
        b"\xff\xfe",
        b'"' + b"x" * 2_000_000 + b'"',
    ],
    ids=["text", "deep", "no message", "no UTF-8", "too long"],
)
def test_unreadable_line_is_refused_and_the_next_one_served(
    tmp_path: Path, line: bytes
) -> None:
    with start(tmp_path, MCP_MAX_REQUEST_SIZE="1MiB") as running:
        send(running, line, call("echo", {"message": "hello"}))
        refusal, answer = receive(running), receive(running)
        assert refusal["error"]["code"] == -32700
        assert answer["result"]["content"][0]["text"] == "hello"


def test_endless_line_is_not_kept(tmp_path: Path) -> None:
    with start(tmp_path, MCP_MAX_REQUEST_SIZE="1MiB") as running:
        send(running, call("who"))
        receive(running)
        before = running.peak_memory()
        for _ in range(200):
            running.stdin.write(b"x" * 2**20)
        send(running, b"", call("who", request=2))
        assert receive(running)["error"]["code"] == -32700
        assert receive(running)["id"] == 2
        assert running.peak_memory() - before < 20 * 2**20


def test_file_as_stdin_is_served(tmp_path: Path) -> None:
    given = tmp_path / "requests"
    given.write_bytes(encode(call("echo", {"message": "hello"})) + b"\n")
    with start(tmp_path, stdin=given) as running:
        assert texts(running.finish()) == {1: "hello"}
        assert running.wait() == 0


def test_program_is_served_as_what_is_forked_here(tmp_path: Path) -> None:
    with start(tmp_path) as running:
        done = subprocess.run(
            [sys.executable, "-m", "tests.serving.demo"],
            cwd=PROJECT,
            env=running.environ,
            input=encode(call("echo", {"message": "hello"})) + b"\n",
            capture_output=True,
            timeout=50,
            check=True,
        )
    assert texts(done.stdout) == {1: "hello"}


@pytest.mark.parametrize(
    "closed",
    ["<&-", ">&-", "2>&-", "<&- 2>&-"],
    ids=["0", "1", "2", "0 and 2"],
)
def test_stream_that_was_closed_before_is_nobodys(
    workspace: Path, closed: str
) -> None:
    """What is opened next must not stand in for it."""
    program = [sys.executable, "-m", PACKAGE.name]
    result = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *program],
        cwd=PACKAGE.parent,
        env={
            **os.environ,
            **MODERN,
            "MCP_AUTH": "none",
            "MCP_METRICS_PORT": "0",
            "WORKSPACE_PATH": str(workspace),
        },
        input=encode(call("echo", {"message": "hello"})) + b"\n",
        capture_output=True,
        timeout=50,
        check=False,
    )
    assert result.returncode == 0
    assert b"Traceback" not in result.stderr
    heard = "<" not in closed and not closed.startswith(">")
    assert texts(result.stdout) == ({1: "hello"} if heard else {})
    assert (b"server_stopped" in result.stderr) is ("2" not in closed)
