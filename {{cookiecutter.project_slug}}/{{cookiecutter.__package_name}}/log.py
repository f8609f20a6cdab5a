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

NO_CALL: Final[Mapping[str, object]] = {
    "tool": None,
    "client_id": None,
    "request_id": None,
}
FILE_SIZE: Final = 10 * 2**20
FILES_KEPT: Final = 5

#: Who calls what, for every event that is logged while the call is served.
current_call: ContextVar[Mapping[str, object]] = ContextVar(
    "current_call", default=NO_CALL
)

_logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()


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
    threshold = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[_render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=_sink(file),
        cache_logger_on_first_use=False,
    )
    global _logger
    _logger = structlog.get_logger().bind()
    logging.basicConfig(handlers=[_Library()], level=logging.WARNING)
    logging.captureWarnings(capture=True)


def event(name: str, /, *, level: str = "info", **fields: object) -> None:
    """Write one event with the call that it belongs to.

    Give sizes and names, never argument values, tokens or file contents
    (CWE-532, OWASP MCP01 and MCP08).

    Args:
        name: The event's name, one of those listed in ``SECURITY.md``.
        level: debug, info, warning or error.
        fields: What belongs to the event.
    """
    getattr(_logger, level)(name, **fields)


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
    return json.dumps(line, default=str, separators=(",", ":"))


def _sink(file: Path | None) -> Any:
    if file is None:
        return structlog.WriteLoggerFactory(file=sys.stderr)
    sink = _RotatingSink(file)
    return lambda *_: sink


class _PrivateFile(RotatingFileHandler):
    """A rotating file that only its owner can read (CWE-732)."""

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.baseFilename, flags, 0o600)
        os.fchmod(descriptor, 0o600)
        return open(descriptor, "a", encoding="utf-8")  # noqa: PTH123 - a descriptor


class _RotatingSink:
    """Lets structlog write to a rotating file."""

    def __init__(self, file: Path) -> None:
        self._file = _PrivateFile(
            file, maxBytes=FILE_SIZE, backupCount=FILES_KEPT, encoding="utf-8"
        )

    def msg(self, line: str) -> None:
        self._file.handle(logging.makeLogRecord({"msg": line}))

    debug = info = warning = error = critical = msg


class _Library(logging.Handler):
    """Turns a library's message into an event without its values.

    A library's text may repeat what a caller sent. What is kept is where it
    came from, and for an exception its type and the lines it passed.
    """

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, object] = {
            "logger": record.name,
            "source": f"{record.module}:{record.lineno}",
        }
        error = record.exc_info and record.exc_info[1]
        if error:
            cause = error.__cause__ or error
            frames = traceback.extract_tb(cause.__traceback__)[-5:]
            fields["exception"] = type(cause).__name__
            fields["frames"] = [
                f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames
            ]
        level = "error" if record.levelno >= logging.ERROR else "warning"
        event("library_message", level=level, **fields)
