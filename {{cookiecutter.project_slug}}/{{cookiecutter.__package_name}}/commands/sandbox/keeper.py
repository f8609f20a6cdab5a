"""One command from its start to the end of all that it started."""

import os
import select
import signal
import socket
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

from . import tree, wire
from .confinement import Confinement
from .files import SEARCHED
from .output import Output
from .supervisor import Supervisor
from .usage import Usage

#: Seconds between two looks at what the command uses.
_LOOK: Final = 0.05
_ERROR: Final = 16


class Keeper:
    """A process of its own that runs one command.

    It is made before there is a command, so that none waits for it.
    """

    def __init__(self, workspace: int, confinement: Confinement) -> None:
        self._workspace = workspace
        self._confinement = confinement
        self._limits = confinement.limits
        self._out = Output(self._limits.output)
        self._err = Output(self._limits.output)
        self._children = tree.adopt()
        self._sealed = confinement.seal_off()
        self._ended: dict[int, int] = {}
        self._supervisor: Supervisor | None = None
        self._listener = -1
        self._poll = select.poll()
        for reader in (self._children, self._out.reader, self._err.reader):
            self._poll.register(reader, select.POLLIN)

    def run(self, server: socket.socket, directory: int) -> None:
        """Run the command that the server asks for and report how it went."""
        server.sendall(wire.HELLO)
        order = wire.receive(server)
        report: dict[str, Any] = {}
        try:
            pid = self._start(order["program"], order["argv"], directory)
        except OSError as error:
            report["error"] = error.strerror
        else:
            report["ended_by"] = self._watch(server, pid)
            report["exit_code"] = self._end(pid)
        self._send(server, report)

    def _start(self, program: str, argv: list[str], directory: int) -> int:
        """Start the command; return once it runs.

        Raises:
            OSError: It could not be confined or executed.
        """
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            self._become(theirs, program, argv, directory)
        theirs.close()
        for output in (self._out, self._err):
            os.close(output.writer)
        with ours:
            error = self._listen(ours)
        if error:
            tree.end(sealed=self._sealed, group=pid)
            raise OSError(int(error), os.strerror(int(error)))
        return pid

    def _listen(self, ours: socket.socket) -> bytes:
        """Take the listener; return an error number, or nothing."""
        message, descriptors = wire.receive_descriptors(ours, _ERROR, 1)
        if not descriptors:
            return message
        self._listener = descriptors[0]
        self._supervisor = Supervisor(self._listener, self._workspace)
        self._poll.register(self._listener, select.POLLIN)
        return ours.recv(_ERROR)

    def _become(
        self,
        theirs: socket.socket,
        program: str,
        argv: list[str],
        directory: int,
    ) -> None:
        """Turn this process into the command; it does not return."""
        try:
            signal.set_wakeup_fd(-1)
            os.fchdir(self._workspace)
            env = _environment(Path.cwd())
            os.fchdir(directory)
            self._plug()
            most = os.sysconf("SC_OPEN_MAX")
            listener = self._confinement.enter()
            if listener is not None:
                socket.send_fds(theirs, [wire.HELLO], [listener])
            os.closerange(3, theirs.fileno())
            os.closerange(theirs.fileno() + 1, most)
            os.execve(program, argv, env)  # noqa: S606 # nosec B606 # no shell
        except OSError as error:
            theirs.send(str(error.errno).encode())
        finally:
            os._exit(127)

    def _plug(self) -> None:
        """Give the command its three descriptors."""
        nothing = os.open(os.devnull, os.O_RDONLY)
        sources = (nothing, self._out.writer, self._err.writer)
        for target, source in enumerate(sources):
            os.dup2(source, target)

    def _watch(self, server: socket.socket, pid: int) -> str:
        """Serve the command; return what ended it, or is about to."""
        self._poll.register(server, select.POLLIN)
        usage = Usage(
            self._workspace,
            self._limits,
            partial(tree.signal_all, sealed=self._sealed, group=pid),
        )
        deadline = time.monotonic() + self._limits.seconds
        look = time.monotonic() + _LOOK
        while pid not in self._ended:
            now = time.monotonic()
            if now >= deadline:
                return "time"
            wait = max(min(deadline, look) - now, 0)
            for descriptor, _ in self._poll.poll(wait * 1000 + 1):
                if descriptor == server.fileno():
                    return "server"
                self._serve(descriptor)
            if time.monotonic() >= look:
                if excess := usage.excess():
                    return excess
                look = time.monotonic() + _LOOK
            tree.reap(self._ended)
        return "itself"

    def _serve(self, descriptor: int) -> None:
        """Answer what has become readable."""
        if descriptor == self._children:
            tree.settle(self._children)
        elif descriptor == self._listener and self._supervisor:
            self._supervisor.answer()
        for output in (self._out, self._err):
            if descriptor == output.reader and not output.read():
                self._poll.unregister(output.reader)

    def _end(self, pid: int) -> int:
        """End all that is left; return the command's exit code."""
        self._ended |= tree.end(sealed=self._sealed, group=pid)
        self._out.drain()
        self._err.drain()
        return os.waitstatus_to_exitcode(self._ended[pid])

    def _send(self, server: socket.socket, report: dict[str, Any]) -> None:
        for name, output in (("stdout", self._out), ("stderr", self._err)):
            report[name] = len(output.data)
            report[f"{name}_cut"] = output.cut
        message = wire.pack(report) + self._out.data + self._err.data
        try:
            server.sendall(message)
        except OSError:  # nobody waits for it any more
            return


def _environment(workspace: Path) -> dict[str, str]:
    """Return all that a command learns from its environment (CWE-526)."""
    return {
        "PATH": SEARCHED,
        "LANG": "C.UTF-8",
        "HOME": f"{workspace}",
        "TMPDIR": f"{workspace}",
    }
