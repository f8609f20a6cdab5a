"""Running an outside program, and never taking its silence for a pass."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess  # nosec B404 # argument lists, never a shell
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .model import State
from .text import without_credentials

MAX_OUTPUT = 32 * 2**20  # bytes; a tool that prints more is broken
_POLL = 0.2  # seconds between looks at how much a tool has printed
_DROPPED = re.compile(
    r"PYTHON(PATH|HOME|STARTUP|WARNINGS|INSPECT|DONTWRITEBYTECODE)|GIT_.*"
)


class ToolError(Exception):
    """A tool did not do its work: the check did not pass.

    Attributes:
        state: ``NOT_RUN`` when the tool is not there, else ``ERROR``.
        reason: One line: which tool, and why.
    """

    def __init__(self, reason: str, state: State = State.ERROR) -> None:
        self.reason = without_credentials(reason)
        super().__init__(self.reason)
        self.state = state


@dataclass(frozen=True, slots=True)
class Tool:
    """An outside program that is there and told its version."""

    name: str
    path: Path
    version: str


@dataclass(frozen=True, slots=True)
class ToolRun:
    """What a program printed and how it ended; it did end."""

    name: str
    exit_code: int
    stdout: bytes
    stderr: bytes

    def json(self) -> Any:
        """Return the output parsed.

        Raises:
            ToolError: It printed nothing, or no JSON.
        """
        if not self.stdout.strip():
            raise ToolError(f"{self.name} printed nothing{self._hint()}")
        try:
            return json.loads(self.stdout)
        except (ValueError, RecursionError):
            raise ToolError(
                f"{self.name} printed no JSON{self._hint()}"
            ) from None

    def expect(self, *exit_codes: int) -> "ToolRun":
        """Return itself, if it ended with one of these codes.

        Raises:
            ToolError: It ended otherwise: it crashed.
        """
        if self.exit_code not in exit_codes:
            raise ToolError(f"{self.name} failed{self._hint()}")
        return self

    def _hint(self) -> str:
        text = self.stderr.decode("utf-8", "replace")
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        # What comes after the error is its cause, or advice.
        errors = [x for x in lines if x.lower().startswith("error:")]
        gist = without_credentials(next(iter(errors + lines[-1:]), ""))
        return f" (exit {self.exit_code}{': ' if gist else ''}{gist[:200]})"


def find_tool(name: str, root: Path | None = None) -> Path | None:
    """Find a program beside this interpreter, in the .venv, or on PATH."""
    places = [Path(sys.executable).parent]
    if root is not None:
        folder = "Scripts" if os.name == "nt" else "bin"
        places.append(root / ".venv" / folder)
    search = os.pathsep.join(map(str, places))
    found = shutil.which(name, path=search) or shutil.which(name)
    return Path(found).absolute() if found else None


def installed(name: str, root: Path) -> Path:
    """Return where the program is.

    Raises:
        ToolError: It is missing (``NOT_RUN``).
    """
    path = find_tool(name, root)
    if path is None:
        raise ToolError(
            f"{name} is not installed; run uv sync --group security",
            State.NOT_RUN,
        )
    return path


def require(
    name: str,
    root: Path,
    *,
    at_least: tuple[int, ...] = (),
    below: tuple[int, ...] = (),
    timeout: float = 30.0,
) -> Tool:
    """Return the program, known to start and to be of a version we know.

    Raises:
        ToolError: It is missing (``NOT_RUN``), does not tell its version, or
            is of another one (``ERROR``).
    """
    path = installed(name, root)
    run = run_tool([path, "--version"], name=name, timeout=timeout).expect(0)
    text = (run.stdout + b"\n" + run.stderr).decode("utf-8", "replace")
    found = re.search(r"\b\d+(\.\d+)+\b", text)
    if found is None:
        raise ToolError(f"{name} does not tell its version")
    version = tuple(int(part[:9]) for part in found[0].split("."))
    if version < at_least or (below and version >= below):
        wanted = f">={_dotted(at_least)}" + (
            f",<{_dotted(below)}" if below else ""
        )
        raise ToolError(f"{name} {found[0]} is the wrong version ({wanted})")
    return Tool(name, path, found[0])


def run_tool(
    argv: Sequence[str | Path],
    *,
    name: str = "",
    cwd: Path | None = None,
    timeout: float = 60.0,
    max_output: int = MAX_OUTPUT,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
) -> ToolRun:
    """Run a program to its end, within its time and its output (CWE-400).

    Args:
        argv: The program and its arguments; no shell sees them.
        name: What messages call it; the program's file name by default.
        cwd: Where it runs.
        timeout: Seconds, after which its whole process group is killed.
        max_output: Bytes on standard output and error together.
        env: Added to the environment; Python's and Git's own variables that
            change what runs are taken out.
        stdin: What it reads on standard input.

    Raises:
        ToolError: It did not start, did not end, or printed too much.
    """
    name = name or Path(argv[0]).name
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write(stdin)
        given.seek(0)
        try:
            process = subprocess.Popen(  # nosec B603 # no shell
                [os.fspath(part) for part in argv],
                cwd=cwd,
                env=_environment(env or {}),
                stdin=given,
                stdout=out,
                stderr=err,
                start_new_session=os.name != "nt",
            )
        except (OSError, ValueError) as error:
            why = _why_not(error, argv[0])
            raise ToolError(f"{name} does not start ({why})") from None
        try:
            files = (out.fileno(), err.fileno())
            _wait(process, name, files, timeout, max_output)
        finally:
            kill(process.pid)
            process.wait()
        out.seek(0)
        err.seek(0)
        return ToolRun(name, process.returncode, out.read(), err.read())


def _why_not(error: Exception, program: str | os.PathLike[str]) -> str:
    """Say why a program does not start; of a moved one, what to do."""
    if isinstance(error, FileNotFoundError) and Path(program).exists():
        return "moved away from its Python: run uv sync --reinstall"
    return str(error)


def _wait(
    process: subprocess.Popen[bytes],
    name: str,
    files: tuple[int, int],
    timeout: float,
    max_output: int,
) -> None:
    """Wait for the end; a tool that never comes to one is an error."""
    deadline = time.monotonic() + timeout
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(min(_POLL, max(0, deadline - time.monotonic())))
        if sum(os.fstat(number).st_size for number in files) > max_output:
            raise ToolError(f"{name} printed more than {max_output} bytes")
        if process.returncode is not None:
            return
        if time.monotonic() >= deadline:
            raise ToolError(f"{name} did not end within {timeout:.3g} s")


def kill(leader: int) -> None:
    """End a process and what it started and left behind in its session."""
    with contextlib.suppress(OSError):
        if os.name == "nt":
            os.kill(leader, signal.SIGTERM)  # ends it at once there
        else:
            os.killpg(leader, signal.SIGKILL)


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return ours without what changes a program's code or its colours.

    Nor is it compiled anew each time: what it is made of is not the project's.
    """
    kept = {k: v for k, v in os.environ.items() if not _DROPPED.fullmatch(k)}
    return {**kept, "NO_COLOR": "1", "PYTHONSAFEPATH": "1", **extra}


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
