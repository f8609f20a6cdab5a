"""Processes, confined."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Literal, Protocol, Self

from ..errors import CommandDenied, DeadlineExceeded, SettingsError
from . import programs, result
from .launcher import Launcher, Report
from .result import CommandResult

__all__ = ["CommandResult", "CommandRunner"]

ARGUMENTS: Final = 256
ARGUMENT_BYTES: Final = 131_072
_EXCESSES: Final = {
    "disk": "filled too much of the disk",
    "memory": "used too much memory",
    "processes": "started too many processes",
}


class Directories(Protocol):
    """Opens directories that lie in the workspace (CWE-22)."""

    def directory(self, path: str) -> AbstractContextManager[int]:
        """Lend a descriptor of a directory."""


class CommandRunner:
    """Runs allowed programs, and nothing that they start outlives a call.

    There is no shell (CWE-78, OWASP MCP05). A command sees a clean
    environment, the workspace and the system's programs; see
    ``sandbox/confinement.py`` for what it gives up.

    Attributes:
        missing: Parts of the sandbox that this system does not have.
    """

    def __init__(
        self,
        launcher: Launcher,
        *,
        workspace: Directories,
        allowed: Mapping[str, str],
        timeout: float,
        max_output: int,
        missing: tuple[str, ...],
    ) -> None:
        self.missing = missing
        self._launcher = launcher
        self._workspace = workspace
        self._allowed = allowed
        self._timeout = timeout
        self._max_output = max_output

    @classmethod
    def create(
        cls,
        *,
        allowed: Sequence[str],
        workspace: Directories,
        timeout: float,
        max_output: int,
        sandbox: Literal["require", "best-effort"],
        network: Literal["deny", "allow"],
    ) -> Self:
        """Return a runner whose sandbox is whole, or as asked.

        Args:
            allowed: Names or absolute paths of programs.
            workspace: Where commands run and may write.
            timeout: Seconds after which a command is ended.
            max_output: Characters that a result may have as JSON; more of
                either output is read and thrown away.
            sandbox: Whether a system that lacks a part is refused.
            network: Whether commands may use the Internet.

        Raises:
            SettingsError: A program may not run, or the kernel lacks a part.
        """
        if sys.platform == "win32":
            raise SettingsError(
                "MCP_ALLOWED_COMMANDS: commands cannot be confined on Windows;"
                " unset it, or run the server in its container"
            )
        with workspace.directory(".") as lent:
            root = os.dup(lent)
        paths = programs.resolve(allowed, root)
        package = Path(__file__).parent.parent
        settings = {
            "programs": sorted(set(paths.values())),
            "hidden": [str(package)],
            "network": network == "allow",
            "limits": {"seconds": timeout, "output": max_output},
        }
        launcher = Launcher(root, settings, timeout)
        missing = launcher.start()
        if missing and sandbox == "require":
            launcher.close()
            raise SettingsError(*(_lacks(part) for part in missing))
        return cls(
            launcher,
            workspace=workspace,
            allowed=paths,
            timeout=timeout,
            max_output=max_output,
            missing=missing,
        )

    def close(self) -> None:
        """Let no more commands run."""
        self._launcher.close()

    async def run(
        self, argv: Sequence[str], directory: str = "."
    ) -> CommandResult:
        """Run a program to its end, with nothing left of it after.

        Args:
            argv: The program's name and its arguments.
            directory: Where in the workspace it starts.

        Raises:
            CommandDenied: It may not run, or used more than it may.
            DeadlineExceeded: It did not end in time and was ended.
            PathDenied: The directory is not in the workspace.
        """
        started = time.monotonic()
        program = self._check(argv)
        place = await asyncio.to_thread(self._open, directory)
        try:
            report = await self._launcher.run(program, argv, place)
        except TimeoutError:
            raise self._too_late() from None
        finally:
            os.close(place)
        return self._result(report, time.monotonic() - started)

    def _check(self, argv: Sequence[str]) -> str:
        """Return the program's path if the command is fit to run."""
        if not 1 <= len(argv) <= ARGUMENTS:
            raise CommandDenied(
                f"A command has 1 to {ARGUMENTS} parts, its name included.",
                reason="arguments",
            )
        try:
            size = sum(len(argument.encode()) + 1 for argument in argv)
        except UnicodeEncodeError:
            raise CommandDenied(
                "An argument is not valid Unicode text.", reason="encoding"
            ) from None
        if any("\0" in argument for argument in argv):
            raise CommandDenied(
                "An argument holds a NUL character.", reason="nul"
            )
        if size > ARGUMENT_BYTES:
            raise CommandDenied(
                f"The arguments have {size} bytes; {ARGUMENT_BYTES} is the"
                " most.",
                reason="too_large",
            )
        if argv[0] not in self._allowed:
            names = sorted(n for n in self._allowed if "/" not in n)
            raise CommandDenied(
                f"This program may not run; these may: {', '.join(names)}.",
                reason="not_allowed",
            )
        return self._allowed[argv[0]]

    def _open(self, directory: str) -> int:
        with self._workspace.directory(directory) as lent:
            return os.dup(lent)

    def _result(self, report: Report, duration: float) -> CommandResult:
        facts = report.facts
        if "error" in facts:
            raise CommandDenied(
                f"The program could not be started: {facts['error']}.",
                reason="not_started",
            )
        if facts["ended_by"] == "time":
            raise self._too_late()
        if facts["ended_by"] in _EXCESSES:
            raise CommandDenied(
                f"The command {_EXCESSES[facts['ended_by']]} and was ended"
                " with all that it started.",
                reason=facts["ended_by"],
            )
        out = result.text(report.stdout, cut=facts["stdout_cut"])
        err = result.text(report.stderr, cut=facts["stderr_cut"])
        stdout, stderr = result.fit(out, err, self._max_output)
        return CommandResult(
            exit_code=facts["exit_code"],
            stdout=stdout,
            stderr=stderr,
            stdout_truncated=facts["stdout_cut"] or stdout != out,
            stderr_truncated=facts["stderr_cut"] or stderr != err,
            duration=round(duration, 3),
        )

    def _too_late(self) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"The command did not end within {self._timeout:g} seconds; it"
            " was ended with all that it started.",
            reason="command_timeout",
        )


def _lacks(part: str) -> str:
    return (
        f"MCP_COMMAND_SANDBOX=require: this system lacks {part}; run on one"
        " that has it, or set MCP_COMMAND_SANDBOX=best-effort to go on without"
    )
