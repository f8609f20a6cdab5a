"""Orders in letters that people pass over and models read."""

import codecs
import re
from collections.abc import Iterator
from typing import Final

from .phrases import CONFIDENTIAL, ORDERS, plain

LONGEST: Final = 4_000  # characters that are looked at
_LEET: Final = str.maketrans("0134578@$", "oieastbas")
_SPACED: Final = re.compile(r"(?<![^\W_])(?:[^\W_] ){3,}[^\W_](?![^\W_])")
_ESCAPED: Final = re.compile(
    r"\\{1,2}u00([0-9a-f]{2})|\\{1,2}x([0-9a-f]{2})|%([2-7][0-9a-f])",
    re.IGNORECASE,
)


def disguised(said: str) -> re.Match[str] | None:
    """Return the order in a text that shows only once it is read otherwise.

    Backwards, turned by thirteen letters, with digits for letters, with gaps
    or in escapes: what a text says as it stands is other rules' business.
    """
    text = plain(said[:LONGEST])
    if ORDERS.search(text) or CONFIDENTIAL.search(text):
        return None
    for other in _readings(text):
        if other != text:
            found = ORDERS.search(other) or CONFIDENTIAL.search(other)
            if found:
                return found
    return None


def _readings(text: str) -> Iterator[str]:
    yield text[::-1]
    yield codecs.encode(text, "rot13")
    yield text.translate(_LEET)
    yield _SPACED.sub(lambda found: found[0].replace(" ", ""), text)
    yield _ESCAPED.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1] or found[2] or found[3], 16))
