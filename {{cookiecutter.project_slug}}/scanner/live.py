"""The server under test: started for real, with a workspace of its own."""

import contextlib
import json
import os
import queue
import re
import secrets
import signal
import subprocess  # nosec B404 # for its TimeoutExpired alone
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, ClassVar, Final

from .processes import Process, start
from .project import Project
from .text import visible
from .tools import ToolError

START: Final = 30.0  # seconds until the first answer
PATIENCE: Final = 20.0  # seconds for each later one
STOP: Final = 10.0
MAX_LINE: Final = 16 * 2**20  # bytes of one message
LOG_LINES: Final = 3  # of its log, shown when it fails
MISSING: Final = re.compile(
    r"^ModuleNotFoundError: No module named '(\w+)", re.M
)
PROTOCOL: Final = "2025-11-25"

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


class StdioServer:
    """The project's server as a process that speaks over pipes.

    Its log goes to a file that ends with it; it gets no descriptor and no
    variable of ours that it does not need. Use as a context manager.

    Args:
        project: Whose server it is.
        workspace: Where its tools work.
        through: A program that starts it, given the package and these words.
        variables: What else the server is told.
    """

    capabilities: ClassVar[Mapping[str, Any]] = {}  # what we can do for it

    def __init__(
        self,
        project: Project,
        workspace: Path,
        *,
        through: Sequence[str] = (),
        **variables: str,
    ) -> None:
        self._project = project
        self._command = command(project, through)
        self._here = surroundings(workspace)
        self._environment = environment(
            project, workspace, MCP_TRANSPORT="stdio", **variables
        )
        self._ids = iter(range(1, 2**31))
        self._lines: queue.Queue[bytes | None] = queue.Queue()

    def __enter__(self) -> "StdioServer":
        """Start the process and shake hands with it.

        Raises:
            ToolError: It does not start, or does not speak the protocol.
        """
        self._log: IO[bytes] = tempfile.TemporaryFile()  # closed at the exit
        self._process = start(
            self._project,
            self._command,
            self._here,
            self._environment,
            self._log,
            pipes=True,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        try:
            self._shake_hands()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End the process and all that it started."""
        with contextlib.suppress(OSError):
            pipe(self._process.stdin).close()
        ended(self._process)
        self._listener.join()
        pipe(self._process.stdout).close()
        self._log.close()

    def ask(
        self, method: str, patience: float = PATIENCE, **params: Any
    ) -> dict[str, Any]:
        """Send a request and return its result.

        Raises:
            ToolError: As for ``exchange``; or the answer is an error.
        """
        message = self.exchange(method, params, patience)
        if "error" in message:
            error = visible(str(message["error"].get("message")))
            raise ToolError(f"the server refused {method}: {error}")
        result = message.get("result")
        return result if isinstance(result, dict) else {}

    def exchange(
        self,
        method: str,
        params: Mapping[str, Any],
        patience: float = PATIENCE,
    ) -> dict[str, Any]:
        """Send a request and return the message that answers it.

        A server that cannot read a request does not know its number either;
        the error that it then answers bears none (JSON-RPC 2.0, section 5).

        Raises:
            Ended: The server died.
            Silent: It does not answer.
            Noisy: It says something else than the protocol on stdout.
        """
        number = next(self._ids)
        self._send({"id": number, "method": method, "params": params})
        until = time.monotonic() + patience
        while True:
            message = self._receive(method, until)
            unread = message.get("id") is None and "error" in message
            if unread or (
                message.get("id") == number and "method" not in message
            ):
                return message

    def everything(self, method: str, key: str) -> Iterator[dict[str, Any]]:
        """Yield what a list method lists, page after page."""
        cursor: dict[str, Any] = {}
        for _page in range(100):
            result = self.ask(method, **cursor)
            yield from result.get(key) or []
            if not result.get("nextCursor"):
                return
            cursor = {"cursor": result["nextCursor"]}
        raise ToolError(f"{method} never comes to an end")

    def _shake_hands(self) -> None:
        client = {"name": "security-scan", "version": "1"}
        self.initialized = self.ask(
            "initialize",
            START,
            protocolVersion=PROTOCOL,
            capabilities=self.capabilities,
            clientInfo=client,
        )
        self._send({"method": "notifications/initialized"})

    @property
    def log(self) -> str:
        """What the server has logged until now."""
        return read_log(self._log)

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def terminate(self) -> None:
        """Send it SIGTERM."""
        self._process.terminate()

    def wait(self, patience: float) -> int | None:
        """Return the exit code; None if it does not end."""
        return waited(self._process, patience)

    def _send(self, message: Mapping[str, object], padding: str = "") -> None:
        line = json.dumps({"jsonrpc": "2.0", **message}) + padding + "\n"
        try:
            pipe(self._process.stdin).write(line.encode())
            pipe(self._process.stdin).flush()
        except (OSError, ValueError):
            raise Ended(f"the server ended{self._hint()}") from None

    def _receive(self, method: str, until: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            raise Silent(
                f"the server did not answer {method}{self._hint()}"
            ) from None
        if line is None:
            raise Ended(f"the server ended{self._hint()}")
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict) or "jsonrpc" not in message:
            shown = visible(line[:80].decode("utf-8", "replace"))
            raise Noisy(f"the server printed on stdout: {shown}")
        return message

    def _listen(self) -> None:
        stream = pipe(self._process.stdout)
        with contextlib.suppress(OSError, ValueError):
            while line := stream.readline(MAX_LINE):
                self._lines.put(line)
        self._lines.put(None)

    def _hint(self) -> str:
        return hint(self._log)


def hint(log: IO[bytes]) -> str:
    """Return the last lines of a server's log, for a person.

    Of a traceback that is the error, and then where it came from.
    """
    text = read_log(log)[-4000:]
    lines = [visible(x.strip(), 160) for x in text.splitlines() if x.strip()]
    if missing := MISSING.search(text):
        return f": it needs {missing[1]}, which is not there; run: uv sync"
    places = [line for line in lines if line.startswith('File "')]
    last = [lines[-1], places[-1]] if places else lines[-LOG_LINES:]
    return ": " + " | ".join(last) if lines else ""


def read_log(log: IO[bytes]) -> str:
    """Return what a server has logged until now."""
    with contextlib.suppress(OSError, ValueError):
        return os.pread(log.fileno(), MAX_LINE, 0).decode("utf-8", "replace")
    return ""


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
        "WORKSPACE_PATH": str(workspace),
        **variables,
    }
    return {k: v for k, v in given.items() if v}


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """Return a pipe that ``Popen`` was asked for."""
    if stream is None:
        raise ToolError("the server has no pipes")
    return stream


def command(project: Project, through: Sequence[str] = ()) -> list[str]:
    """Return what starts the server, with its environment or else ours.

    Args:
        project: Whose server it is.
        through: A program that starts it, and what it is told.
    """
    folder = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    python = project.root / ".venv" / folder
    program = str(python) if python.exists() else sys.executable
    first, *rest = through or ["-m"]
    return [program, first, project.package, *rest]


def waited(process: Process, patience: float) -> int | None:
    """Return the exit code; None if it does not end in so many seconds."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(patience)
    return None


def ended(process: Process) -> None:
    """End the process and all that it started.

    One that listens is asked first: others may be at its other end. One on
    pipes has nobody else, and leaves nothing that is kept.
    """
    if process.stdin is None and process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP)
    _kill(process)


def _kill(process: Process) -> None:
    if os.name == "nt":
        process.terminate()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
