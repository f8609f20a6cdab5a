"""The addresses that clients connect to, and how many may at once."""

import errno
import socket
from collections.abc import Iterable
from typing import Any, Final

from ..errors import SettingsError
from ..settings import Settings

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment] # asked for before it is used

#: However many descriptors there are.
CONNECTIONS: Final = 1_000
#: Descriptors that are left for everything but connections.
RESERVE: Final = 256
#: What the kernel says of a family of addresses that is switched off.
ABSENT: Final = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def connections() -> int:
    """Return how many connections there are descriptors for."""
    if resource is None:
        return CONNECTIONS
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, min(CONNECTIONS, limit - RESERVE))


def listen(settings: Settings) -> list[socket.socket]:
    """Take the address before anything else is begun."""
    host, port = settings.host, settings.port
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        return _take((item[0], item[4]) for item in dict.fromkeys(found))
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (while")[0]
        raise SettingsError(
            f"MCP_HOST, MCP_PORT: cannot listen on {host}:{port}: {why};"
            " stop what listens there, or set another"
        ) from error


def _take(addresses: Iterable[tuple[int, Any]]) -> list[socket.socket]:
    """Take each address that this machine has, one at least."""
    taken, absent = [], None
    for family, address in addresses:
        try:
            taken.append(socket.create_server(address[:2], family=family))
        except OSError as error:
            if error.errno not in ABSENT:
                raise
            absent = error
    if absent and not taken:
        raise absent
    return taken
