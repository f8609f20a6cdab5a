"""Which spellings of a path are accepted, before any file is touched."""

import re
import secrets
import unicodedata

from ..errors import PathDenied

MAX_LEVELS = 64
MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 4_095

Names = tuple[str, ...]

_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.mcp-partial")


def parse(path: str) -> Names:
    """Return the names that lead from the workspace to ``path``.

    Nothing is interpreted: no ``~``, no percent sign, no backslash. What is
    left are names that a descriptor can be asked for one by one (CWE-22).

    Raises:
        PathDenied: The spelling alone shows that it is no path inside.
    """
    if not path:
        raise PathDenied(
            "A path is missing; '.' is the workspace itself.", reason="empty"
        )
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in path):
        raise PathDenied(
            "A path holds no control characters.", reason="control_character"
        )
    if path.startswith("/"):
        raise PathDenied(
            "A path is relative to the workspace.", reason="absolute"
        )
    names = tuple(name for name in path.split("/") if name not in {"", "."})
    _check_sizes(path, names)
    if ".." in names:
        raise PathDenied("A path holds no '..'.", reason="outside")
    if any(map(is_temporary, names)):
        raise PathDenied(
            "That name is kept for files being written.", reason="reserved"
        )
    return names


def _check_sizes(path: str, names: Names) -> None:
    if len(path.encode()) > MAX_PATH_BYTES or any(
        len(name.encode()) > MAX_NAME_BYTES for name in names
    ):
        raise PathDenied(
            f"A path has at most {MAX_PATH_BYTES} bytes,"
            f" and each name in it {MAX_NAME_BYTES}.",
            reason="too_long",
        )
    if len(names) > MAX_LEVELS:
        raise PathDenied(
            f"A path has at most {MAX_LEVELS} levels.", reason="too_deep"
        )


def show(names: Names) -> str:
    """Return a path as a person may see it: relative, printable, valid."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(letter) in {"Cc", "Cs"}
        else letter
        for letter in "/".join(names) or "."
    )


def temporary() -> str:
    """Return a new name that no caller can ask for."""
    return f".{secrets.token_hex(8)}.mcp-partial"


def is_temporary(name: str) -> bool:
    """Tell whether a name is one of ours, left or in use by a write."""
    return _TEMPORARY.fullmatch(name) is not None
