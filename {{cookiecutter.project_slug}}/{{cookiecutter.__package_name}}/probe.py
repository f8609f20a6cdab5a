"""Asks the server on this machine whether it lives, as a container does."""

import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from typing import Final

from .settings import Settings

#: Seconds.
PATIENCE: Final = 3.0


def ask(settings: Settings) -> bool:
    """Tell whether ``/health`` is answered as it should be."""
    address = _address(settings.host), settings.port
    if settings.tls_certfile:
        context = _trusting_only(str(settings.tls_certfile))
        connection: HTTPConnection = HTTPSConnection(
            *address, timeout=PATIENCE, context=context
        )
    else:
        connection = HTTPConnection(*address, timeout=PATIENCE)
    try:
        connection.request("GET", "/health", headers={"Host": "localhost"})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _address(host: str) -> str:
    """Return where a server that is bound to this host can be reached."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "::1"
    return host


def _trusting_only(certificate: str) -> ssl.SSLContext:
    """Trust the server's own certificate, whatever name is in it."""
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
