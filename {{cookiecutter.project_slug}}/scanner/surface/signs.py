"""Signs that a sentence orders a model about, whatever words it takes.

A phrase can be said in a hundred ways; what it asks for cannot. Each sign is
harmless by itself, and honest descriptions show one or two of them. A
sentence that shows enough of them tells the model whom to obey, what to call
first, or what to hand over.
"""

import re
import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from .phrases import (
    CONFIDENTIAL,
    ORDERS,
    SUPPLANTING,
    in_words,
    unwrapped,
)

FOREIGN: Final = "it is said in another language"
LONGEST: Final = 600  # characters of a sentence that are looked at

_FILE: Final = Path(__file__).with_name("vocabulary.toml")
_TABLES: Final = tomllib.loads(_FILE.read_text("utf-8"))
_SIGNS: Final[dict[str, str]] = _TABLES["signs"]
_WORDS: Final = tuple(_TABLES["glossary"])
#: A foreign word begins where a word does, or amid letters without spaces.
_FOREIGN: Final = re.compile(
    "|".join(
        rf"((?:\b|(?<=[^\W\da-zà-ž]))(?:{'|'.join(words.split())}))"
        for words in _TABLES["glossary"].values()
    )
)
#: What the place says of a sentence before it is read.
PLACES: Final = {
    "it stands at an argument": re.compile(r"\.properties\..*\.description$"),
    "it stands for a value": re.compile(
        r"\.(?:default|const|title|(?:enum|examples)\[\d+\])$"
    ),
}
_RANK: Final = {sign: rank for rank, sign in enumerate((*PLACES, *_SIGNS))}
Together = tuple[tuple[str, ...], ...]


def _together(name: str) -> Together:
    """Return what is enough together, the rarest sign first."""
    return tuple(
        tuple(sorted(each.split(", "), key=lambda sign: _RANK.get(sign, 0)))
        for each in _TABLES["together"][name]
    )


OVERRULING: Final = _together("overruling")
ORDERING: Final = OVERRULING + _together("ordering")
CONFIDING: Final = _together("confiding")
_SENTENCE: Final = re.compile(r"(?<=[.!?。])\s+|\n\s*\n|\n(?=\s*[-*#\d])")


def ordering(said: str, where: str = "") -> str:
    """Return what in a text gives a model orders; empty if nothing does."""
    phrase = ORDERS.search(in_words(said))
    phrase = phrase or SUPPLANTING.search(unwrapped(said))
    return phrase[0] if phrase else telling(in_words(said), ORDERING, where)


def confiding(said: str, where: str = "") -> str:
    """Return what in a text asks for secrets or silence; empty if nothing."""
    phrase = CONFIDENTIAL.search(unwrapped(said))
    return phrase[0] if phrase else telling(in_words(said), CONFIDING, where)


def telling(text: str, together: Together, where: str = "") -> str:
    """Return the first sentence that shows enough signs; empty if none.

    Args:
        text: What is read.
        together: Signs that are enough together.
        where: Its place in what a server offers, which is a sign too.
    """
    place = frozenset(s for s, rule in PLACES.items() if rule.search(where))
    for sentence in _SENTENCE.split(text.lower()):
        shown = _read(sentence[:LONGEST], place)
        if any(all(map(shown.__contains__, each)) for each in together):
            return sentence.strip()
    return ""


@lru_cache(maxsize=64)
def _read(sentence: str, place: frozenset[str]) -> "Shown":
    """Return the signs of a sentence, which more than one rule asks for."""
    return Shown(sentence, place)


class Shown:
    """The signs that a sentence in small letters shows, looked for if asked.

    Most sentences show none of the rare signs, and the others are not asked
    for then, nor are their patterns made.
    """

    def __init__(self, sentence: str, place: frozenset[str]) -> None:
        self._known = dict.fromkeys(place, True)
        foreign = _FOREIGN.search(sentence) is not None
        self._known[FOREIGN] = foreign
        if foreign:
            sentence = " ".join(_FOREIGN.sub(_in_english, sentence).split())
        self._sentence = sentence

    def __contains__(self, sign: str) -> bool:
        """Tell whether the sentence shows a sign."""
        if sign not in self._known:
            found = sign in _SIGNS and _pattern(sign).search(self._sentence)
            self._known[sign] = bool(found)
        return self._known[sign]


@cache
def _pattern(sign: str) -> re.Pattern[str]:
    """Make a sign's pattern: in one line, its parts put in."""
    text = _SIGNS[sign].replace("\n", "")
    for name, part in _TABLES["parts"].items():
        text = text.replace(name, part.replace("\n", ""))
    return re.compile(text)


def _in_english(found: re.Match[str]) -> str:
    return f" {_WORDS[(found.lastindex or 1) - 1]} "
