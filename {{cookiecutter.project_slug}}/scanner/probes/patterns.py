"""Makes texts that fit a pattern, by rewriting the pattern to a text."""

import re
import string
from collections.abc import Iterator, Mapping
from typing import Any, Final

#: Letters that were made stand apart from the pattern's own, behind this.
_APART: Final = 0xF0000
_MADE: Final = f"[{chr(_APART)}-{chr(_APART + 0xFFFF)}]"
_SHORT: Final = 10  # letters
_LONGEST: Final = 10_000
_ATOM: Final = re.compile(
    r"\(\?(?:P?<\w+>|:)|(\{\d+(?:,\d*)?\}|[()|*+?])|\\.|[^\[\\]"
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]"
)
_TIMES: Final = r"(?:\{(\d+)(?:,\d*)?\}|[*+?])\??"
_LETTER: Final = re.compile(rf"({_MADE}){_TIMES}")
_GROUP: Final = re.compile(rf"\(([^()]*)\)(?:{_TIMES})?")
_OPEN: Final = re.compile(rf"{_MADE}(?=[*+])")
#: What may come back to a text so often that to look for it takes for ever.
_NESTED: Final = re.compile(r"[*+?]\)[*+{]")


def fits(schema: Mapping[str, Any], text: str) -> bool:
    """Tell whether a schema's pattern lets a text through, if it has one."""
    pattern = str(schema.get("pattern", ""))
    if _NESTED.search(pattern) and len(text) > _SHORT:
        return False
    try:
        return re.search(pattern, text) is not None
    except re.error:  # another dialect than ours
        return True


def fitting(schema: Mapping[str, Any]) -> str:
    """Return a text that a schema's pattern lets through; empty if unknown.

    The first of alternatives is taken, and each part as seldom as may be, but
    once.
    """
    made = _made(schema)
    return made if fits(schema, made) else ""


def around(schema: Mapping[str, Any], text: str) -> Iterator[str]:
    """Yield a text where a pattern may have room for it: behind, and amid."""
    made = _made(schema)
    if made and not str(schema["pattern"]).endswith("$"):
        yield made + text
    amid = _made(schema, text)
    if amid != made:
        yield amid


def _made(schema: Mapping[str, Any], text: str = "") -> str:
    """Rewrite a pattern to a text, with this one in its first open part."""
    try:
        made, left = _ATOM.sub(_letter, str(schema.get("pattern", ""))), 1
        if text:
            made = _OPEN.sub(lambda _: _apart(text), made, count=1)
        made = _LETTER.sub(_first, made)
        while left:
            made, left = _GROUP.subn(_first, made)
    except (re.error, ValueError):
        return ""
    made = made.partition("|")[0]
    return "".join(chr(ord(c) - _APART) for c in made if ord(c) >= _APART)


def _letter(found: re.Match[str]) -> str:
    """Write one letter for a class of them; groups and counts stay."""
    atom = found[0]
    if found[1] or atom.startswith("(?"):
        return found[1] or "("
    letters = (*"x1X", atom[-1], *string.printable)
    fit = (_apart(c) for c in letters if re.fullmatch(atom, c))
    return next(fit, "")  # an anchor is none


def _apart(text: str) -> str:
    return "".join(chr(_APART + ord(c)) for c in text)


def _first(found: re.Match[str]) -> str:
    """Write a group as its first alternative, as often as is asked for."""
    first, times = found[1].partition("|")[0], int(found[2] or 1)
    if len(first) * times > _LONGEST:
        raise ValueError("too long")
    return first * times
