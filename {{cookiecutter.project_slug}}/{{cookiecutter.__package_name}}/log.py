"""One JSON line per event, on stderr or in a file that rotates."""

import json
import logging
import os
import sys
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final

import structlog

from .attempts import TOLD, WINDOW, Attempts

NO_CALL: Final[Mapping[str, object]] = {
    "tool": None,
    "client_id": None,
    "request_id": None,
}
FILE_SIZE: Final = 10 * 2**20
FILES_KEPT: Final = 5
FRAMES_KEPT: Final = 5

#: Who calls what, for every event that is logged while the call is served.
current_call: ContextVar[Mapping[str, object]] = ContextVar(
    "current_call", default=NO_CALL
)


def configure(level: str, file: Path | None = None) -> None:
    """Send every event, and every library's message, to one place.

    Args:
        level: The lowest level that is written: DEBUG, INFO, WARNING, ERROR.
        file: Where to write, mode 0600, kept to six files of 10 MiB; stderr
            where there is none. Nothing is ever written to stdout, which
            belongs to the protocol (MCP specification, stdio transport).

    Raises:
        OSError: The file cannot be opened.
    """
    global _logger, _file
    if _file:
        _file.close()
    _file = _private_file(file) if file else None
    _logger = _bound(level, _file or _stderr())
    logging.getLogger().addHandler(_LIBRARY)
    # What FastMCP warns of, the audit log says already; and if it was imported
    # before us, it prints its messages with their values.
    fastmcp = logging.getLogger("fastmcp")
    fastmcp.setLevel(logging.ERROR)
    fastmcp.handlers.clear()
    fastmcp.propagate = True
    logging.captureWarnings(capture=True)


def event(name: str, /, *, level: str = "info", **fields: object) -> None:
    """Write one event with the call that it belongs to.

    Give sizes and names, never argument values, tokens or file contents
    (CWE-532, OWASP MCP01 and MCP08).

    Args:
        name: The event's name, one of those in ``docs/events.md``.
        level: debug, info, warning or error.
        fields: What belongs to the event.
    """
    getattr(_logger, level)(name, **fields)


def failure(error: BaseException) -> None:
    """Write what failed unexpectedly, and where, without any value.

    An exception's text may repeat what a caller sent; its type and the last
    lines that it passed do not.
    """
    cause = error.__cause__ or error
    passed = traceback.extract_tb(cause.__traceback__)[-FRAMES_KEPT:]
    event(
        "internal_error",
        level="error",
        exception=type(cause).__name__,
        frames=[f"{Path(f.filename).name}:{f.lineno}" for f in passed],
    )


def _render(
    logger: object, method: str, fields: structlog.typing.EventDict
) -> str:
    """Lay the fields out in their fixed order, on one line.

    JSON escapes line breaks and control characters, so that no value can
    forge a second line (CWE-117).
    """
    line: dict[str, Any] = {
        "timestamp": datetime.now(UTC).isoformat(),
        "level": method.upper(),
        "event": fields.pop("event"),
        **current_call.get(),
        **fields,
    }
    return _ENCODER.encode(line)


def _stderr() -> structlog.WriteLogger:
    """Return what writes to stderr, or nowhere if we were given none.

    Without a file it would write to stdout.
    """
    nowhere = Path(os.devnull)
    return structlog.WriteLogger(sys.__stderr__ or nowhere.open("w"))


def _private_file(file: Path) -> "_PrivateFile":
    return _PrivateFile(
        file, maxBytes=FILE_SIZE, backupCount=FILES_KEPT, encoding="utf-8"
    )


def _bound(
    level: str, sink: "structlog.WriteLogger | _PrivateFile"
) -> structlog.typing.FilteringBoundLogger:
    threshold = logging.getLevelNamesMapping()[level]
    bound: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        sink,
        processors=[_render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
    ).bind()
    return bound


class _PrivateFile(RotatingFileHandler):
    """A rotating file that only its owner can read (CWE-732)."""

    def msg(self, line: str) -> None:
        """Write a line, as structlog asks for it."""
        self.handle(logging.makeLogRecord({"msg": line}))

    debug = info = warning = error = critical = msg

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        descriptor = os.open(self.baseFilename, flags, 0o600)
        if os.name == "posix":
            os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")


class _Library(logging.Handler):
    """Turns a library's message into an event without its values.

    A library's text may repeat what a caller sent. What is kept is where it
    came from, ten times a minute: some of them a caller can bring about.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._told = Attempts(limit=TOLD, window=WINDOW)

    def emit(self, record: logging.LogRecord) -> None:
        source = f"{record.module}:{record.lineno}"
        if self._told.wait(source):
            return
        self._told.fail(source)
        error = record.exc_info[1] if record.exc_info else None
        if error and not _is_answer(error):
            failure(error)
        event(
            "library_message",
            level="error" if record.levelno >= logging.ERROR else "warning",
            logger=record.name,
            source=source,
        )


def _is_answer(error: BaseException) -> bool:
    """Tell whether an error is what a caller is told of its own mistake."""
    # Who needs no MCP, as the health check does not, need not wait for it.
    from mcp.shared.exceptions import MCPError

    return isinstance(error, MCPError)


# One for all lines: to make one takes longer than to write a line with it.
_ENCODER: Final = json.JSONEncoder(default=str, separators=(",", ":"))

_LIBRARY: Final = _Library()

_file: _PrivateFile | None = None
# What is logged before the settings are read goes to stderr like the rest.
_logger = _bound("INFO", _stderr())
