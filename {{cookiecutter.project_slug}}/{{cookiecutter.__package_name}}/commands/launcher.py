"""The server's side of the processes that run commands."""

import asyncio
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..errors import ServerBusy, SettingsError
from .sandbox import wire

_HERE: Final = Path(__file__).parent
_START: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    " from sandbox.zygote import main; main()"
)
#: Seconds that the helper may take to start.
_STARTING: Final = 10.0
#: Seconds beyond its time that ending a command may take.
_ENDING: Final = 5.0
#: How many helpers may die before one runs a command.
_TRIES: Final = 3
_RETRY: Final = 0.005
_CHUNK: Final = 65_536


@dataclass(frozen=True, slots=True)
class Report:
    """How a command ended, and what is kept of what it wrote."""

    facts: Mapping[str, Any]
    stdout: bytes
    stderr: bytes


class Launcher:
    """Starts commands through a helper process, started anew if it dies.

    Commands that run when the helper dies are not touched by it: each has a
    keeper of its own, which ends it when this side closes its connection.
    """

    def __init__(
        self, workspace: int, settings: Mapping[str, Any], seconds: float
    ) -> None:
        self._workspace = workspace
        self._settings = settings
        self._patience = seconds + _ENDING
        self._helper: socket.socket | None = None
        self._pid = 0
        self._starting = asyncio.Lock()

    def start(self) -> tuple[str, ...]:
        """Start the helper; return the parts of the sandbox that are missing.

        Raises:
            SettingsError: It does not start.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            self._pid = _spawn(theirs.fileno(), self._workspace)
        ours.settimeout(_STARTING)
        self._helper = ours
        try:
            ours.sendall(wire.pack(self._settings))
            missing = wire.receive(ours)
        except (OSError, EOFError):
            self.close()
            raise SettingsError(
                "the helper that runs commands does not start; unset"
                " MCP_ALLOWED_COMMANDS to do without commands"
            ) from None
        ours.setblocking(False)
        return tuple(missing)

    def close(self) -> None:
        """End the helper. Commands that still run are ended by theirs."""
        if self._helper is not None:
            self._helper.close()
            self._helper = None
            with suppress(ChildProcessError):
                os.waitpid(self._pid, 0)

    async def run(
        self, program: str, argv: Sequence[str], directory: int
    ) -> Report:
        """Run a command to its end. Being cancelled ends it.

        Raises:
            ServerBusy: It could not be run, for a reason of the machine's.
            TimeoutError: It could not even be ended.
        """
        order = wire.pack({"program": program, "argv": list(argv)})
        async with asyncio.timeout(self._patience):
            for _ in range(_TRIES):
                helper = self._helper
                answer = await _ask(helper, order, directory)
                if answer:
                    return _report(answer)
                await self._restart(helper)
        raise _lost()

    async def _restart(self, failed: socket.socket | None) -> None:
        async with self._starting:
            if self._helper is failed:
                await asyncio.to_thread(self.close)
                try:
                    await asyncio.to_thread(self.start)
                except SettingsError:
                    raise _lost() from None


async def _ask(
    helper: socket.socket | None, order: bytes, directory: int
) -> bytearray:
    """Have a command run by a new keeper; return all that it answers.

    The answer is empty only where there was no keeper: nothing has been run
    and it is safe to try again.
    """
    loop = asyncio.get_running_loop()
    answer = bytearray()
    ours, theirs = socket.socketpair()
    with ours, suppress(OSError):
        ours.setblocking(False)
        with theirs:
            await _hand_over(helper, theirs.fileno(), directory)
        await loop.sock_sendall(ours, order)
        while chunk := await loop.sock_recv(ours, _CHUNK):
            answer += chunk
    return answer


async def _hand_over(helper: socket.socket | None, *descriptors: int) -> None:
    """Give the helper what a keeper needs.

    Raises:
        OSError: There is no helper any more.
    """
    while helper is not None:
        try:
            socket.send_fds(helper, [wire.HELLO], descriptors)
        except BlockingIOError:
            await asyncio.sleep(_RETRY)
        else:
            return
    raise BrokenPipeError


def _report(answer: bytearray) -> Report:
    message = bytes(answer).removeprefix(wire.HELLO)
    if not message:
        raise _lost()
    facts, rest = wire.unpack(message)
    size = facts["stdout"]
    return Report(facts, rest[:size], rest[size:])


def _lost() -> ServerBusy:
    return ServerBusy(
        "The command could not be run; try again in a second.",
        reason="helper_lost",
        retry_after=1,
    )


def _spawn(connection: int, workspace: int) -> int:
    """Start the helper with two descriptors and none of the environment."""
    # Whoever asks Python to leave nothing beside the source means us, too.
    nothing = ["-B"] if sys.dont_write_bytecode else []
    names = {"LD_LIBRARY_PATH"}  # where Python itself may need it to start
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", *nothing, "-c", _START, str(_HERE)],
        {k: v for k, v in os.environ.items() if k in names},
        file_actions=[
            (os.POSIX_SPAWN_DUP2, connection, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, workspace, 3),
        ],
    )
