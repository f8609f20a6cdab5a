"""Starts servers sooner: what they all import, it imports once, and forks.

A program of its own, which the scan runs with the project's Python. Every
server under test is still a process of its own, which runs the project's
package from its first line with variables of its own; only the libraries are
there already. The package's ``__init__`` is imported before them, since it
may set what they read, and is imported anew in every server.

It imports nothing of the scan: it becomes the servers that the scan attacks.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
from typing import Any, Final, NoReturn

#: What most of the time goes into, with what FastMCP imports only when it
#: registers the first tool and lists it. What is not there is left out.
LIBRARIES: Final = (
    "anyio._backends._asyncio",
    "fastmcp.server.middleware",
    "fastmcp.server.auth.providers.jwt",
    "fastmcp.server.providers.prefab_synthesis",
    "fastmcp.server.server",
    "griffe",
    "jwt",
    "key_value.aio.adapters.pydantic",
    "key_value.aio.stores.memory",
    "limits.aio",
    "prometheus_client",
    "structlog",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.h11_impl",
)
MAX_ORDER: Final = 2**20  # bytes
NOT_SIMPLE: Final = 3  # the exit code
OFTEN: Final = 200  # milliseconds between looks, where none can be waited for
ENDED: Final = os.WEXITED | os.WNOHANG | os.WNOWAIT


def main() -> None:
    """Fork a server for each order, until the scan closes its end."""
    package, control = sys.argv[1], socket.socket(fileno=int(sys.argv[2]))
    preload(package)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, MAX_ORDER, 4)
        if not data:
            return
        if os.fork() == 0:
            control.close()
            order = json.loads(data)
            become(order, descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)


def preload(package: str) -> None:
    """Import the libraries, as the package would find them.

    A package whose ``__init__`` does more than to set something would do it
    twice: then this ends, and each server is started afresh.
    """
    before = {*sys.modules, *sys.stdlib_module_names, package}
    sys.dont_write_bytecode = True  # what is attacked leaves nothing behind
    try:
        importlib.import_module(package)
    except Exception:  # each server will say it
        sys.exit(NOT_SIMPLE)
    if {name.partition(".")[0] for name in sys.modules} - before or any(
        name.startswith(f"{package}.") for name in sys.modules
    ):
        sys.exit(NOT_SIMPLE)
    sys.dont_write_bytecode = False  # compile the libraries once for all
    gc.disable()  # they are no garbage, and are shared with every server
    for name in LIBRARIES:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.freeze()
    gc.enable()
    sys.dont_write_bytecode = True
    del sys.modules[package]


def become(order: dict[str, Any], descriptors: list[int]) -> None:
    """Turn into the server that was ordered; return when it has ended.

    Args:
        order: What is run, in which directory and environment: ``-m`` and
            the package, or a program that runs the package.
        descriptors: Its standard streams, and where its process number and
            then its exit code are told.
    """
    *streams, told = descriptors
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    process = os.fork()
    if process:
        _watch(process, streams, told)
    os.setsid()
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.close(told)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    program, package, *rest = order["run"]
    if program == "-m":
        del sys.argv[1:]
        runpy.run_module(package, run_name="__main__", alter_sys=True)
    else:
        sys.argv[:] = [program, package, *rest]
        runpy.run_path(program, run_name="__main__")


def _watch(process: int, streams: list[int], told: int) -> NoReturn:
    """Tell of the server's end, since only a parent learns of it.

    Where nobody is left to be told, because the scan was killed, the server
    is ended: over HTTP nothing else would tell it.
    """
    for descriptor in streams:
        os.close(descriptor)
    with contextlib.suppress(OSError):
        os.write(told, process.to_bytes(8, "big", signed=True))
    if not _ends_before(process, told):
        for end in (os.killpg, os.kill):  # it may have no group of its own yet
            with contextlib.suppress(OSError):
                end(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    with contextlib.suppress(OSError):
        os.write(told, code.to_bytes(8, "big", signed=True))
    os._exit(0)


def _ends_before(process: int, told: int) -> bool:
    """Wait for a process's end, or for that of whoever is to be told."""
    waiting = select.poll()
    waiting.register(told, 0)  # whose other end is closed, it is in error
    patience: int | None = OFTEN
    with contextlib.suppress(AttributeError, OSError):  # Linux before 5.3
        waiting.register(os.pidfd_open(process), select.POLLIN)
        patience = None
    while True:
        ready = waiting.poll(patience)
        if any(number == told for number, _ in ready):
            return False
        ended = os.waitid(os.P_PID, process, ENDED)
        if ended is not None:
            return True


if __name__ == "__main__":
    main()
