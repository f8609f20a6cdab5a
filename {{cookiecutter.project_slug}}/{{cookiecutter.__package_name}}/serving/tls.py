"""TLS: from files, modern, and renewed without a restart."""

import ssl
from pathlib import Path
from typing import Final

from ..errors import SettingsError
from .application import Observer

#: Forward secrecy and authenticated encryption only (RFC 9325); TLS 1.3
#: brings its own.
CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"

_Stamp = tuple[tuple[int, ...], ...]


class Certificate:
    """A certificate and its key, in files that may be replaced.

    Raises:
        SettingsError: The files cannot be used.
    """

    def __init__(
        self, certificate: Path, key: Path, *, on_event: Observer
    ) -> None:
        self._files = (certificate, key)
        self._on_event = on_event
        self.context = _context()
        try:
            self._stamp: _Stamp | None = self._read_stamp()
            _load(self.context, certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                "MCP_TLS_CERTFILE, MCP_TLS_KEYFILE: the pair cannot be used:"
                f" {_reason(error)}; name a PEM certificate and its key"
            ) from error

    async def renew(self) -> None:
        """Use the files as they are now, if they have changed and are whole.

        Connections that stand keep what they have; a broken pair changes
        nothing, is told of once, and is tried again when it has changed.
        """
        stamp: _Stamp | None = None
        try:
            stamp = self._read_stamp()
            if stamp == self._stamp:
                return
            _load(_context(), *self._files)
            _load(self.context, *self._files)
        except (OSError, ssl.SSLError) as error:
            if stamp != self._stamp:
                reason = _reason(error)
                self._on_event("tls_reload_failed", {"reason": reason})
        else:
            self._on_event("tls_reloaded", {})
        self._stamp = stamp

    def _read_stamp(self) -> _Stamp:
        """Return what changes whenever a file is written or replaced."""
        stats = [path.stat() for path in self._files]
        return tuple(
            (s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in stats
        )


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    # A locked key is refused; OpenSSL would ask for the word on a terminal.
    context.load_cert_chain(certificate, key, password=lambda: "")


def _reason(error: OSError) -> str:
    """Name what failed, without a path."""
    return error.strerror or getattr(error, "reason", "") or "unreadable"
