"""Orders in letters that people pass over and models read."""

import codecs
import re
from collections.abc import Iterator
from typing import Final

from .phrases import plain
from .signs import confiding, ordering

LONGEST: Final = 4_000  # characters that are looked at
_LEET: Final = str.maketrans("0134578@$", "oieastbas")
_SPACED: Final = re.compile(
    r"(?<![^\W_])[^\W_]([-._* ])[^\W_](?:\1[^\W_]){2,}(?![^\W_])"
)
#: What is said in no language is not looked at any longer.
_LANGUAGE: Final = re.compile(
    r"\b(?:the|you|your|all|and|to|of|ignore|send)\b", re.I
)
_ESCAPED: Final = re.compile(
    r"\\{1,2}u00([0-9a-f]{2})|\\{1,2}x([0-9a-f]{2})|%([2-7][0-9a-f])",
    re.IGNORECASE,
)


def disguised(said: str) -> str:
    """Return the order in a text that shows only once it is read otherwise.

    Backwards, turned by thirteen letters, with digits for letters, with gaps
    or in escapes: what a text says as it stands is other rules' business.
    """
    text = plain(said[:LONGEST])
    others = {o for o in _readings(text) if o != text and _LANGUAGE.search(o)}
    if not others or ordering(text) or confiding(text):
        return ""
    return next(filter(None, map(_order, sorted(others))), "")


def _order(text: str) -> str:
    return ordering(text) or confiding(text)


def _readings(text: str) -> Iterator[str]:
    yield text[::-1]
    yield codecs.encode(text, "rot13")
    yield text.translate(_LEET)
    yield _SPACED.sub(lambda found: found[0].replace(found[1], ""), text)
    yield _ESCAPED.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1] or found[2] or found[3], 16))
