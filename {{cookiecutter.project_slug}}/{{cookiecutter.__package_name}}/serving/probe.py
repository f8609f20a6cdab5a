"""Asks the running server whether it lives, as a container's runtime does."""

import http.client
import ssl
from typing import Final

from ..settings import Settings

PATIENCE: Final = 3.0


def ask(settings: Settings) -> bool:
    """Tell whether the server that these settings describe answers.

    It is asked on this machine, where its certificate need not hold: nothing
    that it says is believed but that it is there.
    """
    host = settings.host if settings.on_loopback else "127.0.0.1"
    connection = _connection(host, settings)
    try:
        connection.request("GET", "/health", headers={"Host": "127.0.0.1"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _connection(host: str, settings: Settings) -> http.client.HTTPConnection:
    if settings.tls_certfile is None:
        return http.client.HTTPConnection(
            host, settings.port, timeout=PATIENCE
        )
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # MCP-CODE-005: asks this host only
    return http.client.HTTPSConnection(
        host, settings.port, timeout=PATIENCE, context=context
    )
