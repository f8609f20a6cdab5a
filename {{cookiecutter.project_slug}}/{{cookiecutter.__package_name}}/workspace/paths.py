"""Which spellings of a path are accepted, before any file is touched."""

import json
import re
import secrets

from ..errors import PathDenied

MAX_LEVELS = 64
MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 4_095

Names = tuple[str, ...]

# Cc and Cs of Unicode: control characters, and what is no character at all.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.mcp-partial")
_ENCODER = json.JSONEncoder(ensure_ascii=False)


def parse(path: str) -> Names:
    """Return the names that lead from the workspace to ``path`` (CWE-22).

    Nothing is interpreted: no ``~``, no percent sign, no backslash. What is
    left are names that a descriptor can be asked for one by one.

    Raises:
        PathDenied: The spelling alone shows that it is no path inside.
    """
    names = tuple(name for name in path.split("/") if name not in {"", "."})
    if problem := _problem(path, names):
        reason, sentence = problem
        raise PathDenied(f"A path {sentence}.", reason=reason)
    return names


def _problem(path: str, names: Names) -> tuple[str, str] | None:
    """Return why a path is refused: a word for the log, and a sentence."""
    if not path:
        return "empty", "may not be empty; '.' is the workspace itself"
    if _UNPRINTABLE.search(path):
        return "control_character", "may not contain control characters"
    if path.startswith("/"):
        return "absolute", "must be relative to the workspace"
    if ".." in names:
        return "outside", "may not contain '..'"
    if len(names) > MAX_LEVELS:
        return "too_deep", f"may have at most {MAX_LEVELS} levels"
    if _too_long(path, names):
        return "too_long", (
            f"may have at most {MAX_PATH_BYTES} bytes, and each name in it"
            f" {MAX_NAME_BYTES}"
        )
    if any(map(is_temporary, names)):
        return "reserved", "may not contain a name reserved for writing files"
    return None


def _too_long(path: str, names: Names) -> bool:
    return _size(path) > MAX_PATH_BYTES or any(
        _size(name) > MAX_NAME_BYTES for name in names
    )


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def show(names: Names) -> str:
    """Return a path as a person may see it: relative, printable, valid."""
    return _UNPRINTABLE.sub("\ufffd", "/".join(names) or ".")


def length(text: str) -> int:
    """Return the characters that a text has as JSON, in its quotes."""
    return len(_ENCODER.encode(text))


def temporary() -> str:
    """Return a new name that no caller can ask for."""
    return f".{secrets.token_hex(8)}.mcp-partial"


def is_temporary(name: str) -> bool:
    """Tell whether a name is one of those."""
    return _TEMPORARY.fullmatch(name) is not None
