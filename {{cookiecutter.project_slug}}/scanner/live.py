"""The server under test: started for real, with a workspace of its own."""

import contextlib
import os
import re
import secrets
import subprocess  # nosec B404 # for its TimeoutExpired alone
import sys
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from .processes import WORKSPACE, start
from .project import Project
from .text import visible
from .tools import ToolError, kill

START: Final = 30.0  # seconds until the first answer
PATIENCE: Final = 20.0  # seconds for each later one
STOP: Final = 10.0
MAX_LINE: Final = 16 * 2**20  # bytes of one message
LOG_LINES: Final = 3  # of its log, shown when it fails
ROOM: Final = threading.Semaphore(3)  # servers at once; each takes 40 MiB
MISSING: Final = re.compile(
    r"^ModuleNotFoundError: No module named '(\w+)", re.M
)
PROTOCOL: Final = "2025-11-25"
NOTHING: Final[Mapping[str, Any]] = {}

#: A word in the environment of every server, which no caller may learn.
CANARY: Final = f"probe{secrets.token_hex(12)}"
# Whatever the scan's own surroundings say, the server is told this.
FIXED: Final[Mapping[str, str]] = {
    "MCP_METRICS_PORT": "0",
    "MCP_LOG_FILE": "",
    "MCP_ENV_FILE": "",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONSAFEPATH": "1",
    "PROBE_CANARY": CANARY,
}


class Ended(ToolError):
    """The server is no longer there."""


class Silent(ToolError):
    """The server does not answer in time."""


class Noisy(ToolError):
    """The server says something else than the protocol on stdout."""


class Server(ABC):
    """The project's server as a process. Use as a context manager.

    Its log goes to a file that ends with it; it gets no descriptor and no
    variable of ours that it does not need.

    Args:
        project: Whose server it is.
        workspace: Where its tools work.
        through: A program that starts it, given the package and these words.
        variables: What else the server is told.
    """

    transport: ClassVar[str] = "http"  # if it is not told another one
    pipes: ClassVar[bool] = False  # whether we speak with it over its own

    def __init__(
        self,
        project: Project,
        workspace: Path,
        *,
        through: Sequence[str] = (),
        **variables: str,
    ) -> None:
        self._project = project
        self._command = _command(project, through)
        self._here = surroundings(workspace)
        given = {"MCP_TRANSPORT": self.transport, **variables}
        self._environment = environment(project, workspace, **given)

    def __enter__(self) -> Self:
        """Start the process when there is room, and wait until it answers.

        Raises:
            ToolError: It does not start, or does not speak the protocol.
        """
        with contextlib.ExitStack() as held:
            held.enter_context(ROOM)
            self._log = held.enter_context(tempfile.TemporaryFile())
            self._process = start(
                self._project,
                self._command,
                self._here,
                self._environment,
                self._log,
                pipes=self.pipes,
            )
            held.callback(self._end)
            self._greet()
            self._held = held.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End the process and all that it started."""
        self._held.close()

    def _end(self) -> None:
        """End it all. One that listens is asked first.

        Others may be at its other end. One on pipes has nobody else, and
        leaves nothing that is kept.
        """
        if not self.pipes and self.alive:
            self.terminate()
            self.wait(STOP)
        kill(self.pid)
        self._process.wait()

    @abstractmethod
    def _greet(self) -> None:
        """Wait until it answers."""

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    @property
    def log(self) -> str:
        """What the server has logged until now."""
        with contextlib.suppress(OSError, ValueError):
            data = os.pread(self._log.fileno(), MAX_LINE, 0)
            return data.decode("utf-8", "replace")
        return ""

    def terminate(self) -> None:
        """Send it SIGTERM."""
        self._process.terminate()

    def wait(self, patience: float) -> int | None:
        """Return the exit code; None if it does not end in time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(patience)
        return None

    def _hint(self) -> str:
        """Return the last lines of its log, for a person.

        Of a traceback that is the error, and then where it came from.
        """
        text = self.log[-4000:]
        lines = [
            visible(x.strip(), 160) for x in text.splitlines() if x.strip()
        ]
        if missing := MISSING.search(text):
            return f": it needs {missing[1]}, which is not there; run: uv sync"
        places = [line for line in lines if line.startswith('File "')]
        last = [lines[-1], places[-1]] if places else lines[-LOG_LINES:]
        return ": " + " | ".join(last) if lines else ""


def request(
    number: int, method: str, params: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a request (JSON-RPC 2.0, section 4)."""
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def hello(
    name: str = "security-scan", capabilities: Mapping[str, Any] = NOTHING
) -> dict[str, Any]:
    """Return what a client says of itself first (MCP, lifecycle)."""
    return {
        "protocolVersion": PROTOCOL,
        "capabilities": {**capabilities},
        "clientInfo": {"name": name, "version": "1"},
    }


def refusals() -> tuple[dict[str, Any], ...]:
    """Return the ways to say no to a question (MCP, elicitation)."""
    return (
        {"action": "decline"},
        {"action": "accept", "content": {}},
        {"action": "cancel"},
    )


def refused(message: Mapping[str, Any]) -> bool:
    """Tell whether a call was not done, in whatever way that was said."""
    result = message.get("result")
    failed = isinstance(result, dict) and result.get("isError")
    return "error" in message or bool(failed)


def surroundings(workspace: Path) -> Path:
    """Make and return where the server runs: beside the workspace.

    What a tool writes by a relative path, or into the home directory, goes
    away with the workspace.
    """
    for name in ("here", "home"):
        (workspace.parent / name).mkdir(exist_ok=True)
    return workspace.parent / "here"


def environment(
    project: Project, workspace: Path, **variables: str
) -> dict[str, str]:
    """Return a clean environment for the server, with these variables."""
    kept = {"LANG", "PATH", "SYSTEMROOT"}
    ours = {k: v for k, v in os.environ.items() if k in kept}
    home = str(workspace.parent / "home")
    places = dict.fromkeys(("HOME", "TEMP", "TMP", "TMPDIR"), home)
    given = {
        **ours,
        **places,
        **FIXED,
        "PYTHONPATH": str(project.root),
        WORKSPACE: str(workspace),
        **variables,
    }
    return {k: v for k, v in given.items() if v}


def _command(project: Project, through: Sequence[str]) -> list[str]:
    """Return what starts the server, with its environment or else ours."""
    folder = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    python = project.root / ".venv" / folder
    program = str(python) if python.exists() else sys.executable
    first, *rest = through or ["-m"]
    return [program, first, project.package, *rest]
