"""The small process that commands are forked from.

Forking the server itself is neither safe (it has threads) nor quick, and its
memory holds secrets. This one has a single thread, an empty environment and
nothing in its memory but these modules.
"""

import os
import select
import signal
import socket
import sys
from typing import Final

from . import kernel, tree, wire
from .confinement import Confinement, prepare
from .keeper import Keeper
from .limits import Limits

_SERVER: Final = 0
_WORKSPACE: Final = 3


def main() -> None:
    """Serve until the server closes its end."""
    os.setsid()
    os.chdir("/")
    os.closerange(_WORKSPACE + 1, os.sysconf("SC_OPEN_MAX"))
    for descriptor in (_SERVER, _WORKSPACE):
        os.set_inheritable(descriptor, False)
    server = socket.socket(fileno=_SERVER)
    server.setblocking(True)
    settings = wire.receive(server)
    limits = Limits(**settings.pop("limits"))
    confinement = prepare(_WORKSPACE, limits=limits, **settings)
    server.sendall(wire.pack(confinement.missing))
    Zygote(server, confinement).serve()


class Zygote:
    """Forks one keeper for each command."""

    def __init__(
        self, server: socket.socket, confinement: Confinement
    ) -> None:
        self._server = server
        self._confinement = confinement
        self._keepers: set[int] = set()

    def serve(self) -> None:
        """Fork a keeper for every pair of descriptors that arrives."""
        if sys.platform == "linux":
            kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        children, wake = os.pipe()
        for end in (children, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        server = self._server.fileno()
        while True:
            ready, _, _ = select.select([server, children], [], [])
            if children in ready:
                os.read(children, 4096)
                self._reap()
            if server in ready and not self._fork():
                return

    def _fork(self) -> bool:
        """Start one keeper; return whether the server is still there."""
        message, descriptors = wire.receive_descriptors(self._server, 1, 2)
        if not message:
            return False
        pid = os.fork()
        if pid == 0:
            self._keep(*descriptors)
        self._keepers.add(pid)
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _keep(self, control: int, directory: int) -> None:
        """Turn this process into a keeper; it does not return."""
        failed = 1
        try:
            self._server.close()
            with socket.socket(fileno=control) as server:
                Keeper(server, directory, _WORKSPACE, self._confinement).run()
            failed = 0
        finally:
            os._exit(failed)

    def _reap(self) -> None:
        """Let keepers go; end what one left that did not end well."""
        ended: dict[int, int] = {}
        tree.reap(ended)
        self._keepers.difference_update(ended)
        if any(ended.values()):
            tree.end(keep=frozenset(self._keepers))
