import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from {{ cookiecutter.__package_name }}.settings import PACKAGE
from tests.serving.processes import Process, process

WORKERS = {"MCP_WORKERS": 2, "MCP_RATE_LIMIT": "off"}


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text("ascii")
    return state.rpartition(") ")[2][0] != "Z"


def built(running: Process, count: int = 2) -> dict[int, int]:
    """Return each worker's process by its number, the last that was built."""
    events = running.wait_for("built", count)
    return {event["worker"]: event["pid"] for event in events}


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"]
)
def test_each_worker_builds_its_own_and_all_stop_in_order(
    tmp_path: Path, number: signal.Signals
) -> None:
    with process(tmp_path, **WORKERS) as running:
        workers = built(running)
        assert sorted(workers) == [0, 1]
        assert len(set(workers.values()) - {running.pid}) == 2
        assert running.end(number) == 0
        assert len(running.events("cleaned_up")) == 2
        assert not any(map(is_alive, workers.values()))


def test_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with process(tmp_path, **WORKERS) as running:
        workers = built(running)
        os.kill(workers[1], signal.SIGKILL)
        again = built(running, 3)
        assert again[0] == workers[0]
        assert again[1] != workers[1]
        url = f"http://127.0.0.1:{running.port}/health"
        assert httpx2.get(url, trust_env=False).status_code == 200
        assert running.end(signal.SIGTERM) == 0


def test_workers_that_cannot_start_end_the_start(tmp_path: Path) -> None:
    with process(
        tmp_path, listening=False, DEMO_BROKEN=1, **WORKERS
    ) as running:
        assert running.wait() == 7


STRUCK = """
import os, signal
from types import SimpleNamespace
from {package}.serving import workers

forked, fork = 0, os.fork

def struck():
    global forked
    forked += 1
    pid = fork()
    if not pid and forked == 1:
        os.kill(os.getpid(), signal.SIGTERM)
    return pid

os.fork = struck
workers.fork_workers(SimpleNamespace(workers=1, shutdown_grace=1))
os._exit(10 + forked)
"""


def test_signal_that_meets_a_worker_at_its_birth_ends_it() -> None:
    """It must not be lost between the parent's handlers and its own."""
    code = STRUCK.format(package=PACKAGE.name)
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, timeout=60
    )
    assert ended.returncode == 12  # the second worker, in place of the first


def test_workers_do_not_outlive_their_parent(tmp_path: Path) -> None:
    with process(tmp_path, **WORKERS) as running:
        workers = built(running)
        running.end(signal.SIGKILL)
        deadline = time.monotonic() + 30
        while any(map(is_alive, workers.values())):
            assert time.monotonic() < deadline
            time.sleep(0.05)
