"""Serves the application over stdio, http or sse until it is told to stop."""

from collections.abc import Callable

from ..settings import Settings
from .application import Application


def serve(
    build: Callable[[Settings, int], Application], settings: Settings
) -> None:
    """Serve until SIGTERM, SIGINT or the end of stdin, and return.

    Calls in flight are finished within ``MCP_SHUTDOWN_GRACE`` and the
    server's clean-up is run first, over every transport. A second after this
    returns the process ends, whatever a tool's thread is still doing.

    Args:
        build: Builds what is served. It is called with the settings and the
            worker's number (0 where there is one process), once in each
            process, after the protocol's stdout was put out of reach.
        settings: The settings.

    Raises:
        SettingsError: The start is refused.
    """
    # Each transport brings its own libraries; only one is needed.
    if settings.transport == "stdio":
        from .stdio import serve_stdio

        serve_stdio(build, settings)
    else:
        from .http import serve_http

        serve_http(build, settings)


def check(
    build: Callable[[Settings, int], Application], settings: Settings
) -> None:
    """Refuse what :func:`serve` would refuse, but for the address.

    Raises:
        SettingsError: The start would be refused.
    """
    application = build(settings, 0)
    if settings.transport != "stdio":
        from .http import build_http_server

        build_http_server(application, settings)
