"""The small process that commands are forked from.

Forking the server itself is neither safe (it has threads) nor quick, and its
memory holds secrets. This one has a single thread, an empty environment and
nothing in its memory but these modules.
"""

import gc
import os
import select
import signal
import socket
import struct
import sys
from typing import Final

from . import kernel, tree, wire
from .confinement import Confinement, give_up_privileges, prepare
from .keeper import Keeper
from .limits import Limits

_SERVER: Final = 0
_WORKSPACE: Final = 3
#: Keepers that wait for a command: none has to wait for a fork of ours.
_SPARES: Final = 2
_PID: Final = struct.Struct("=i")


def main() -> None:
    """Serve until the server closes its end."""
    os.setsid()
    os.chdir("/")
    os.closerange(_WORKSPACE + 1, os.sysconf("SC_OPEN_MAX"))
    for descriptor in (_SERVER, _WORKSPACE):
        os.set_inheritable(descriptor, False)
    if sys.platform == "linux":
        give_up_privileges()
    gc.disable()  # forks share what nobody touches
    server = socket.socket(fileno=_SERVER)
    server.setblocking(True)
    settings = wire.receive(server)
    limits = Limits(**settings.pop("limits"))
    confinement = prepare(_WORKSPACE, limits=limits, **settings)
    server.sendall(wire.pack(confinement.missing))
    Zygote(server, confinement).serve()


class Zygote:
    """Forks keepers, which take the server's orders by themselves."""

    def __init__(
        self, server: socket.socket, confinement: Confinement
    ) -> None:
        self._server = server
        self._confinement = confinement
        self._keepers: set[int] = set()
        self._spares: set[int] = set()
        self._children = tree.adopt()
        self._taken, self._tell = os.pipe()

    def serve(self) -> None:
        """Keep some keepers waiting until the server closes its end."""
        poll = select.poll()
        poll.register(self._server, 0)  # keepers read it; this one hangs up
        poll.register(self._children, select.POLLIN)
        poll.register(self._taken, select.POLLIN)
        while True:
            while len(self._spares) < _SPARES:
                self._fork()
            for descriptor, _ in poll.poll():
                if descriptor == self._server.fileno():
                    return
                if descriptor == self._taken:
                    (pid,) = _PID.unpack(os.read(self._taken, _PID.size))
                    self._spares.discard(pid)
                else:
                    tree.settle(self._children)
                    self._reap()

    def _fork(self) -> None:
        pid = os.fork()
        if pid == 0:
            self._keep()
        self._spares.add(pid)
        self._keepers.add(pid)

    def _keep(self) -> None:
        """Turn this process into a keeper; it does not return."""
        failed = 1
        try:
            _die_with_parent(signal.SIGKILL)
            keeper = Keeper(_WORKSPACE, self._confinement)
            hello, lent = wire.receive_descriptors(self._server, 1, 2)
            if hello:
                os.write(self._tell, _PID.pack(os.getpid()))
                _die_with_parent(0)
                self._server.close()
                control, directory = lent
                with socket.socket(fileno=control) as server:
                    keeper.run(server, directory)
            failed = 0
        finally:
            os._exit(failed)

    def _reap(self) -> None:
        """Let keepers go; end what one left that did not end well."""
        ended: dict[int, int] = {}
        tree.reap(ended)
        if any(ended.values()):
            tree.end_strays(self._keepers.difference(ended))
        self._keepers.difference_update(ended)
        self._spares.difference_update(ended)


def _die_with_parent(number: int) -> None:
    """Let a keeper that has no command yet go when its parent does."""
    if sys.platform == "linux":
        kernel.prctl(kernel.PR_SET_PDEATHSIG, number)
