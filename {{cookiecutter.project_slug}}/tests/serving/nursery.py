"""Forks servers from one process that has imported all that they need.

To start Python and to import everything takes longer than most tests. Run as
a program it is the nursery; ``Nursery`` is the way to talk to it.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from threading import Lock
from typing import Any

PROJECT = Path(__file__).parents[2]
LARGEST = 65_536


class Nursery:
    """A process whose children are servers."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ours, theirs = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET
        )
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=PROJECT,
                pass_fds=[theirs.fileno()],
            )

    def bear(self, environ: dict[str, str], descriptors: list[int]) -> int:
        """Fork a server with these for stdin, stdout and stderr."""
        return int(self._ask({"environ": environ}, descriptors))

    def code_of(self, child: int) -> int | None:
        """Return a child's exit code once it has ended."""
        code = self._ask({"child": child})
        return None if code is None else int(code)

    def close(self) -> None:
        self._ours.close()
        self._process.wait()

    def _ask(self, request: Any, descriptors: list[int] | None = None) -> Any:
        data = json.dumps(request).encode()
        with self._lock:
            socket.send_fds(self._ours, [data], descriptors or [])
            return json.loads(self._ours.recv(LARGEST))


def _serve(control: socket.socket) -> None:
    from tests.serving import demo

    codes: dict[int, int] = {}
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, LARGEST, 3)
        if not data:
            return
        request = json.loads(data)
        if "child" in request:
            child = request["child"]
            if child not in codes:
                found, status = os.waitpid(child, os.WNOHANG)
                if found:
                    codes[child] = os.waitstatus_to_exitcode(status)
            control.send(json.dumps(codes.get(child)).encode())
            continue
        child = os.fork()
        if not child:
            control.close()
            _become(demo.main, request["environ"], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(json.dumps(child).encode())


def _become(
    main: Any, environ: dict[str, str], descriptors: list[int]
) -> None:
    """Be the server, and end as a program of its own would."""
    code = 1
    try:
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(environ)
        main()
        code = 0
    except SystemExit as error:
        code = int(error.code or 0)
    finally:
        os._exit(code)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as control:
        _serve(control)
