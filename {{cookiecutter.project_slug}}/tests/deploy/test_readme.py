"""The commands of the README, run in their order by somebody who is new."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.deploy.running import (
    PACKAGE,
    PROJECT,
    eventually,
    free_port,
    program,
    started,
    status_of,
)
from tests.deploy.test_clients import NAME

# Each command starts an interpreter, and a busy machine takes its time.
pytestmark = pytest.mark.timeout(300)

README = (PROJECT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
START = re.compile(rf"(?:\w+=\S+ )*\.venv/bin/{NAME}(?: --env-file \S+)?")
#: What is run elsewhere, or cannot be.
ELSEWHERE = {
    "docker build": "the job Image of .github/workflows/ci.yml",
    "security_scan.py": "tests/scanner",
    "-m pytest": "this is it",
    "uv sync": "every job of .github/workflows/ci.yml",
}
TOKEN = re.compile(r'"\$(TOKEN_\w+)"')


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder that looks like the project, without what a person made."""
    scripts = tmp_path / ".venv/bin"
    scripts.mkdir(parents=True)
    files = tmp_path / "workspace"
    # A client passes few variables on to the server that it starts.
    given = f"""\
#!/bin/sh
export PYTHONPATH={shlex.quote(str(PROJECT))}
[ "$WORKSPACE_PATH" ] || export WORKSPACE_PATH={shlex.quote(str(files))}
"""
    code = "from fastmcp.cli import app; app()"
    for name, arguments in {
        NAME: ["-m", PACKAGE],
        "fastmcp": ["-c", code],
        "python": [],
    }.items():
        command = shlex.join([sys.executable, *arguments])
        script = scripts / name
        script.write_text(f'{given}exec {command} "$@"\n', "utf-8")
        script.chmod(0o700)
    for file in (".mcp.json", ".env.example"):
        shutil.copy(PROJECT / file, tmp_path)
    shutil.copytree(PROJECT / "workspace", files)
    return tmp_path


def test_a_reader_reaches_a_tool_call(desk: Path) -> None:
    port = free_port()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(desk),
        "MCP_PORT": str(port),
        "MCP_METRICS_PORT": "0",
    }
    shown, last = "", ""
    with ExitStack() as running:
        for block in commands():
            block = block.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
            if START.fullmatch(block.strip()):
                running.enter_context(_serving(block, desk, env, port))
                continue
            done = _run(block, desk, env)
            shown, last = shown + done.stdout, block
            if token := re.search(r"^(mcp_|ey)\S+$", _said(done), re.M):
                env |= dict.fromkeys(TOKEN.findall(README), token[0])

    assert "read_file" in shown
    assert "hello" in shown
    assert "can start over" in shown
    list_ = _run(last.replace(" check", " checklist"), desk, env, 1)
    assert "What cannot be seen from here" in list_.stdout


def test_every_command_is_run_here_or_elsewhere() -> None:
    run = set(commands())

    for block in BLOCKS:
        assert block in run or any(part in block for part in ELSEWHERE)


def commands() -> Iterator[str]:
    """Yield the blocks up to the first call, in their order."""
    for block in BLOCKS:
        if not any(part in block for part in ELSEWHERE):
            yield block


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return f"{done.stdout}\n{done.stderr}"


def _run(
    block: str, desk: Path, env: dict[str, str], *codes: int
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [program("sh"), "-ec", block],
        check=False,
        cwd=desk,
        env=env,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode in (0, *codes), block + _said(done)
    return done


def _serving(
    block: str, desk: Path, env: dict[str, str], port: int
) -> "ExitStack":
    """Start the server as a person would in a terminal of its own."""
    stack = ExitStack()
    popen = stack.enter_context(
        started(
            *(program("sh"), "-ec", f"cd {desk}; exec env {block}"),
            log=desk / "server.log",
            env=env,
        )
    )
    url = f"http://127.0.0.1:{port}/health"
    eventually(lambda: status_of(url) == 200 or popen.poll() is not None)
    assert popen.poll() is None, (desk / "server.log").read_text("utf-8")
    return stack
