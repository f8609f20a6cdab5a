"""One command from its start to the end of all that it started."""

import contextlib
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, Final

from . import kernel, tree, wire
from .confinement import Confinement
from .supervisor import Supervisor

#: Seconds between two looks at what the command uses.
_LOOK: Final = 0.2
#: A look may take this part of the time at most, however many processes the
#: machine has.
_SHARE: Final = 20
_CHUNK: Final = 65_536
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Output:
    """What a command writes, kept up to a size; the rest is thrown away.

    The command is not stopped by it: it may still finish, within its time.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.data = bytearray()
        self.cut = False
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)

    def read(self) -> bool:
        """Take what there is; return whether more may come."""
        try:
            chunk = os.read(self.reader, _CHUNK)
        except BlockingIOError:
            return True
        room = self._limit - len(self.data)
        self.data += chunk[:room]
        self.cut = self.cut or len(chunk) > room
        return bool(chunk)

    def drain(self) -> None:
        """Take what is left in the pipe when nobody writes any more."""
        os.set_blocking(self.reader, True)
        while self.read():
            pass


class Keeper:
    """A process of its own that starts a command and ends it."""

    def __init__(
        self,
        control: socket.socket,
        directory: int,
        workspace: int,
        confinement: Confinement,
    ) -> None:
        self._control = control
        self._directory = directory
        self._workspace = workspace
        self._confinement = confinement
        self._limits = confinement.limits
        self._outputs = (
            Output(self._limits.output),
            Output(self._limits.output),
        )
        self._poll = select.poll()
        self._supervisor: Supervisor | None = None
        self._listener = -1
        self._free = self._free_space()

    def run(self) -> None:
        """Run the command that the server asks for and report how it went."""
        if sys.platform == "linux":
            kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        children, wake = os.pipe()
        for end in (children, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._control.sendall(b"+")
        order = wire.receive(self._control)
        report: dict[str, Any] = {"ended_by": "itself"}
        try:
            pid = self._start(order["program"], order["argv"])
            self._watch(children, pid, report)
        except OSError as error:
            report["error"] = error.strerror
        self._send(report)

    def _start(self, program: str, argv: list[str]) -> int:
        """Start the command; return once it runs or could not."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            self._become(theirs, program, argv)
        theirs.close()
        for output in self._outputs:
            os.close(output.writer)
        with ours:
            error = self._listen(ours)
        if error:
            tree.end(pid)
            raise OSError(int(error), os.strerror(int(error)))
        return pid

    def _listen(self, ours: socket.socket) -> bytes:
        """Take the listener; return an error number, or nothing."""
        message, descriptors = wire.receive_descriptors(ours, 16, 1)
        if not descriptors:
            return message
        self._listener = descriptors[0]
        self._supervisor = Supervisor(
            self._listener, self._workspace, self._limits.tasks
        )
        self._poll.register(self._listener, select.POLLIN)
        return ours.recv(16)

    def _become(
        self, theirs: socket.socket, program: str, argv: list[str]
    ) -> None:
        """Turn this process into the command; it does not return."""
        try:
            signal.set_wakeup_fd(-1)
            os.fchdir(self._workspace)
            env = _environment(str(Path.cwd()))
            os.fchdir(self._directory)
            self._plug()
            most = os.sysconf("SC_OPEN_MAX")
            listener = self._confinement.enter()
            if listener is not None:
                socket.send_fds(theirs, [b"+"], [listener])
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
        sources = (nothing, *(output.writer for output in self._outputs))
        for target, source in enumerate(sources):
            os.dup2(source, target)

    def _watch(self, children: int, pid: int, report: dict[str, Any]) -> None:
        """Serve the command until it ends, then end what it left."""
        ended: dict[int, int] = {}
        deadline = time.monotonic() + self._limits.seconds
        look = _LOOK
        self._poll.register(self._control, select.POLLIN)
        self._poll.register(children, select.POLLIN)
        for output in self._outputs:
            self._poll.register(output.reader, select.POLLIN)
        next_look = time.monotonic() + look
        while pid not in ended:
            now = time.monotonic()
            if now >= deadline:
                report["ended_by"] = "time"
                break
            wait = min(deadline, next_look) - now
            for descriptor, _ in self._poll.poll(max(wait, 0) * 1000 + 1):
                if descriptor == self._control.fileno():
                    report["ended_by"] = "server"
                    break
                self._serve(descriptor, children)
            if report["ended_by"] == "server":
                break
            if (now := time.monotonic()) >= next_look:
                excess = self._excess()
                if excess:
                    report["ended_by"] = excess
                    break
                next_look = now + max(_LOOK, _SHARE * (time.monotonic() - now))
            tree.reap(ended)
        self._end(pid, ended, report)

    def _serve(self, descriptor: int, children: int) -> None:
        if descriptor == children:
            with contextlib.suppress(BlockingIOError):
                os.read(children, _CHUNK)
        elif descriptor == self._listener and self._supervisor:
            self._supervisor.answer()
        for output in self._outputs:
            if descriptor == output.reader and not output.read():
                self._poll.unregister(output.reader)

    def _end(
        self, pid: int, ended: dict[int, int], report: dict[str, Any]
    ) -> None:
        if self._listener >= 0:
            # From here on nothing in the tree can be born.
            os.close(self._listener)
        ended |= tree.end(pid)
        for output in self._outputs:
            output.drain()
        report["exit_code"] = os.waitstatus_to_exitcode(ended[pid])

    def _excess(self) -> str:
        """Return what the command uses too much of."""
        if self._free - self._free_space() > self._limits.disk:
            return "disk"
        if self._supervisor and self._supervisor.forked:
            used = tree.memory(tree.below(os.getpid()))
            if used > self._limits.memory:
                return "memory"
        return ""

    def _free_space(self) -> int:
        status = os.fstatvfs(self._workspace)
        return status.f_bavail * status.f_frsize

    def _send(self, report: dict[str, Any]) -> None:
        out, err = self._outputs
        report |= {
            "stdout": len(out.data),
            "stderr": len(err.data),
            "stdout_cut": out.cut,
            "stderr_cut": err.cut,
        }
        with contextlib.suppress(OSError):
            message = wire.pack(report)
            self._control.sendall(message + out.data + err.data)


def _environment(workspace: str) -> dict[str, str]:
    """Return all that a command learns from its environment (CWE-526)."""
    return {
        "PATH": PATH,
        "LANG": "C.UTF-8",
        "HOME": workspace,
        "TMPDIR": workspace,
    }
