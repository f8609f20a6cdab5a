"""Text of unknown origin, made fit to be shown."""

import re

_REASON = re.compile(r"[^\W\d_]{3}")
_CREDENTIALS = re.compile(r"(?<=://)\S*@")
MAX_SHOWN = 400  # characters of one message that a person is shown


def visible(text: str, limit: int = MAX_SHOWN) -> str:
    r"""Return one line with every control character written out (CWE-150).

    Line breaks, ANSI escapes, bidirectional marks and bytes that are no
    text come out as ``\x1b`` and the like.
    """
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(_shown(char) for char in short)


def without_credentials(text: str) -> str:
    """Return a text in which no address says who asks (CWE-532).

    Up to the last ``@``: a password may hold some.
    """
    return _CREDENTIALS.sub("****@", text)


def gives_reason(text: str) -> bool:
    """Tell whether a text says anything: ``000`` and ``-`` are no reasons."""
    return _REASON.search(text) is not None


def _shown(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that surrogateescape carried
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
